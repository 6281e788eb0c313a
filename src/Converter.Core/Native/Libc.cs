using System.Runtime.InteropServices;

namespace Converter.Core.Native;

/// <summary>The C library of Unix systems.</summary>
internal static partial class Libc
{
    /// <summary>link(2): another name for a file; 0, or -1 with errno.</summary>
    [LibraryImport("libc", EntryPoint = "link", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    public static partial int Link(string existing, string created);
}
