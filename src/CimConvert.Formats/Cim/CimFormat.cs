namespace CimConvert.Formats.Cim;

/// <summary>The constants of the CIM v2 layout. FORMAT.md beside this file gives source and confidence of each.</summary>
internal static class CimFormat
{
    public const uint VersionMajor = 2;
    public const uint VersionMinor = 0;

    /// <summary>Version 3 sets are read too: newer readers accept both.</summary>
    public const uint MaxVersionMajor = 3;

    public const int CommonHeaderSize = 32;
    public const int RegionHeaderSize = 40;
    public const int ObjectIdHeaderSize = 48;
    public const int FilesystemHeaderSize = 72;
    public const int RegionSetSize = 24;
    public const int FilesystemObjectSize = 24;
    public const int FileTableEntrySize = 16;
    public const int FileSize = 96;
    public const int StreamSize = 16;
    public const int LinkTableHeaderSize = 8;
    public const int FilesPerTable = 1024;
    public const int ObjectIdEntrySize = 40;
    public const int ObjectIdDigestSize = 24;

    /// <summary>Data of this many bytes or more lies page-aligned in the page region, smaller data in the small region.</summary>
    public const int PageSize = 4096;

    /// <summary>Alignment of small data and of every metadata structure.</summary>
    public const int SmallAlignment = 8;

    /// <summary>Region sets a CIM may have before its own. A merged one has a set for each layer; images have at most 127 of those.</summary>
    public const int MaxParents = 4096;

    /// <summary>Regions in all, as many as offsets can name; a standard CIM of Microsoft's uses a handful.</summary>
    public const int MaxRegions = 0x10000;

    /// <summary>Regions that a CIM of ours has of its own: metadata, pages, small data.</summary>
    public const int OwnRegions = 3;

    public const string RegionPrefix = "region_";
    public const string ObjectIdPrefix = "objectid_";

    public static ReadOnlySpan<byte> Magic => "cimfile0"u8;

    public static string RegionName(Guid set, int index) => $"{RegionPrefix}{set:D}_{index}";

    public static string ObjectIdName(Guid set, int index) => $"{ObjectIdPrefix}{set:D}_{index}";
}

/// <summary>Type byte of the common header.</summary>
internal enum CimFileType : byte
{
    Filesystem = 0,
    Region = 1,
    ObjectId = 2,
}

/// <summary>What a region holds; also the index of each of our own three regions.</summary>
internal enum RegionType : byte
{
    Metadata = 0,
    Pages = 1,
    Small = 2,
}

/// <summary>
/// Flags of a file record. The low byte is CimFS'; the high byte, which the layout leaves unused, carries
/// what a layer says about the layers below it (our extension) and is gone from merged CIMs.
/// </summary>
[Flags]
internal enum CimFileFlags : ushort
{
    None = 0,
    ReadOnly = 0x0001,
    Hidden = 0x0002,
    System = 0x0004,
    Archive = 0x0008,
    Sparse = 0x0010,

    /// <summary>Nothing is here, and nothing that lower layers have at or below this path is either.</summary>
    Tombstone = 0x0100,

    /// <summary>A directory that starts empty: what lower layers have in it is hidden.</summary>
    Opaque = 0x0200,

    /// <summary>A name for a file of a lower layer; the reparse buffer holds its path, UTF-16LE, and the tag is 0.</summary>
    MergeLink = 0x0400,

    /// <summary>A directory the layer did not describe: a lower layer's metadata stands.</summary>
    Implicit = 0x0800,

    LayerMask = Tombstone | Opaque | MergeLink | Implicit,
}

/// <summary>Type of a stream, bits 48 to 55 of its second word.</summary>
internal enum CimStreamType : byte
{
    Data = 0,
    LinkTable = 1,
    PeImage = 2,
}
