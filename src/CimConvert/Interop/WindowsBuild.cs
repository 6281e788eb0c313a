using System.Runtime.Versioning;

namespace CimConvert.Interop;

/// <summary>The build of Windows that this runs on, and the builds that added CIM features (docs/cimfs-api.md).</summary>
internal static class WindowsBuild
{
    /// <summary>The first build with block and merged CIMs.</summary>
    public const int BlockCims = 27766;

    /// <summary>The first build with verified CIMs, which are sealed.</summary>
    public const int VerifiedCims = 27800;

    /// <summary>
    /// The first build with standard CIMs, which are sets of files: V25H1Server of hcsshim's osversion (Windows Server 2025). Server 2022
    /// has them from revision 2031 on.
    /// </summary>
    public const int StandardCims = 26100;

    public const int Server2022 = 20348;
    public const int Server2022Revision = 2031;

    private const string VersionKey = @"HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\Windows NT\CurrentVersion";
    private const string RevisionValue = "UBR";

    public static int Build => Environment.OSVersion.Version.Build;

    /// <summary>The number after the build, which is only in the registry.</summary>
    [SupportedOSPlatform("windows")]
    public static int Revision => Microsoft.Win32.Registry.GetValue(VersionKey, RevisionValue, 0) is int revision ? revision : 0;

    /// <summary>Major, minor, build and revision, as an image's <c>os.version</c> has them: <c>10.0.20348.2031</c>.</summary>
    [SupportedOSPlatform("windows")]
    public static string FullVersion => $"{Environment.OSVersion.Version.ToString(2)}.{Build}.{Revision}";

    [SupportedOSPlatform("windows")]
    public static bool HasStandardCims => HasStandardCimsIn(Build, Revision);

    /// <summary>Whether a Windows of this version has standard CIMs.</summary>
    public static bool HasStandardCimsIn(int build, int revision) => build >= StandardCims || (build == Server2022 && revision >= Server2022Revision);
}
