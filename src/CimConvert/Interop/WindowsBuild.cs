using System.Runtime.Versioning;

namespace CimConvert.Interop;

/// <summary>The build of Windows this runs on, and what each build brought to CimFS (shared reference, cimfs-api.md).</summary>
internal static class WindowsBuild
{
    /// <summary>Block and merged CIMs.</summary>
    public const int BlockImages = 27766;

    /// <summary>Verified ones, which are sealed.</summary>
    public const int VerifiedImages = 27800;

    /// <summary>CIMs of several files: builds from 25H1 on, and Server 2022 from a revision on.</summary>
    public const int FileImages = 26100;

    public const int Server2022 = 20348;
    public const int Server2022Revision = 2031;

    private const string VersionKey = @"HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\Windows NT\CurrentVersion";
    private const string RevisionValue = "UBR";

    public static int Build => Environment.OSVersion.Version.Build;

    /// <summary>The number after the build, which only the registry has.</summary>
    [SupportedOSPlatform("windows")]
    public static int Revision => Microsoft.Win32.Registry.GetValue(VersionKey, RevisionValue, 0) is int revision ? revision : 0;

    [SupportedOSPlatform("windows")]
    public static bool HasFileImages => Build >= FileImages || (Build == Server2022 && Revision >= Server2022Revision);
}
