using System.Collections.Immutable;

namespace CimConvert.Formats.Regf;

/// <summary>Sets values in a hive. Hives are immutable: each change returns a new hive, which shares all unchanged subtrees.</summary>
internal static class HiveEdit
{
    /// <summary>
    /// Sets a value. Missing keys of the path are created with their parent's security descriptor and time; no other time changes.
    /// </summary>
    /// <param name="hive">Not changed.</param>
    /// <param name="path">The key's path, names joined by <c>\</c>, case-insensitive.</param>
    /// <param name="value">Replaces an existing value of its name, whose position and spelling are kept.</param>
    /// <exception cref="InvalidDataException">The key cannot hold values.</exception>
    public static Hive SetValue(Hive hive, string path, HiveValue value)
    {
        ArgumentNullException.ThrowIfNull(hive);
        ArgumentNullException.ThrowIfNull(path);
        var keys = new List<HiveKey> { hive.Root };
        foreach (var name in path.Split(Hive.PathSeparator, StringSplitOptions.RemoveEmptyEntries))
        {
            var parent = keys[^1];
            keys.Add(parent.FindSubkey(name) ?? new HiveKey(name) { Security = parent.Security, LastWritten = parent.LastWritten });
        }

        if (keys[^1].Flags.HasFlag(HiveKeyFlags.PredefinedHandle))
        {
            throw new InvalidDataException($@"key '{path}' stands for a predefined handle and cannot hold values");
        }

        var changed = keys[^1].With(Set(keys[^1], value), keys[^1].Subkeys);
        for (var i = keys.Count - 2; i >= 0; i--)
        {
            var siblings = keys[i].Subkeys.Where(subkey => RegistryName.Compare(subkey.Name, changed.Name) != 0);
            changed = keys[i].With(keys[i].Values, [.. siblings, changed]);
        }

        return new Hive(changed) { MinorVersion = hive.MinorVersion, LastWritten = hive.LastWritten, FileName = hive.FileName };
    }

    private static ImmutableArray<HiveValue> Set(HiveKey key, in HiveValue value)
    {
        for (var i = 0; i < key.Values.Length; i++)
        {
            var name = key.Values[i].Name;
            if (RegistryName.Compare(name, value.Name) == 0)
            {
                return key.Values.SetItem(i, new HiveValue(name, value.Type, value.Data));
            }
        }

        return key.Values.Add(value);
    }
}
