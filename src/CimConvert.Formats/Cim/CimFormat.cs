namespace CimConvert.Formats.Cim;

/// <summary>The constants of the CIM v2 layout. FORMAT.md beside this file gives the source and confidence of each.</summary>
internal static class CimFormat
{
    public const uint VersionMajor = 2;
    public const uint VersionMinor = 0;

    /// <summary>Version 3 is read too, as newer readers accept both.</summary>
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

    /// <summary>Data of at least this many bytes goes page-aligned into the page region, smaller data into the small region.</summary>
    public const int PageSize = 4096;

    /// <summary>Alignment of small data and of every metadata structure.</summary>
    public const int SmallAlignment = 8;

    /// <summary>
    /// Region sets that a CIM may have before its own. A merged CIM has one for each layer; a Windows image has at most 127 layers.
    /// </summary>
    public const int MaxParents = 4096;

    /// <summary>Regions in all: an offset's region index has 16 bits. A standard CIM written by Windows has a handful.</summary>
    public const int MaxRegions = 0x10000;

    /// <summary>Regions that every CIM written here has of its own: metadata, pages, small data.</summary>
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

/// <summary>What a region holds; also the region's index in the CIMs written here.</summary>
internal enum RegionType : byte
{
    Metadata = 0,
    Pages = 1,
    Small = 2,
}

/// <summary>
/// Flags of a file record. The low byte is CimFS's. The high byte is unused by CimFS; here it holds what a layer does to the
/// layers below it (this project's extension, see FORMAT.md), and it is 0 in merged and forked CIMs.
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

    /// <summary>The path does not exist: hides what lower layers have at and below it.</summary>
    Tombstone = 0x0100,

    /// <summary>A directory whose entries in lower layers are hidden.</summary>
    Opaque = 0x0200,

    /// <summary>A hard link to a file of a lower layer: the reparse buffer holds its path as UTF-16LE, and the reparse tag is 0.</summary>
    MergeLink = 0x0400,

    /// <summary>A directory for which the layer has no entry of its own: it has a lower layer's metadata.</summary>
    Implicit = 0x0800,

    LayerMask = Tombstone | Opaque | MergeLink | Implicit,
}

/// <summary>Type of a stream: bits 48 to 55 of its second 64-bit word.</summary>
internal enum CimStreamType : byte
{
    Data = 0,
    LinkTable = 1,
    PeImage = 2,
}
