namespace CimConvert.Formats.Cim;

/// <summary>
/// A location in a CIM: the index of a region, counted over the parents' regions and then the CIM's own, and a byte offset
/// in that region's file. 0 is null.
/// </summary>
internal readonly record struct RegionOffset(ulong Value)
{
    private const int OffsetBits = 48;
    private const ulong OffsetMask = (1UL << OffsetBits) - 1;

    public RegionOffset(int region, long offset)
        : this(((ulong)checked((ushort)region) << OffsetBits) | InRange(offset))
    {
    }

    public static RegionOffset Null => default;

    public bool IsNull => Value == 0;

    public int Region => (int)(Value >> OffsetBits);

    public long Offset => (long)(Value & OffsetMask);

    /// <summary>The same location for a CIM in whose region list this region comes <paramref name="regions"/> places later.</summary>
    public RegionOffset Rebase(int regions) => IsNull ? this : new RegionOffset(checked(Region + regions), Offset);

    public override string ToString() => $"{Region}:0x{Offset:x}";

    private static ulong InRange(long offset) =>
        offset is >= 0 and <= (long)OffsetMask
            ? (ulong)offset
            : throw new InvalidDataException($"a region cannot hold offset {offset}: offsets have {OffsetBits} bits");
}

/// <summary>The region and object ID files of one CIM.</summary>
/// <param name="Id">The GUID in the files' names.</param>
/// <param name="Count">Number of region files; there are as many object ID files.</param>
internal readonly record struct RegionSet(Guid Id, ushort Count)
{
    /// <summary>Names of the region files.</summary>
    public IEnumerable<string> RegionNames
    {
        get
        {
            for (var i = 0; i < Count; i++)
            {
                yield return CimFormat.RegionName(Id, i);
            }
        }
    }

    /// <summary>Names of the region and object ID files. Always safe as file names, because they are made of a GUID and a number.</summary>
    public IEnumerable<string> FileNames
    {
        get
        {
            for (var i = 0; i < Count; i++)
            {
                yield return CimFormat.RegionName(Id, i);
                yield return CimFormat.ObjectIdName(Id, i);
            }
        }
    }
}
