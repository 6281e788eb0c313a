using CimConvert.Formats.Binary;

namespace CimConvert.Formats.BlockFile;

/// <summary>The constants of the one-file container, as FORMAT.md beside this file specifies it.</summary>
internal static class BlockFileFormat
{
    public const int BlockSize = 4096;
    public const uint Version = 1;

    public const int DirectoryHeaderSize = 16;
    public const int SetEntrySize = 16;
    public const int FileEntrySize = 56;
    public const int ExtentSize = 16;

    /// <summary>A directory lists a handful of files for each CIM and an extent for each MiB of small data; more is not ours.</summary>
    public const int MaxDirectorySize = 64 * 1024 * 1024;

    /// <summary>UTF-16 units of a CIM's or a file's name.</summary>
    public const int MaxNameLength = HostFileName.MaxLength;

    public const int DigestSize = 32;

    /// <summary>A trailer is a disk footer of one sector, or absent: it is told by the file's length.</summary>
    public const int TrailerSize = 512;

    /// <summary>Starts block 0, which says no more than what kind of file this is.</summary>
    public static ReadOnlySpan<byte> HeadMagic => "cimblock"u8;

    /// <summary>Starts the superblock, the last block.</summary>
    public static ReadOnlySpan<byte> SuperblockMagic => "cimsuper"u8;
}

/// <summary>A run of blocks; files are their extents one after the other.</summary>
internal readonly record struct Extent(long Block, long Count);
