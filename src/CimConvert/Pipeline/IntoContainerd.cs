using CimConvert.Cims;
using CimConvert.Containerd;
using CimConvert.Storage;
using CimConvert.Store;
using Microsoft.Extensions.Logging;

namespace CimConvert.Pipeline;

/// <summary>Which containerd images are converted into, and how: what the command line and lists say.</summary>
internal sealed record IntoContainerd
{
    public ContainerdAddress Address { get; init; } = ContainerdAddress.Default;

    public string Namespace { get; init; } = ContainerdClient.KubernetesNamespace;

    /// <summary>A snapshotter, or <see cref="SnapshotterChoice.Auto"/> for the one that is loaded.</summary>
    public string Snapshotter { get; init; } = SnapshotterChoice.Auto;

    /// <summary>
    /// The folder for claims and partial downloads; on the snapshotter's file system if disk limits are to hold. It may be a store, whose
    /// finished block layers are then linked. No link may lead to it: what killed runs left in it is deleted.
    /// </summary>
    public string State { get; init; } = DefaultState;

    /// <summary>See <see cref="ContainerdTarget.Pin"/>.</summary>
    public bool Pin { get; init; } = true;

    /// <summary>See <see cref="ContainerdTarget.LayerBlobs"/>.</summary>
    public bool LayerBlobs { get; init; }

    /// <summary>See <see cref="ContainerdTarget.AllowsUnmountedFormat"/>.</summary>
    public bool AllowsUnmountedFormat { get; init; }

    public static string DefaultState { get; } = OperatingSystem.IsWindows()
        ? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.CommonApplicationData), "cimconvert")
        : "/var/lib/cimconvert";

    /// <summary>Connects. Dispose the target to end the connection.</summary>
    /// <param name="backend">See <see cref="CimBackends"/>.</param>
    /// <param name="logger">Told about calls.</param>
    /// <param name="cancellationToken">Ends the calls.</param>
    /// <exception cref="ConversionException">The daemon does not answer, has no such snapshotter, or its layers cannot be written here.</exception>
    public async Task<ContainerdTarget> OpenAsync(string backend, ILogger logger, CancellationToken cancellationToken)
    {
        var client = ContainerdClient.Connect(Address, Namespace, logger);
        try
        {
            await client.CheckDaemonAsync(cancellationToken);
            var plugins = await client.PluginsAsync(cancellationToken);
            var snapshotter = SnapshotterChoice.Of(plugins, Snapshotter, Address);
            var host = HostVersion.OfThisWindows;
            var target = new ContainerdTarget
            {
                Client = client,
                Snapshotter = snapshotter,
                Ingest = OpenState(Path.GetFullPath(State)),
                Store = ConversionStore.IsStore(State) ? ConversionStore.OpenExisting(State) : null,
                Pin = Pin,
                LayerBlobs = LayerBlobs,
                Backend = backend,
                AllowsUnmountedFormat = AllowsUnmountedFormat,
                HostVersion = host,
                Warnings = await WarningsAsync(client, plugins, snapshotter, host, cancellationToken),
            };
            target.SelectBackend(new BlockCimOptions());
            foreach (var warning in target.Warnings.OfNode())
            {
                logger.LogWarning("{Warning}", warning);
            }

            return target;
        }
        catch
        {
            client.Dispose();
            throw;
        }
    }

    private static IngestArea OpenState(string folder)
    {
        PrivateFolder.Open(folder);
        return IngestArea.In(folder).Open();
    }

    /// <summary>CRI's configuration is read only to warn: a plugin that is still starting, or that fails, does not end the run.</summary>
    private static async Task<StartWarnings> WarningsAsync(
        ContainerdClient client, IReadOnlyList<ContainerdPlugin> plugins, string snapshotter, string? host, CancellationToken cancellationToken)
    {
        try
        {
            return new StartWarnings(await CriConfiguration.ReadAsync(client, plugins, cancellationToken), snapshotter, host);
        }
        catch (ConversionException e)
        {
            return new StartWarnings(cri: null, snapshotter, host) { WhyUnknown = e.Message };
        }
    }
}
