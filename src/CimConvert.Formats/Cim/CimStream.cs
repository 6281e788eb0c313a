namespace CimConvert.Formats.Cim;

/// <summary>Location, length and type of a stream: 16 bytes in a file record or an alternate stream's link.</summary>
internal readonly record struct CimStream(RegionOffset Data, ulong LengthAndType)
{
    private const int TypeShift = 48;
    private const ulong SparseBit = 1UL << 56;
    private const ulong LengthMask = (1UL << TypeShift) - 1;

    /// <summary>The length field has 48 bits.</summary>
    public const long MaxLength = (long)LengthMask;

    public CimStream(RegionOffset data, long length, CimStreamType type, bool sparse = false)
        : this(data, (ulong)length | ((ulong)type << TypeShift) | (sparse ? SparseBit : 0))
    {
    }

    public long Length => (long)(LengthAndType & LengthMask);

    public CimStreamType Type => (CimStreamType)(byte)(LengthAndType >> TypeShift);

    /// <summary>Reads as zeros; nothing is stored.</summary>
    public bool IsSparse => (LengthAndType & SparseBit) != 0;
}
