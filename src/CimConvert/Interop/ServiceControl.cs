using System.Runtime.InteropServices;

namespace CimConvert.Interop;

/// <summary>The service control manager, in advapi32.dll (Windows SDK, winsvc.h).</summary>
internal static partial class ServiceControl
{
    public const uint ManagerConnect = 0x1;
    public const uint ManagerCreate = 0x2;

    public const uint ServiceChange = 0x2;

    /// <summary>Needed to let the system start the service again when it fails.</summary>
    public const uint ServiceStart = 0x10;

    public const uint ServiceStop = 0x20;
    public const uint ServiceDelete = 0x1_0000;

    public const uint OwnProcess = 0x10;
    public const uint AutoStart = 2;
    public const uint ErrorNormal = 1;

    public const uint ConfigFailureActions = 2;

    public const uint ControlStop = 1;

    public const int ActionRestart = 1;

    private const string Library = "advapi32.dll";

    [LibraryImport(Library, EntryPoint = "OpenSCManagerW", SetLastError = true, StringMarshalling = StringMarshalling.Utf16)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    public static partial ServiceHandle OpenManager(string? machine, string? database, uint access);

    [LibraryImport(Library, EntryPoint = "CreateServiceW", SetLastError = true, StringMarshalling = StringMarshalling.Utf16)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    public static partial ServiceHandle CreateService(
        ServiceHandle manager,
        string name,
        string displayName,
        uint access,
        uint type,
        uint start,
        uint errorControl,
        string commandLine,
        string? group,
        nint tag,
        string? dependencies,
        string? account,
        string? password);

    [LibraryImport(Library, EntryPoint = "OpenServiceW", SetLastError = true, StringMarshalling = StringMarshalling.Utf16)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    public static partial ServiceHandle OpenService(ServiceHandle manager, string name, uint access);

    [LibraryImport(Library, EntryPoint = "ChangeServiceConfig2W", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    [return: MarshalAs(UnmanagedType.Bool)]
    public static partial bool ChangeConfig(ServiceHandle service, uint what, nint value);

    [LibraryImport(Library, EntryPoint = "ControlService", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    [return: MarshalAs(UnmanagedType.Bool)]
    public static partial bool Control(ServiceHandle service, uint control, out ServiceStatus status);

    [LibraryImport(Library, EntryPoint = "DeleteService", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    [return: MarshalAs(UnmanagedType.Bool)]
    public static partial bool Delete(ServiceHandle service);

    [LibraryImport(Library, EntryPoint = "CloseServiceHandle", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    [return: MarshalAs(UnmanagedType.Bool)]
    public static partial bool Close(nint handle);

    /// <summary>SERVICE_STATUS: seven DWORDs, of which none is used.</summary>
    [StructLayout(LayoutKind.Sequential, Size = 28)]
    public readonly struct ServiceStatus;

    /// <summary>SC_ACTION.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct FailureAction
    {
        public int Type;
        public uint DelayMilliseconds;
    }

    /// <summary>SERVICE_FAILURE_ACTIONSW.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct FailureActions
    {
        public uint ResetSeconds;
        public nint RebootMessage;
        public nint Command;
        public uint Count;
        public nint Actions;
    }
}

/// <summary>The service control manager, or a service.</summary>
internal sealed class ServiceHandle() : SafeHandle(0, ownsHandle: true)
{
    public override bool IsInvalid => handle == 0;

    protected override bool ReleaseHandle() => ServiceControl.Close(handle);
}
