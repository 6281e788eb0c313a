using CimConvert.Containerd;
using CimConvert.Oci;

namespace CimConvert.Fitness;

/// <summary>
/// What a node has to be configured with to use the snapshotter (https://github.com/containerd/containerd/issues/13782). No line is told
/// that names a plugin which is not loaded: the daemon would not start with it.
/// </summary>
internal static class ConfigurationChecks
{
    private const string OldFile = "is of version 1, which is not read here: 'containerd config migrate' makes a newer one of it";

    /// <summary>The first containerd whose CRI pulls through the transfer service.</summary>
    private static readonly (int Major, int Minor) s_transferPulls = (2, 1);

    public static FitnessCheck OfCriSnapshotter(DaemonFacts daemon)
    {
        const string name = CheckNames.CriSnapshotter;
        if (daemon.Cri is not { } cri)
        {
            return FitnessCheck.Failed(name, daemon.CriProblem ?? "containerd has no CRI plugin loaded, which kubelet needs; look into its log, and at disabled_plugins");
        }

        if (cri.Snapshotter is null)
        {
            return FitnessCheck.Unknown(name, "CRI does not say which snapshotter it uses");
        }

        var user = cri.Runtime is null ? "pods" : $"pods of the runtime {Printable.Of(cri.Runtime)}";
        return cri.Snapshotter == daemon.Snapshotter
            ? FitnessCheck.Ok(name, $"{user} use {daemon.Snapshotter}")
            : FitnessCheck.Failed(name, $"{user} use {Printable.Of(cri.Snapshotter)}, and find nothing of what is prewarmed into {daemon.Snapshotter}") with
            {
                Configuration = cri.Runtime is null
                    ? daemon.Lines.CriSnapshotter(daemon.Snapshotter)
                    : daemon.Lines.RuntimeSnapshotter(cri.Runtime, daemon.Snapshotter),
            };
    }

    /// <param name="daemon">The daemon.</param>
    /// <param name="volumes">The volumes of the image that is checked; null if none is.</param>
    public static FitnessCheck OfImageVolumes(DaemonFacts daemon, IReadOnlyList<string>? volumes)
    {
        const string name = CheckNames.ImageVolumes;
        switch (daemon.Cri?.IgnoresImageVolumes)
        {
            case null:
                return FitnessCheck.Unknown(name, "CRI does not say whether it ignores volumes that images define");
            case true:
                return FitnessCheck.Ok(name, "CRI ignores volumes that images define");
        }

        var configuration = daemon.Lines.IgnoreImageVolumes();
        return volumes switch
        {
            null => FitnessCheck.Warning(name, $"containers of images with a VOLUME do not start: CRI cannot copy it out of {daemon.Snapshotter}") with
            {
                Configuration = configuration,
            },
            [] => FitnessCheck.Ok(name, "the image defines no volumes"),
            _ => FitnessCheck.Failed(
                name, $"the image defines the volumes {DaemonChecks.Names(volumes)}: its containers do not start, CRI cannot copy them out of {daemon.Snapshotter}") with
            {
                Configuration = configuration,
            },
        };
    }

    public static FitnessCheck OfUnpackConfig(DaemonFacts daemon)
    {
        const string name = CheckNames.UnpackConfig;
        if (daemon.IsBefore(s_transferPulls.Major, s_transferPulls.Minor))
        {
            return FitnessCheck.Ok(name, "not used: CRI pulls through the transfer service since containerd 2.1");
        }

        if (Unreadable(name, daemon) is { } unreadable)
        {
            return unreadable;
        }

        var file = daemon.File!;
        if (file.PullsLocally)
        {
            return FitnessCheck.Ok(name, "not used: CRI is told to pull by itself (use_local_image_pull)");
        }

        var entries = file.UnpackEntries ?? [];
        if (entries.FirstOrDefault(each => each.Differ is { } listed && !daemon.LoadedDiffers.Contains(listed)) is { } stray)
        {
            return FitnessCheck.Failed(name, $"it names the differ {Printable.Of(stray.Differ!)}, which is not loaded: the daemon does not start with it") with
            {
                Configuration = IsFor(stray, daemon) ? Lines(daemon, replaces: true) : [],
            };
        }

        var best = daemon.SuitableDiffers is [var first, ..] ? first : null;
        return entries.FirstOrDefault(each => IsFor(each, daemon)) switch
        {
            null => FitnessCheck.Failed(name, $"no entry of {Printable.Of(file.Path)} is for {daemon.Platform} and {daemon.Snapshotter}: CRI cannot pull") with
            {
                Configuration = Lines(daemon, replaces: false),
            },
            { Differ: { } differ } when daemon.SuitableDiffers.Contains(differ) =>
                FitnessCheck.Ok(name, $"{Printable.Of(differ)} unpacks for {daemon.Snapshotter}"),
            _ when best is null => FitnessCheck.Unknown(name, $"there is an entry for {daemon.Snapshotter}, and no differ for it"),
            { Differ: var differ } => FitnessCheck.Failed(
                name, $"{(differ is null ? "the entry names no differ, so that it may be any" : $"{Printable.Of(differ)} cannot unpack")} for {daemon.Snapshotter}") with
            {
                Configuration = Lines(daemon, replaces: true),
            },
        };
    }

