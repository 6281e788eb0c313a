namespace CimConvert.Formats.Regf;

/// <summary>A value of a key. Its data is a slice of the hive it was read from, unless that stores it in segments.</summary>
/// <remarks>A struct of 32 bytes, because large hives have more than a million values.</remarks>
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

    /// <summary>A REG_ type; the format allows any number.</summary>
    public uint Type { get; }

    public ReadOnlyMemory<byte> Data { get; }

    /// <summary>In a differencing hive: removes the value of this name of the hive below.</summary>
    public bool IsTombstone { get; }

    public static HiveValue Tombstone(string name) => new(name);
}
