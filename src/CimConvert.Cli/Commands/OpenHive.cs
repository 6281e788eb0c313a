using CimConvert.Formats.Regf;
using CimConvert.Layers.Hives;

namespace CimConvert.Cli.Commands;

/// <summary>Finds keys and values in a hive file by the names on the command line.</summary>
internal static class OpenHive
{
    /// <param name="file">The hive file.</param>
    /// <param name="path">Names separated by <c>\</c>, or by <c>/</c> if no key has that character in its name; empty for the root.</param>
    /// <returns>The key, and its path with the hive's spelling.</returns>
    public static (HiveKey Key, string Path) FindKey(string file, string path)
    {
        var hive = HiveFile.Read(file);

        // Key names can contain '/', such as 'Database\Content Type\text/html': the path is tried unchanged first.
        var key = hive.Find(path, out var canonical) ?? hive.Find(path.Replace('/', Hive.PathSeparator), out canonical);
        return key is null ? throw new InvalidDataException($"'{file}' has no key '{path}'") : (key, canonical);
    }

    /// <param name="key">The key that has the value.</param>
    /// <param name="path">The key's path, for messages.</param>
    /// <param name="name">The value's name; <c>@</c>, as in .reg files, or nothing for the default value.</param>
    public static HiveValue FindValue(HiveKey key, string path, string name)
    {
        var value = name is "" or "@" ? key.FindValue(string.Empty) ?? key.FindValue(name) : key.FindValue(name);
        return value switch
        {
            null when name is "" or "@" => throw new InvalidDataException($"key '{path}' has no default value"),
            null => throw new InvalidDataException($"key '{path}' has no value '{name}'"),
            { IsTombstone: true } => throw new InvalidDataException($"value '{name}' of key '{path}' is a tombstone: it has no data, and removes the value of the layers below"),
            { } found => found,
        };
    }
}
