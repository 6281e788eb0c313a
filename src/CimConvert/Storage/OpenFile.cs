using CimConvert.Interop;
using Microsoft.Win32.SafeHandles;

namespace CimConvert.Storage;

/// <summary>What .NET does not offer for open files and folders.</summary>
internal static class OpenFile
{
    /// <summary>
    /// Whether a name on the same file system still refers to an open file, and not to another file created since. Only Linux tells;
    /// elsewhere it is enough that a file of that name exists.
    /// </summary>
    public static bool IsStillAt(SafeFileHandle file, string path) => OperatingSystem.IsLinux()
        ? Libc.Statx(file, string.Empty, Libc.EmptyPath, Libc.FileNumber, out var opened) == 0
            && Libc.Statx(Libc.CurrentDirectory, path, flags: 0, Libc.FileNumber, out var named) == 0
            && opened.Number == named.Number
        : File.Exists(path);

    /// <summary>
    /// Flushes a folder's entries to the disk: on Linux, a rename is durable only after that (fsync(2)). On other systems nothing is
    /// done. File systems that cannot flush a folder are used all the same.
    /// </summary>
    public static void FlushFolder(string folder)
    {
        if (!OperatingSystem.IsLinux())
        {
            return;
        }

        using var handle = Libc.Open(folder, Libc.CloseOnExecute);
        if (!handle.IsInvalid)
        {
            _ = Libc.Fsync(handle);
        }
    }
}
