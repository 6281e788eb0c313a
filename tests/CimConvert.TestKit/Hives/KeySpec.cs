namespace CimConvert.TestKit.Hives;

/// <summary>How a key's subkeys are listed in a built hive.</summary>
public enum SubkeyLists
{
    /// <summary>lh: offsets and hashes.</summary>
    Hash,

    /// <summary>lf: offsets and the first four characters.</summary>
    Fast,

    /// <summary>li: offsets alone.</summary>
    Index,

    /// <summary>ri over leaves of every kind, a few keys each.</summary>
    Root,

    /// <summary>ri over ri over leaves, which Windows does not write.</summary>
    NestedRoot,
}

/// <summary>A key to be written into a hive, exactly as it is told here: nothing is sorted, checked or made consistent.</summary>
public sealed class KeySpec(string name)
{
    public string Name { get; } = name;

    public ushort Flags { get; set; }

    public long LastWritten { get; set; } = 0x01D0_0000_0000_0000;

    public byte AccessBits { get; set; }

    /// <summary>Low two bits: layer semantics; top bit: inherits the class.</summary>
    public byte Layer { get; set; }

    public byte ControlFlags { get; set; }

    public byte DebugFlags { get; set; }

    /// <summary>Stored as UTF-16LE.</summary>
    public string ClassName { get; set; } = string.Empty;

    public byte[]? Security { get; set; }

    public SubkeyLists Lists { get; set; }

    /// <summary>Stores the name in UTF-16 even where Latin-1 would do.</summary>
    public bool WideName { get; set; }

    /// <summary>Stands in the value count, as a predefined handle does.</summary>
    public uint? ValueCount { get; set; }

    public List<ValueSpec> Values { get; init; } = [];

    public List<KeySpec> Subkeys { get; init; } = [];

    public KeySpec With(params IEnumerable<KeySpec> subkeys)
    {
        Subkeys.AddRange(subkeys);
        return this;
    }

    public KeySpec With(params IEnumerable<ValueSpec> values)
    {
        Values.AddRange(values);
        return this;
    }
}
