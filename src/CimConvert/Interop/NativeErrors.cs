using System.ComponentModel;

namespace CimConvert.Interop;

/// <summary>Turns HRESULTs and Win32 error codes into exceptions with messages.</summary>
internal static class NativeErrors
{
    /// <summary>ERROR_BADDB: the file is not a registry hive, or is damaged.</summary>
    public const int BadDatabase = 1009;

    /// <summary>ERROR_NOT_REGISTRY_FILE.</summary>
    public const int NotRegistryFile = 1017;

    private const int FileNotFound = 2;
    private const int PathNotFound = 3;

    /// <summary>The high half of an HRESULT with a Win32 error in its low half (Windows SDK, winerror.h, HRESULT_FROM_WIN32).</summary>
    private const uint Win32Facility = 0x8007_0000;

    /// <summary>
    /// Messages for the Win32 errors that CIM files, hive files and services cause. Other errors get the system's message, which exists on Windows
    /// only and is in the system's language.
    /// </summary>
    private static readonly Dictionary<int, string> s_win32 = new()
    {
        [FileNotFound] = "the file is not there",
        [PathNotFound] = "the folder is not there",
        [5] = "access is denied: run as administrator, and look at the folder's permissions",
        [8] = "the system is out of memory",
        [14] = "the system is out of memory",
        [19] = "the disk is write-protected",
        [23] = "the disk reports a data error",
        [32] = "another process is using it",
        [39] = "the disk is full",
        [50] = "this version of Windows does not support it",
        [80] = "it exists already",
        [87] = "a parameter is invalid, or this version of Windows does not know it",
        [112] = "the disk is full",
        [120] = "this version of Windows does not have the function",
        [123] = "Windows does not allow the name",
        [183] = "it exists already",
        [206] = "the name is too long",
        [BadDatabase] = "the registry hive is damaged",
        [NotRegistryFile] = "it is not a registry hive",
        [1060] = "there is no service of that name",
        [1072] = "the service is being removed",
        [1073] = "there is a service of that name already",
        [1117] = "the disk reports an I/O error",
        [1168] = "it has no entry of that name",
        [1314] = "a privilege is missing: run as administrator",
        [1392] = "the file is damaged",
    };

    public static void ThrowIfFailed(int result, string call, string path)
    {
        if (result < 0)
        {
            throw new NativeException(call, path, result);
        }
    }

    /// <summary>For functions that return a Win32 error code, 0 for success.</summary>
    public static void ThrowIfWin32(int error, string call, string path)
    {
        if (error != 0)
        {
            throw new NativeException(call, path, FromWin32(error));
        }
    }

    /// <summary>Whether a call failed because the file or its folder does not exist.</summary>
    public static bool IsNotFound(int result) => result == FromWin32(FileNotFound) || result == FromWin32(PathNotFound);

    public static int FromWin32(int error) => unchecked((int)(Win32Facility | (uint)error));

    public static string Meaning(int code) =>
        (unchecked((uint)code) & 0xFFFF_0000) == Win32Facility && s_win32.TryGetValue(code & 0xFFFF, out var words) ? words
        : OperatingSystem.IsWindows() ? new Win32Exception(code).Message.ReplaceLineEndings(" ").Trim()
        : "a Windows error";
}
