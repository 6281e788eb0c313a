using System.IO.Pipes;
using System.Runtime.Versioning;
using System.Security.AccessControl;
using System.Security.Principal;
using Microsoft.AspNetCore.Server.Kestrel.Transport.NamedPipes;

namespace CimConvert.Cli.Differ;

/// <summary>The named pipe of a differ: for containerd, which runs as SYSTEM, and for administrators.</summary>
[SupportedOSPlatform("windows")]
internal static class DifferPipe
{
    public static void Secure(NamedPipeTransportOptions options)
    {
        var security = new PipeSecurity();
        foreach (var kind in (WellKnownSidType[])[WellKnownSidType.LocalSystemSid, WellKnownSidType.BuiltinAdministratorsSid])
        {
            security.AddAccessRule(new PipeAccessRule(new SecurityIdentifier(kind, domainSid: null), PipeAccessRights.FullControl, AccessControlType.Allow));
        }

        options.CurrentUserOnly = false;
        options.PipeSecurity = security;
    }
}
