using CimConvert.Formats.Regf;
using CimConvert.Layers.Hives;

namespace CimConvert.Cli.Commands;

/// <summary>Opens the hive that a command names, and finds in it what the command asks for.</summary>
internal static class OpenHive
{
    /// <param name="file">The hive.</param>
    /// <param name="path">Names joined by <c>\</c>, or by <c>/</c> where no key has that character in its name; empty for the root.</param>
    /// <returns>The key, and its path as the hive spells it.</returns>
    public static (HiveKey Key, string Path) FindKey(string file, string path)
    {
        var hive = HiveFile.Read(file);

        // Windows has keys such as 'Database\Content Type\text/html': what is written is tried first.
        var key = hive.Find(path, out var canonical) ?? hive.Find(path.Replace('/', Hive.PathSeparator), out canonical);
        return key is null ? throw new InvalidDataException($"'{file}' has no key '{path}'") : (key, canonical);
    }

    /// <param name="key">Where to look.</param>
    /// <param name="path">The key's, for the message.</param>
    /// <param name="name">As .reg files have it: <c>@</c>, or nothing, for the key's default value.</param>
    public static HiveValue FindValue(HiveKey key, string path, string name)
    {
        var value = name is "" or "@" ? key.FindValue(string.Empty) ?? key.FindValue(name) : key.FindValue(name);
        return value switch
        {
            null when name is "" or "@" => throw new InvalidDataException($"key '{path}' has no default value"),
            null => throw new InvalidDataException($"key '{path}' has no value '{name}'"),
            { IsTombstone: true } => throw new InvalidDataException($"value '{name}' of key '{path}' is a tombstone: it has no data, and removes that of the layers below"),
            { } found => found,
        };
    }
}
