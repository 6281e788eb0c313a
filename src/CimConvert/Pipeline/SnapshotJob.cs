using CimConvert.Cims;
using CimConvert.Containerd;
using CimConvert.Layers;
using CimConvert.Oci;
using CimConvert.Sources;
using CimConvert.Store;
using Microsoft.Extensions.Logging;

namespace CimConvert.Pipeline;

/// <summary>
/// Converts one layer into containerd: <c>there already? → claim → download ahead → [the layer below is in] → prepare → import → commit</c>.
/// </summary>
internal sealed class SnapshotJob(
    LayerPlan plan, IImageSource source, ContainerdTarget target, ContainerdClient client, Snapshotter snapshotter, ConversionOptions options, ILogger logger)
    : IAsyncDisposable
{
    /// <summary>Every blob is downloaded ahead: the writer takes one layer after the other.</summary>
    private const long SmallestKept = 1;

    private IngestFolder? _claim;
    private LayerDownload? _download;
    private Task<IDisposable?>? _slot;

    public LayerPlan Plan => plan;

    private ChainId? Parent => plan.Parents.Count == 0 ? null : plan.Parents[0];

    private string SourceHost => ((RegistrySource)source).Reference.Registry;

    /// <summary>
    /// Claims the layer and begins to download it, if it is not there. Layers must be started base first: processes that share some
    /// then claim them in the same order, and cannot wait for one another in a circle.
    /// </summary>
    /// <param name="turn">Ends when the layer below is in containerd.</param>
    /// <param name="cancellationToken">Ends the waiting for the claim, and the download.</param>
    public async Task StartAsync(Task turn, CancellationToken cancellationToken)
    {
        if (await snapshotter.HasAsync(plan.ChainId, cancellationToken))
        {
            return;
        }

        _claim = await target.Ingest.ClaimAsync(plan.ChainId, cancellationToken);
        if (await snapshotter.HasAsync(plan.ChainId, cancellationToken))
        {
            return;
        }

        options.Limits.Disk?.Check(plan.Blob.Size);
        _download = new LayerDownload(source, target.Ingest, plan, options.Limits, logger, SmallestKept);
        _slot = _download.WaitForImportAsync(cancellationToken, turn);
    }

    /// <summary>Imports and commits the layer, or takes it under our lease if it is there. The layer below must be in containerd.</summary>
    public async Task<SnapshotLayer> FinishAsync(CancellationToken cancellationToken)
    {
        using var slot = _slot is null ? null : await _slot;
        var layer = await snapshotter.PrepareAsync(plan.ChainId, Parent, plan.DiffId, cancellationToken) is { } mount
            ? await MakeAsync(mount, cancellationToken)
            : SnapshotLayer.There(plan);
        if (target.LayerBlobs)
        {
            await IngestBlobAsync(cancellationToken);
        }

        _download?.Finish();
        plan.Progress.Stage = layer.Reused ? LayerStage.Reused : LayerStage.Done;
        Instruments.Layers.Add(1, Instruments.Result(layer.Reused ? "reused" : "converted"));
        Instruments.Written.Add(layer.Size);
        logger.LogInformation("{Layer}: {Outcome}", plan.Name, layer.Path ?? "already in containerd");
        return layer;
    }

    public async ValueTask DisposeAsync()
    {
        if (_slot is not null)
        {
            await ((Task)_slot).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (_slot.IsCompletedSuccessfully)
            {
                (await _slot)?.Dispose();
            }
        }

        _download?.Dispose();
        _claim?.Dispose();
    }

    private async Task<SnapshotLayer> MakeAsync(SnapshotMount mount, CancellationToken cancellationToken)
    {
        try
        {
            var cim = await ImportAsync(mount, cancellationToken);
            return await snapshotter.CommitAsync(plan.ChainId, Parent, plan.DiffId, cancellationToken)
                ? new SnapshotLayer(plan, cim.Path, cim.Size)
                : SnapshotLayer.There(plan);
        }
        catch (Exception e) when (Failures.IsExpected(e) || e is OperationCanceledException)
        {
            await AbandonAsync();
            throw;
        }
    }

    private async Task<CommittedCim> ImportAsync(SnapshotMount mount, CancellationToken cancellationToken)
    {
        if (StoredBlockLayer.TryLink(target, plan, mount) is { } linked)
        {
            return linked;
        }

        if (_download is null)
        {
            throw new ConversionException("it was removed from containerd a moment ago: run the same command again");
        }

        plan.Progress.Stage = LayerStage.Importing;
        Instruments.ActiveImports.Add(1);
        try
        {
            return await ImportAsync(mount, _download, cancellationToken);
        }
        catch (Exception e) when (e is InvalidDataException or LayerImportException && _download.TryStartOver(e))
        {
            plan.Progress.Restart();
            return await ImportAsync(mount, _download, cancellationToken);
        }
        finally
        {
            Instruments.ActiveImports.Add(-1);
        }
    }

    private async Task<CommittedCim> ImportAsync(SnapshotMount mount, LayerDownload download, CancellationToken cancellationToken)
    {
        var import = new SnapshotImport(target.SelectBackend(SnapshotImport.OptionsOf(mount)), options.Input, logger);
        await using var tar = new LayerTar(plan, download, options.Input, options.Limits.Disk, cancellationToken);
        var (result, cim) = await import.RunAsync(mount, tar, cancellationToken);
        download.ReleaseSlot();
        logger.LogInformation("{Layer}: imported {Entries} entries, {Bytes} bytes", plan.Name, result.Entries, plan.Progress.Decompressed);
        return cim;
    }

    private Task<bool> IngestBlobAsync(CancellationToken cancellationToken) => client.Content.IngestBlobAsync(
        token => _download is null ? source.OpenBlobAsync(plan.Blob, offset: 0, token) : _download.OpenAsync(token),
        plan.Blob,
        ContainerdLabels.OfBlob(SourceHost, ((RegistrySource)source).Reference.Repository, plan.DiffId),
        cancellationToken);

    /// <summary>A place with half a layer is of no use to anybody. If the daemon is gone, the next run empties it.</summary>
    private async Task AbandonAsync()
    {
        try
        {
            await snapshotter.AbandonAsync(plan.ChainId, CancellationToken.None);
        }
        catch (ConversionException e)
        {
            logger.LogDebug("{Layer}: {Reason}", plan.Name, e.Message);
        }
    }
}
