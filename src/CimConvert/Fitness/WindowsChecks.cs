using System.Diagnostics;
using CimConvert.Cims;
using CimConvert.Containerd;
using CimConvert.Interop;

namespace CimConvert.Fitness;

/// <summary>Whether this Windows mounts and writes what the snapshotter holds.</summary>
internal static class WindowsChecks
{
    private const string Elsewhere = "this is not Windows";

    public static FitnessCheck OfThisMachine(string snapshotter) => OperatingSystem.IsWindows()
        ? OfBuild(snapshotter, WindowsBuild.Build, WindowsBuild.Revision)
        : FitnessCheck.Unknown(CheckNames.Windows, $"{Elsewhere}: which build mounts what {snapshotter} holds was not checked");

    /// <summary>The rule alone.</summary>
    public static FitnessCheck OfBuild(string snapshotter, int build, int revision)
    {
        var here = $"this is Windows build {build}.{revision}";
        if (snapshotter == SnapshotterChoice.CimFs)
        {
            return WindowsBuild.HasStandardCimsIn(build, revision)
                ? FitnessCheck.Ok(CheckNames.Windows, $"{here}, which mounts what {snapshotter} holds")
                : FitnessCheck.Failed(
                    CheckNames.Windows,
                    $"{here}: {snapshotter} needs Server 2022 of revision {WindowsBuild.Server2022Revision}, or build {WindowsBuild.StandardCims}; install its updates");
        }

        return build >= WindowsBuild.VerifiedCims ? FitnessCheck.Ok(CheckNames.Windows, $"{here}, which mounts what {snapshotter} holds, sealed or not")
            : build >= WindowsBuild.BlockCims
                ? FitnessCheck.Ok(CheckNames.Windows, $"{here}, which mounts what {snapshotter} holds if it is not sealed: that came with build {WindowsBuild.VerifiedCims}")
            : FitnessCheck.Failed(
                CheckNames.Windows, $"{here}: {snapshotter} needs build {WindowsBuild.BlockCims}; use the snapshotter {SnapshotterChoice.CimFs} on this one");
    }

    /// <summary>Only what Windows' own writer wrote is known to mount.</summary>
    public static FitnessCheck OfWriter(string snapshotter)
    {
        if (!OperatingSystem.IsWindows())
        {
            return FitnessCheck.Unknown(CheckNames.Writer, $"{Elsewhere}, and only Windows has a writer whose CIMs are known to mount");
        }

        try
        {
            var canWrite = snapshotter == SnapshotterChoice.CimFs ? CimSupport.CanWriteForkedCims(out var reason) : CimSupport.CanWriteBlockCims(out reason);
            var path = NativeLibraries.PathOf(CimFsWriting.Library);
            return canWrite && path is not null
                ? FitnessCheck.Ok(CheckNames.Writer, $"{path}, version {FileVersionInfo.GetVersionInfo(path).FileVersion ?? "not stated"}")
                : FitnessCheck.Failed(CheckNames.Writer, $"Windows' own writer cannot be used: {reason}");
        }
        catch (ConversionException e)
        {
            return FitnessCheck.Failed(CheckNames.Writer, e.Message);
        }
    }
}
