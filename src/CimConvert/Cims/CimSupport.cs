using System.Diagnostics.CodeAnalysis;
using CimConvert.Interop;

namespace CimConvert.Cims;

/// <summary>
/// What this machine can do with CIMs through Windows' own libraries, and why it cannot do the rest (hcsshim: <c>cimfs.Is…Supported</c>).
/// </summary>
public static class CimSupport
{
    /// <summary>Whether Windows' own writer can write block CIMs here (hcsshim: <c>IsBlockCimWriteSupported</c>).</summary>
    /// <param name="reason">Why not, in one line.</param>
    public static bool CanWriteBlockCims([NotNullWhen(false)] out string? reason) => CanWriteBlock(verified: false, out reason);

    /// <summary>Whether Windows' own writer can write sealed block CIMs here (hcsshim: <c>IsVerifiedCimWriteSupported</c>).</summary>
    /// <param name="reason">Why not, in one line.</param>
    public static bool CanWriteVerifiedCims([NotNullWhen(false)] out string? reason) => CanWriteBlock(verified: true, out reason);

    /// <summary>Whether Windows' own writer can write standard CIMs here, forked ones included (hcsshim: <c>IsCimFSSupported</c>).</summary>
    /// <param name="reason">Why not, in one line.</param>
    public static bool CanWriteForkedCims([NotNullWhen(false)] out string? reason) => CanWrite(CheckStandardCims(), out reason);

    /// <summary>Whether block CIMs, merged ones included, can be mounted here (hcsshim: <c>IsBlockCimMountSupported</c>, <c>IsMergedCimMountSupported</c>).</summary>
    /// <param name="reason">Why not, in one line.</param>
    public static bool CanMountBlockCims([NotNullWhen(false)] out string? reason) => CanMount(isBlock: true, verified: false, out reason);

    /// <summary>
    /// Whether sealed block CIMs can be mounted here with every read verified (hcsshim: <c>IsVerifiedCimMountSupported</c>).
    /// </summary>
    /// <param name="reason">Why not, in one line.</param>
    public static bool CanMountVerifiedCims([NotNullWhen(false)] out string? reason) => CanMount(isBlock: true, verified: true, out reason);

    /// <summary>Whether standard CIMs can be mounted here.</summary>
    /// <param name="reason">Why not, in one line.</param>
    public static bool CanMountForkedCims([NotNullWhen(false)] out string? reason) => CanMount(isBlock: false, verified: false, out reason);

    internal static bool CanWriteBlock(bool verified, [NotNullWhen(false)] out string? reason) => CanWrite(CheckBlockCims(verified), out reason);

    internal static bool CanMount(bool isBlock, bool verified, [NotNullWhen(false)] out string? reason)
    {
        reason = !OperatingSystem.IsWindows() ? "only Windows mounts CIMs, and this is not Windows"
            : NativeLibraries.PathOf(CimFsMounting.Library) is null ? $"{CimFsMounting.Library} is not in this machine's System32"
            : isBlock ? CheckBlockCims(verified)
            : CheckStandardCims();
        return reason is null;
    }

    /// <param name="tooOld">
    /// Why this version of Windows cannot, if it cannot. It does not matter where cimwriter.dll is present: that is a writer for any
    /// version.
    /// </param>
    /// <param name="reason">Why not, in one line.</param>
    private static bool CanWrite(string? tooOld, [NotNullWhen(false)] out string? reason)
    {
        reason = !OperatingSystem.IsWindows() ? "only Windows has it, and this is not Windows"
            : NativeLibraries.PathOf(CimFsWriting.Library) is not { } path
                ? $"neither {CimFsWriting.Library} (in System32 or beside the program) nor {CimFsMounting.Library} (in System32) is on this machine"
            : Path.GetFileName(path) == CimFsWriting.Library ? null
            : tooOld;
        return reason is null;
    }

    private static string? CheckStandardCims() => OperatingSystem.IsWindows() && WindowsBuild.HasStandardCims
        ? null
        : $"this is Windows build {WindowsBuild.Build}: CIMs need Server 2022 of revision {WindowsBuild.Server2022Revision}, or build {WindowsBuild.StandardCims}";

    private static string? CheckBlockCims(bool verified)
    {
        var needed = verified ? WindowsBuild.VerifiedCims : WindowsBuild.BlockCims;
        return WindowsBuild.Build >= needed
            ? null
            : $"this is Windows build {WindowsBuild.Build}: {(verified ? "verified" : "block")} CIMs came with build {needed}";
    }
}
