using CimConvert.Formats.Binary;

namespace CimConvert.Formats.BlockFile;

/// <summary>The constants of this project's block file, specified by FORMAT.md beside this file.</summary>
internal static class BlockFileFormat
{
    public const int BlockSize = 4096;
    public const uint Version = 1;

    public const int DirectoryHeaderSize = 16;
    public const int SetEntrySize = 16;
    public const int FileEntrySize = 56;
    public const int ExtentSize = 16;

    /// <summary>A directory lists a handful of files for each CIM and one extent for about each MiB; a larger one is refused.</summary>
    public const int MaxDirectorySize = 64 * 1024 * 1024;

    /// <summary>UTF-16 units of a CIM's or a file's name.</summary>
    public const int MaxNameLength = HostFileName.MaxLength;

    public const int DigestSize = 32;

    /// <summary>Bytes of the optional trailer, a VHD footer of one sector. The file's length shows whether there is one.</summary>
    public const int TrailerSize = 512;

    /// <summary>Magic of block 0, which identifies the file's type and version only.</summary>
    public static ReadOnlySpan<byte> HeadMagic => "cimblock"u8;

    /// <summary>Magic of the superblock, the last block.</summary>
    public static ReadOnlySpan<byte> SuperblockMagic => "cimsuper"u8;
}

/// <summary>Tells this project's block files from others by their first bytes.</summary>
internal static class BlockFileMagic
{
    /// <summary>Bytes to pass to <see cref="IsAtStartOf"/>.</summary>
    public const int Length = 8;

    public static bool IsAtStartOf(ReadOnlySpan<byte> file) => file.StartsWith(BlockFileFormat.HeadMagic);
}

/// <summary>A run of blocks. A file's content is its extents, concatenated.</summary>
internal readonly record struct Extent(long Block, long Count);
