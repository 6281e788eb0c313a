using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace CimConvert.Interop;

/// <summary>kernel32.dll.</summary>
internal static partial class Kernel32
{
    /// <summary>CreateHardLinkW: adds a name for a file on the same volume.</summary>
    [LibraryImport("kernel32.dll", EntryPoint = "CreateHardLinkW", SetLastError = true, StringMarshalling = StringMarshalling.Utf16)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    [return: MarshalAs(UnmanagedType.Bool)]
    public static partial bool CreateHardLink(string created, string existing, nint securityAttributes);

    /// <summary>GetFileInformationByHandle.</summary>
    [LibraryImport("kernel32.dll", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    [return: MarshalAs(UnmanagedType.Bool)]
    public static partial bool GetFileInformationByHandle(SafeFileHandle file, out FileInformation information);

    /// <summary>BY_HANDLE_FILE_INFORMATION (Windows SDK, fileapi.h), 13 DWORDs, of which one is used.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 52)]
    public struct FileInformation
    {
        [FieldOffset(40)]
        public uint NumberOfLinks;
    }
}
