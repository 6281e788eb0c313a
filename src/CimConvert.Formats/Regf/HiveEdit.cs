using System.Collections.Immutable;

namespace CimConvert.Formats.Regf;

/// <summary>Changes a hive value by value. Hives are read-only: each change makes another, which shares all that it did not touch.</summary>
internal static class HiveEdit
{
    /// <summary>
    /// Sets a value; keys that are missing on its way are made, with the security of the key above them. No time is changed:
    /// new keys have that of the key above.
    /// </summary>
    /// <param name="hive">Stays as it is.</param>
    /// <param name="path">The key, by names joined by <c>\</c>, in any case of their letters.</param>
    /// <param name="value">Takes the place, and the spelling, of the value of its name.</param>
    /// <exception cref="InvalidDataException">The key can hold no values.</exception>
    public static Hive SetValue(Hive hive, string path, HiveValue value)
    {
        ArgumentNullException.ThrowIfNull(hive);
        ArgumentNullException.ThrowIfNull(path);
        var way = new List<HiveKey> { hive.Root };
        foreach (var name in path.Split(Hive.PathSeparator, StringSplitOptions.RemoveEmptyEntries))
        {
            var above = way[^1];
            way.Add(above.FindSubkey(name) ?? new HiveKey(name) { Security = above.Security, LastWritten = above.LastWritten });
        }

        if (way[^1].Flags.HasFlag(HiveKeyFlags.PredefinedHandle))
        {
            throw new InvalidDataException($@"key '{path}' stands for a predefined handle and can hold no values");
        }

        var key = way[^1].With(Set(way[^1], value), way[^1].Subkeys);
        for (var i = way.Count - 2; i >= 0; i--)
        {
            var others = way[i].Subkeys.Where(subkey => RegistryName.Compare(subkey.Name, key.Name) != 0);
            key = way[i].With(way[i].Values, [.. others, key]);
        }

        return new Hive(key) { MinorVersion = hive.MinorVersion, LastWritten = hive.LastWritten, FileName = hive.FileName };
    }

    private static ImmutableArray<HiveValue> Set(HiveKey key, in HiveValue value)
    {
        for (var i = 0; i < key.Values.Length; i++)
        {
            var old = key.Values[i].Name;
            if (RegistryName.Compare(old, value.Name) == 0)
            {
                return key.Values.SetItem(i, new HiveValue(old, value.Type, value.Data));
            }
        }

        return key.Values.Add(value);
    }
}
