using System.Runtime.InteropServices;
using CimConvert.Containerd;
using CimConvert.Oci;
using CimConvert.Registry;
using Microsoft.Extensions.Logging;

namespace CimConvert.Fitness;

/// <summary>What a node is to be fit for.</summary>
internal sealed record FitnessOptions
{
    /// <summary>A snapshotter, or <c>auto</c>, as for prewarming.</summary>
    public string Snapshotter { get; init; } = SnapshotterChoice.Auto;

    /// <summary>The daemon's <c>config.toml</c>.</summary>
    public string ConfigurationPath { get; init; } = DaemonConfiguration.DefaultPath;

    /// <summary>An image to be prewarmed; null leaves its checks out.</summary>
    public ImageReference? Image { get; init; }

    /// <summary>How the image's registry is reached.</summary>
    public RegistryOptions Registry { get; init; } = new();
}

/// <summary>Tells whether this machine and its containerd are fit for what is prewarmed.</summary>
internal sealed class NodeFitness(ContainerdClient client, FitnessOptions options, ILoggerFactory loggers)
{
    /// <summary>As Go names it, which images and containerd use.</summary>
    private static readonly string s_architecture = RuntimeInformation.OSArchitecture switch
    {
        Architecture.X64 => "amd64",
        Architecture.X86 => "386",
        var other => other.ToString().ToLowerInvariant(),
    };

    /// <returns>The checks, in a fixed order; what is expected to go wrong is a check's outcome, and no exception.</returns>
    public async Task<FitnessReport> RunAsync(CancellationToken cancellationToken)
    {
        var (daemon, ofDaemon) = await AskDaemonAsync(cancellationToken);
        var (ofImage, volumes) = options.Image is { } image
            ? await ImageChecks.RunAsync(image, options.Registry, ImageChecks.PlatformToPull(s_architecture), loggers, cancellationToken)
            : ([], null);
        var snapshotter = daemon?.Snapshotter ?? (options.Snapshotter == SnapshotterChoice.Auto ? SnapshotterChoice.CimFs : options.Snapshotter);
        IReadOnlyList<FitnessCheck> checks =
        [
            WindowsChecks.OfThisMachine(snapshotter),
            WindowsChecks.OfWriter(snapshotter),
            .. ofDaemon,
            .. daemon is null ? NotAsked(ofDaemon[^1]) : OfDaemon(daemon, volumes),
            .. ofImage,
        ];
        string[] lines = [.. checks.SelectMany(check => check.Configuration)];
        return new FitnessReport(checks, Path.GetFullPath(options.ConfigurationPath), lines.Length == 0 ? [] : [.. daemon!.Lines.Start, .. lines]);
    }

    private static IEnumerable<FitnessCheck> OfDaemon(DaemonFacts daemon, IReadOnlyList<string>? volumes) =>
    [
        DaemonChecks.OfSnapshotter(daemon),
        DaemonChecks.OfDiffer(daemon),
        ConfigurationChecks.OfCriSnapshotter(daemon),
        ConfigurationChecks.OfUnpackConfig(daemon),
        ConfigurationChecks.OfDiffService(daemon),
        ConfigurationChecks.OfImageVolumes(daemon, volumes),
        DaemonChecks.OfDisk(daemon),
    ];

    /// <summary>What depends on an answer that the daemon did not give, or on a snapshotter that it has not.</summary>
    private static IEnumerable<FitnessCheck> NotAsked(FitnessCheck last)
    {
        var isSilent = last.Name == CheckNames.Containerd;
        string[] left =
        [
            CheckNames.Differ, CheckNames.CriSnapshotter, CheckNames.UnpackConfig, CheckNames.DiffService, CheckNames.ImageVolumes, CheckNames.Disk,
        ];
        return left.Prepend(CheckNames.Snapshotter).Skip(isSilent ? 0 : 1)
            .Select(name => FitnessCheck.Unknown(name, isSilent ? "not checked without an answer of containerd" : "not checked without the snapshotter"));
    }

    /// <returns>The facts, if all of them can be told; and the checks of the daemon itself, of which the last says why not.</returns>
    private async Task<(DaemonFacts? Daemon, IReadOnlyList<FitnessCheck> Checks)> AskDaemonAsync(CancellationToken cancellationToken)
    {
        string version;
        IReadOnlyList<ContainerdPlugin> plugins;
        try
        {
            version = await client.VersionAsync(cancellationToken);
            await client.CheckDaemonAsync(cancellationToken);
            plugins = await client.PluginsAsync(cancellationToken);
        }
        catch (ConversionException e)
        {
            return (null, [FitnessCheck.Failed(CheckNames.Containerd, e.Message)]);
        }

        string snapshotter;
        try
        {
            snapshotter = SnapshotterChoice.Of(plugins, options.Snapshotter, client.Address);
        }
        catch (ConversionException e)
        {
            var wanted = options.Snapshotter == SnapshotterChoice.Auto ? SnapshotterChoice.CimFs : options.Snapshotter;
            return (null, [DaemonChecks.OfVersion(client.Address, version, wanted), FitnessCheck.Failed(CheckNames.Snapshotter, e.Message)]);
        }

        var (cri, criProblem) = await TryAsync(() => CriConfiguration.ReadAsync(client, plugins, cancellationToken));
        var isSecond = DaemonVersion.TryRead(version) is not { Major: < 2 };
        var (file, fileProblem) = await TryAsync(
            () => Task.FromResult<DaemonConfiguration?>(DaemonConfiguration.Read(options.ConfigurationPath, mergesPlugins: isSecond)));
        var facts = new DaemonFacts
        {
            Version = version,
            Plugins = plugins,
            Snapshotter = snapshotter,
            Cri = cri,
            CriProblem = criProblem,
            File = file,
            FileProblem = fileProblem,
            Platform = new Platform { Os = OperatingSystem.IsWindows() ? Platform.Windows : "linux", Architecture = s_architecture },
        };
        return (facts, [DaemonChecks.OfVersion(client.Address, version, snapshotter)]);
    }

    private static async Task<(T? Value, string? Problem)> TryAsync<T>(Func<Task<T?>> read)
        where T : class
    {
        try
        {
            return (await read(), null);
        }
        catch (Exception e) when (Failures.IsExpected(e))
        {
            return (null, Printable.Of(e.Message, maxLength: 400));
        }
    }
}
