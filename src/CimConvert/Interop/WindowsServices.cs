using System.Runtime.InteropServices;
using System.Text;

namespace CimConvert.Interop;

/// <summary>Makes and removes Windows services.</summary>
internal static class WindowsServices
{
    private const int NotActive = 1062;
    private const uint RestartMilliseconds = 5_000;
    private const uint ResetSeconds = 24 * 60 * 60;

    /// <summary>Makes a service that starts with the system, and again when it fails. It is not started now.</summary>
    /// <param name="name">The service.</param>
    /// <param name="displayName">What administrators see.</param>
    /// <param name="commandLine">The program's full path, and its arguments.</param>
    /// <exception cref="NativeException">There is one of that name, or this user has no right to make one.</exception>
    public static void Install(string name, string displayName, IEnumerable<string> commandLine)
    {
        using var manager = Open(ServiceControl.ManagerConnect | ServiceControl.ManagerCreate, name);
        using var service = Checked(
            ServiceControl.CreateService(
                manager,
                name,
                displayName,
                ServiceControl.ServiceChange | ServiceControl.ServiceStart,
                ServiceControl.OwnProcess,
                ServiceControl.AutoStart,
                ServiceControl.ErrorNormal,
                string.Join(' ', commandLine.Select(Quote)),
                group: null,
                tag: 0,
                dependencies: null,
                account: null,
                password: null),
            "CreateService",
            name);
        RestartOnFailure(service, name);
    }

    /// <summary>Stops a service, if it runs, and removes it.</summary>
    /// <exception cref="NativeException">There is none of that name, or this user has no right to remove it.</exception>
    public static void Uninstall(string name)
    {
        using var manager = Open(ServiceControl.ManagerConnect, name);
        using var service = Checked(
            ServiceControl.OpenService(manager, name, ServiceControl.ServiceStop | ServiceControl.ServiceDelete), "OpenService", name);
        if (!ServiceControl.Control(service, ServiceControl.ControlStop, out _) && Marshal.GetLastPInvokeError() is var error and not NotActive)
        {
            NativeErrors.ThrowIfWin32(error, "ControlService", name);
        }

        Check(ServiceControl.Delete(service), "DeleteService", name);
    }

    /// <summary>As a program's arguments are read from its command line (learn.microsoft.com/cpp/c-language/parsing-c-command-line-arguments).</summary>
    internal static string Quote(string argument)
    {
        if (argument.Length > 0 && !argument.Any(c => c is ' ' or '\t' or '"'))
        {
            return argument;
        }

        var quoted = new StringBuilder("\"");
        var backslashes = 0;
        foreach (var c in argument)
        {
            // Backslashes stand for themselves, unless a quotation mark follows.
            quoted.Append('\\', c == '"' ? backslashes + 1 : 0).Append(c);
            backslashes = c == '\\' ? backslashes + 1 : 0;
        }

        return quoted.Append('\\', backslashes).Append('"').ToString();
    }

    private static unsafe void RestartOnFailure(ServiceHandle service, string name)
    {
        var restart = new ServiceControl.FailureAction { Type = ServiceControl.ActionRestart, DelayMilliseconds = RestartMilliseconds };
        var actions = new ServiceControl.FailureActions { ResetSeconds = ResetSeconds, Count = 1, Actions = (nint)(&restart) };
        Check(ServiceControl.ChangeConfig(service, ServiceControl.ConfigFailureActions, (nint)(&actions)), "ChangeServiceConfig2", name);
    }

    private static ServiceHandle Open(uint access, string name) =>
        Checked(ServiceControl.OpenManager(machine: null, database: null, access), "OpenSCManager", name);

    private static ServiceHandle Checked(ServiceHandle handle, string call, string name)
    {
        Check(!handle.IsInvalid, call, name);
        return handle;
    }

    private static void Check(bool isDone, string call, string name)
    {
        if (!isDone)
        {
            NativeErrors.ThrowIfWin32(Marshal.GetLastPInvokeError(), call, name);
        }
    }
}
