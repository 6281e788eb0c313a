using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace CimConvert.Interop;

/// <summary>The C library.</summary>
internal static partial class Libc
{
    /// <summary>AT_FDCWD (fcntl.h).</summary>
    public const int CurrentDirectory = -100;

    /// <summary>STATX_NLINK (linux/stat.h).</summary>
    public const uint LinkCount = 4;

    /// <summary>STATX_INO (linux/stat.h).</summary>
    public const uint FileNumber = 0x100;

    /// <summary>AT_EMPTY_PATH (fcntl.h): with an empty path, the call applies to the open file itself.</summary>
    public const int EmptyPath = 0x1000;

    /// <summary>link(2): adds a name for a file. Returns 0, or -1 with errno.</summary>
    [LibraryImport("libc", EntryPoint = "link", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    public static partial int Link(string existing, string created);

    /// <summary>statx(2). Linux only, with the same layout on all processors. Returns 0, or -1 with errno.</summary>
    [LibraryImport("libc", EntryPoint = "statx", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    public static partial int Statx(int folder, string path, int flags, uint mask, out FileStatus status);

    /// <summary>statx(2) of an open file.</summary>
    [LibraryImport("libc", EntryPoint = "statx", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    public static partial int Statx(SafeFileHandle file, string path, int flags, uint mask, out FileStatus status);

    /// <summary>SYNC_FILE_RANGE_WRITE (linux/fs.h): starts writing to disk and does not wait.</summary>
    public const uint BeginWriting = 2;

    /// <summary>sync_file_range(2). Linux only. Returns 0, or -1 with errno.</summary>
    [LibraryImport("libc", EntryPoint = "sync_file_range", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    public static partial int SyncFileRange(SafeFileHandle file, long offset, long length, uint flags);

    /// <summary>struct statx (linux/stat.h), 256 bytes, of which two fields are used.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 256)]
    public struct FileStatus
    {
        [FieldOffset(16)]
        public uint Links;

        [FieldOffset(32)]
        public ulong Number;
    }
}
