using CimConvert.Interop;
using Microsoft.Win32.SafeHandles;

namespace CimConvert.Storage;

/// <summary>Open files and their names.</summary>
internal static class OpenFile
{
    /// <summary>
    /// Whether a name, on the same file system, still is that of an open file, and not of another that has come in its place. Only
    /// Linux says; elsewhere, that there is a file of the name has to do.
    /// </summary>
    public static bool IsStillAt(SafeFileHandle file, string path) => OperatingSystem.IsLinux()
        ? Libc.Statx(file, string.Empty, Libc.EmptyPath, Libc.FileNumber, out var opened) == 0
            && Libc.Statx(Libc.CurrentDirectory, path, flags: 0, Libc.FileNumber, out var named) == 0
            && opened.Number == named.Number
        : File.Exists(path);
}
