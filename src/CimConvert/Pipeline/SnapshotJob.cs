using System.Diagnostics.CodeAnalysis;
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
/// Instead of an import, a layer of a store is linked, or one of a converted image is put into its place.
/// </summary>
internal sealed class SnapshotJob(
    LayerPlan plan,
    IImageSource source,
    SnapshotConversions conversions,
    ContainerdTarget target,
    ContainerdClient client,
    Snapshotter snapshotter,
    ConversionOptions options,
    ILogger logger)
    : IAsyncDisposable
{
    /// <summary>Every blob is downloaded ahead: the writer takes one layer after the other.</summary>
    private const long SmallestKept = 1;

    private readonly SnapshotTaking _taking = new(plan, conversions, target, options, logger);
    private IngestFolder? _claim;
    private LayerDownload? _download;

    /// <summary>Whether the layer is in containerd; its blob may be missing all the same.</summary>
    private bool _isThere;

    /// <summary>The turn to import, which disposing gives up.</summary>
    private Task<IDisposable?>? _slot;

    public LayerPlan Plan => plan;

    /// <summary>What is downloaded for it: the source's blob, or the files of a converted image.</summary>
    public IReadOnlyList<LayerPlan> Files => _taking.Files;

    private ChainId? Parent => plan.Parents.Count == 0 ? null : plan.Parents[0];

    private ImageReference Reference => ((RegistrySource)source).Reference;

    /// <summary>
    /// Takes the layer under our lease if it is there; else claims it and begins to download it. Layers must be started base first:
    /// processes that share some then claim them in the same order, and cannot wait for one another in a circle.
    /// </summary>
    /// <param name="turn">Ends when the layer below is in containerd.</param>
    /// <param name="cancellationToken">Ends the waiting for the claim, and the download.</param>
    public async Task StartAsync(Task turn, CancellationToken cancellationToken)
    {
        _isThere = await TakeAsync(cancellationToken);
        if (_isThere && !await LacksBlobAsync(cancellationToken))
        {
            return;
        }

        // Whoever makes the layer writes its blob, too, before the claim ends.
        _claim = await target.Ingest.ClaimAsync(plan.ChainId, cancellationToken);
        _isThere = await TakeAsync(cancellationToken);
        var lacksBlob = await LacksBlobAsync(cancellationToken);
        if (_isThere && !lacksBlob)
        {
            _claim.Dispose();
            _claim = null;
            return;
        }

        options.Limits.Disk?.Check(plan.Blob.Size);
        if (lacksBlob)
        {
            Download(turn, cancellationToken);
        }
        else if (!StoredBlockLayer.IsIn(target, plan) && !_taking.TryStart(turn, out _slot, cancellationToken))
        {
            Download(turn, cancellationToken);
        }
    }

    /// <summary>Imports and commits the layer, unless it is there. The layer below must be in containerd.</summary>
    public async Task<SnapshotLayer> FinishAsync(CancellationToken cancellationToken)
    {
        var layer = _isThere ? SnapshotLayer.There(plan) : await MakeAsync(cancellationToken);
        if (target.LayerBlobs)
        {
            await IngestBlobAsync(cancellationToken);
        }

        _download?.Finish();
        if (_download is null)
        {
            target.Ingest.RemovePartial(plan.Blob.Digest);
        }

        _taking.Finish();
        foreach (var file in Files)
        {
            file.Progress.Stage = layer.Reused ? LayerStage.Reused : LayerStage.Done;
        }

        Instruments.Layers.Add(1, Instruments.Result(layer.Reused ? "reused" : layer.From is null ? "converted" : "pulled"));
        Instruments.Written.Add(layer.Size);
        logger.LogInformation("{Layer}: {Outcome}", plan.Name, layer.Path ?? "already in containerd");
        return layer;
    }

    /// <summary>Gives up the claim, the download and the turn. May be called again.</summary>
    public async ValueTask DisposeAsync()
    {
        await GiveUpTurnAsync();
        _download?.Dispose();
        _taking.Dispose();
        _claim?.Dispose();
        (_download, _claim) = (null, null);
    }

    /// <summary>Whether the layer is there: then our lease keeps it.</summary>
    private async Task<bool> TakeAsync(CancellationToken cancellationToken)
    {
        if (!await snapshotter.HasAsync(plan.ChainId, cancellationToken))
        {
            return false;
        }

        if (await snapshotter.PrepareAsync(plan.ChainId, Parent, plan.DiffId, cancellationToken) is null)
        {
            return true;
        }

        // It went between the two calls.
        await snapshotter.AbandonAsync(plan.ChainId, cancellationToken);
        return false;
    }

    /// <summary>Whether the daemon is to have the layer's blob, and does not have it.</summary>
    private async Task<bool> LacksBlobAsync(CancellationToken cancellationToken) =>
        target.LayerBlobs && await client.Content.InfoAsync(plan.Blob.Digest, cancellationToken) is null;

    private async Task GiveUpTurnAsync()
    {
        if (_slot is not null)
        {
            await ((Task)_slot).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (_slot.IsCompletedSuccessfully)
            {
                (await _slot)?.Dispose();
            }
        }

        _slot = null;
    }

    [MemberNotNull(nameof(_download), nameof(_slot))]
    private void Download(Task turn, CancellationToken cancellationToken)
    {
        _download = NewDownload();
        _slot = _download.WaitForImportAsync(cancellationToken, turn);
    }

    private LayerDownload NewDownload() => new(source, target.Ingest, plan, options.Limits, logger, SmallestKept);

    private async Task<SnapshotLayer> MakeAsync(CancellationToken cancellationToken)
    {
        await WaitForTurnAsync(cancellationToken);
        if (await snapshotter.PrepareAsync(plan.ChainId, Parent, plan.DiffId, cancellationToken) is not { } mount)
        {
            return SnapshotLayer.There(plan);
        }

        try
        {
            var layer = await StoredBlockLayer.TryLinkAsync(target, plan, mount, cancellationToken) is { } linked
                ? new SnapshotLayer(plan, linked.Path, linked.Size, LayerOrigin.Store)
                : await _taking.TryAsync(mount, cancellationToken) ?? await ImportAsync(mount, cancellationToken);
            return await snapshotter.CommitAsync(plan.ChainId, Parent, plan.DiffId, cancellationToken) ? layer : SnapshotLayer.There(plan);
        }
        catch (Exception e) when (Failures.IsExpected(e) || e is OperationCanceledException)
        {
            await AbandonAsync();
            throw;
        }
    }

    private async Task WaitForTurnAsync(CancellationToken cancellationToken)
    {
        try
        {
            await (_slot ?? Task.FromResult<IDisposable?>(null));
        }
        catch (Exception e) when (_taking.TryGiveUp(e))
        {
            Download(Task.CompletedTask, cancellationToken);
            await _slot;
        }
    }

    private async Task<SnapshotLayer> ImportAsync(SnapshotMount mount, CancellationToken cancellationToken)
    {
        if (_download is null)
        {
            // The store or a converted image has the layer, but made otherwise.
            await GiveUpTurnAsync();
            Download(Task.CompletedTask, cancellationToken);
            await _slot;
        }

        plan.Progress.Stage = LayerStage.Importing;
        Instruments.ActiveImports.Add(1);
        try
        {
            return Imported(await ImportOnceAsync(mount, _download, cancellationToken));
        }
        catch (Exception e) when (e is InvalidDataException or LayerImportException && _download.TryStartOver(e))
        {
            plan.Progress.Restart();
            return Imported(await ImportOnceAsync(mount, _download, cancellationToken));
        }
        finally
        {
            Instruments.ActiveImports.Add(-1);
        }

        SnapshotLayer Imported(CommittedCim cim) => new(plan, cim.Path, cim.Size, LayerOrigin.Source);
    }

    private async Task<CommittedCim> ImportOnceAsync(SnapshotMount mount, LayerDownload download, CancellationToken cancellationToken)
    {
        var import = new SnapshotImport(target.SelectBackend(SnapshotImport.OptionsOf(mount)), options.Input, logger);
        await using var tar = new LayerTar(plan, download, options.Input, options.Limits.Disk, cancellationToken);
        var (result, cim) = await import.RunAsync(mount, tar, cancellationToken);
        download.ReleaseSlot();
        logger.LogInformation("{Layer}: imported {Entries} entries, {Bytes} bytes", plan.Name, result.Entries, plan.Progress.Decompressed);
        return cim;
    }

    private async Task IngestBlobAsync(CancellationToken cancellationToken)
    {
        if (_download is null && await LacksBlobAsync(cancellationToken))
        {
            // It went since the job started, or the layer was taken from elsewhere.
            await GiveUpTurnAsync();
            Download(Task.CompletedTask, cancellationToken);
        }

        // Before the daemon lets nobody else write the blob: whoever has the turn may wait for that.
        await (_slot ?? Task.FromResult<IDisposable?>(null));
        await client.Content.IngestBlobAsync(
            (offset, token) => (_download ??= NewDownload()).OpenBehindAsync(offset, token),
            plan.Blob,
            ContainerdLabels.OfBlob(Reference.Registry, Reference.Repository, plan.DiffId),
            cancellationToken);
    }

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
