using System.Runtime.InteropServices;

namespace Converter.Core.Native;

/// <summary>kernel32.dll.</summary>
internal static partial class Kernel32
{
    /// <summary>CreateHardLinkW: another name for a file on the same volume.</summary>
    [LibraryImport("kernel32.dll", EntryPoint = "CreateHardLinkW", SetLastError = true, StringMarshalling = StringMarshalling.Utf16)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    [return: MarshalAs(UnmanagedType.Bool)]
    public static partial bool CreateHardLink(string created, string existing, nint securityAttributes);
}
