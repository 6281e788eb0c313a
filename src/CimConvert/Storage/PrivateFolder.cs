using System.Runtime.Versioning;
using System.Security.AccessControl;
using System.Security.Principal;

namespace CimConvert.Storage;

/// <summary>
/// A folder that a run with many rights keeps files in and deletes them from. Users with fewer rights must not lead it elsewhere.
/// </summary>
internal static class PrivateFolder
{
    /// <summary>
    /// Creates the folder if it is missing. On Windows it is then for SYSTEM, administrators and this user alone: below
    /// <c>C:\ProgramData</c> everybody may create files.
    /// </summary>
    /// <exception cref="ConversionException">It is a link, or on Windows somebody else's.</exception>
    public static void Open(string path)
    {
        RequireNoLink(path);
        if (OperatingSystem.IsWindows())
        {
            OpenOnWindows(path);
        }
        else
        {
            Directory.CreateDirectory(path);
        }
    }

    /// <exception cref="ConversionException">The folder is a link or junction. One that is missing is neither.</exception>
    public static void RequireNoLink(string path)
    {
        if (new DirectoryInfo(path).LinkTarget is { } target)
        {
            throw new ConversionException(
                $"'{path}' leads to '{target}', and could lead a run with many rights to delete files anywhere: name the folder itself, or remove the link");
        }
    }

    [SupportedOSPlatform("windows")]
    private static void OpenOnWindows(string path)
    {
        using var user = WindowsIdentity.GetCurrent();
        SecurityIdentifier[] owners =
        [
            new(WellKnownSidType.LocalSystemSid, domainSid: null), new(WellKnownSidType.BuiltinAdministratorsSid, domainSid: null), user.User!,
        ];
        var folder = new DirectoryInfo(path);
        if (!folder.Exists)
        {
            var security = new DirectorySecurity();
            security.SetAccessRuleProtection(isProtected: true, preserveInheritance: false);
            foreach (var owner in owners)
            {
                security.AddAccessRule(new FileSystemAccessRule(
                    owner, FileSystemRights.FullControl, InheritanceFlags.ContainerInherit | InheritanceFlags.ObjectInherit, PropagationFlags.None, AccessControlType.Allow));
            }

            folder.Create(security);
        }

        // Whoever made it first can replace what is in it at any time.
        var actual = folder.GetAccessControl(AccessControlSections.Owner).GetOwner(typeof(SecurityIdentifier));
        if (!owners.Contains(actual))
        {
            throw new ConversionException($"'{path}' belongs to {actual}, who could lead a run with many rights to delete files anywhere: use a folder of this user or of administrators");
        }
    }
}
