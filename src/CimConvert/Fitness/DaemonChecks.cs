using CimConvert.Containerd;

namespace CimConvert.Fitness;

/// <summary>The daemon and its plugins.</summary>
internal static class DaemonChecks
{
    /// <param name="address">Where the daemon answered.</param>
    /// <param name="version">Its version, which is not too old for this program.</param>
    /// <param name="snapshotter">The snapshotter that is asked for.</param>
    public static FitnessCheck OfVersion(ContainerdAddress address, string version, string snapshotter)
    {
        var here = $"version {version} at {address}";

        // github.com/containerd/containerd, releases/v2.0.0.toml and the plugins/snapshots/windows folder of each release.
        return DaemonVersion.TryRead(version) is not { } numbers
            ? FitnessCheck.Ok(CheckNames.Containerd, $"{here}, which says nothing of its age")
            : numbers.CompareTo((2, 0)) < 0
                ? FitnessCheck.Warning(CheckNames.Containerd, $"{here}: it has {snapshotter} only as a plugin of others; {SnapshotterChoice.CimFs} came with version 2.0")
            : snapshotter == SnapshotterChoice.BlockCim && numbers.CompareTo((2, 2)) < 0
                ? FitnessCheck.Warning(CheckNames.Containerd, $"{here}: it has {snapshotter} only as a plugin of others, which came with version 2.2")
            : FitnessCheck.Ok(CheckNames.Containerd, here);
    }

    public static FitnessCheck OfSnapshotter(DaemonFacts daemon) => FitnessCheck.Ok(CheckNames.Snapshotter, $"{daemon.Snapshotter} is loaded");

    public static FitnessCheck OfDiffer(DaemonFacts daemon) => daemon.SuitableDiffers is [var best, ..]
        ? FitnessCheck.Ok(CheckNames.Differ, $"{Printable.Of(best)} is loaded")
        : FitnessCheck.Failed(
            CheckNames.Differ,
            $"no differ that unpacks for {daemon.Snapshotter} is loaded{Reason(daemon)}: images that are not prewarmed cannot be pulled; loaded are {Names(daemon.LoadedDiffers)}");

    public static FitnessCheck OfDisk(DaemonFacts daemon)
    {
        var folder = daemon.Plugins.FirstOrDefault(plugin => plugin.Type == ContainerdPlugin.SnapshotterType && plugin.Id == daemon.Snapshotter)?.Root
            ?? (daemon.Cri is { ImageFolders: [var only] } && daemon.Cri.Snapshotter == daemon.Snapshotter ? only : null);
        return DiskCheck.Of(folder);
    }

    public static string Names(IReadOnlyList<string> names) => names.Count == 0 ? "none" : Printable.Of(string.Join(", ", names));

    private static string Reason(DaemonFacts daemon) =>
        daemon.Plugins.FirstOrDefault(plugin => plugin.Type == ContainerdPlugin.DifferType && plugin.Id == daemon.Snapshotter)?.InitError is { } error
            ? $" ({error})"
            : string.Empty;
}