    public static FitnessCheck OfDiffService(DaemonFacts daemon)
    {
        const string name = CheckNames.DiffService;
        if (Unreadable(name, daemon) is { } unreadable)
        {
            return unreadable;
        }

        var order = daemon.File!.DifferOrder;
        string[] loaded = [.. (order ?? DefaultOrder(daemon)).Where(daemon.LoadedDiffers.Contains)];
        var suitable = daemon.SuitableDiffers;
        var configuration = suitable is [var best, ..] ? daemon.Lines.DifferOrder([best, .. loaded.Where(each => each != best)]) : [];
        if (order?.FirstOrDefault(each => !daemon.LoadedDiffers.Contains(each)) is { } missing)
        {
            return FitnessCheck.Failed(name, $"its default lists {Printable.Of(missing)}, which is not loaded: the daemon does not start with it") with
            {
                Configuration = configuration.Count > 0 || loaded.Length == 0 ? configuration : daemon.Lines.DifferOrder(loaded),
            };
        }

        return suitable.Count == 0 ? FitnessCheck.Unknown(name, $"no differ for {daemon.Snapshotter} is loaded that its default could list")
            : loaded is [var front, ..] && suitable.Contains(front) ? FitnessCheck.Ok(name, $"{Printable.Of(front)} is tried first")
            : loaded.Any(suitable.Contains)
                ? FitnessCheck.Warning(name, $"{Printable.Of(loaded[0])} is tried before {Printable.Of(loaded.First(suitable.Contains))}") with { Configuration = configuration }
            : FitnessCheck.Failed(name, $"its default lists no differ for {daemon.Snapshotter}, only {DaemonChecks.Names(loaded)}") with { Configuration = configuration };
    }

    /// <summary>What the file says cannot be known where it cannot be read.</summary>
    private static FitnessCheck? Unreadable(string name, DaemonFacts daemon) =>
        daemon.File is not { } file ? FitnessCheck.Unknown(name, daemon.FileProblem ?? "the daemon's file was not read")
        : file is { IsThere: true, Version: DaemonConfiguration.OldestVersion } ? FitnessCheck.Unknown(name, $"{Printable.Of(file.Path)} {OldFile}")
        : null;

    private static IReadOnlyList<string> Lines(DaemonFacts daemon, bool replaces) => daemon.Lines.UnpackEntry(
        $"{daemon.Platform.Os}/{daemon.Platform.Architecture}", daemon.Snapshotter, daemon.SuitableDiffers.Count > 0 ? daemon.SuitableDiffers[0] : null, replaces);

    private static bool IsFor(UnpackEntry entry, DaemonFacts daemon) => entry.Snapshotter == daemon.Snapshotter && IsOf(entry.Platform, daemon.Platform);

    /// <summary><c>windows/amd64</c>, <c>windows(10.0.20348)/amd64</c>, or one of both words (github.com/containerd/platforms, Parse).</summary>
    private static bool IsOf(string? text, Platform platform)
    {
        if (text is null)
        {
            return false;
        }

        var parts = text.ToLowerInvariant().Split('/');
        var os = parts[0].Split('(')[0];
        return parts.Length == 1
            ? os == platform.Os || Architecture(os) == platform.Architecture
            : os == platform.Os && Architecture(parts[1]) == platform.Architecture;
    }

    private static string Architecture(string name) => name switch
    {
        "x86_64" or "x86-64" => "amd64",
        "aarch64" => "arm64",
        _ => name,
    };

    /// <summary>Of a daemon that is told nothing (github.com/containerd/containerd, plugins/services/diff).</summary>
    private static IReadOnlyList<string> DefaultOrder(DaemonFacts daemon) => daemon.Platform.Os == Platform.Windows ? ["windows", "windows-lcow"] : ["walking"];
}
