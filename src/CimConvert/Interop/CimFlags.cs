namespace CimConvert.Interop;

/// <summary>The flags of CimCreateImage2 that are used here (Windows SDK, CimFs.h; docs/cimfs-api.md).</summary>
[Flags]
internal enum CimCreateFlags : uint
{
    None = 0,
    BlockDevice = 0x4,
    SingleFile = 0x8,

    /// <summary>Deterministic output: the same calls give the same bytes.</summary>
    Consistent = 0x10,

    /// <summary>A verified CIM, which CimSealImage seals after it is closed.</summary>
    Verified = 0x40,
}

/// <summary>Flags of CimAddFsToMergedImage2.</summary>
[Flags]
internal enum CimMergeFlags : uint
{
    None = 0,
    SingleFile = 0x1,
    BlockDevice = 0x2,
    Verified = 0x4,
}

/// <summary>Flags of the functions that mount.</summary>
[Flags]
internal enum CimMountFlags : uint
{
    None = 0,
    BlockDevice = 0x10,
    SingleFile = 0x20,
}
