namespace CimConvert.Formats.Regf;

/// <summary>A value of a key. Its data is, where the hive allows, a slice of the hive it was read from.</summary>
/// <remarks>A struct of 32 bytes: large hives have more than a million of these.</remarks>
internal readonly struct HiveValue
{
    public HiveValue(string name, uint type, ReadOnlyMemory<byte> data)
    {
        ArgumentNullException.ThrowIfNull(name);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(name.Length, RegfLimits.ValueName, nameof(name));
        Name = name;
        Type = type;
        Data = data;
    }

    private HiveValue(string name)
        : this(name, 0, default) => IsTombstone = true;

    /// <summary>Empty for the key's default value.</summary>
    public string Name { get; }

    /// <summary>A REG_ type; any number may stand here.</summary>
    public uint Type { get; }

    public ReadOnlyMemory<byte> Data { get; }

    /// <summary>In a differencing hive: the value of this name below is gone.</summary>
    public bool IsTombstone { get; }

    public static HiveValue Tombstone(string name) => new(name);
}
