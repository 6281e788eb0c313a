using System.Diagnostics;
using CimConvert.Cims;
using CimConvert.Containerd;
using CimConvert.Layers.Hives;
using CimConvert.Oci;
using CimConvert.Sources;
using CimConvert.Storage;
using Microsoft.Extensions.Logging;

namespace CimConvert.Pipeline;

/// <summary>
/// Converts one image into the containerd of a node: <c>resolve → there already? → lease → a SnapshotJob each → merge → register → end the
/// lease</c>. An image that is there causes no call that writes.
/// </summary>
internal sealed class ContainerdConversion(ContainerdTarget target, ConversionOptions options, ILogger logger) : IImageConversion
{
    /// <summary>How long the daemon keeps what a killed run made, if the run is never repeated.</summary>
    public static readonly TimeSpan LeaseExpiry = TimeSpan.FromHours(24);

    private IReadOnlyList<LayerPlan> _plans = [];
    private SnapshotJob[] _jobs = [];

    public IReadOnlyList<LayerPlan> Layers => _jobs.Length == 0 ? _plans : [.. _jobs.SelectMany(job => job.Files)];

    /// <summary>Layers are taken from what somebody has converted; null to convert all of them here.</summary>
    public TakingConverted? Taking { get; init; }

    public Task<ContainerdResult> RunAsync(IImageSource source, CancellationToken cancellationToken) =>
        ConversionAttempt.RunAsync(this, source, source.Name, target.Ingest, logger, () => ConvertAsync(source, cancellationToken));

    async Task<ConversionSummary> IImageConversion.RunAsync(IImageSource source, CancellationToken cancellationToken) =>
        await RunAsync(source, cancellationToken);

    private async Task<ContainerdResult> ConvertAsync(IImageSource source, CancellationToken cancellationToken)
    {
        var clock = Stopwatch.StartNew();
        var reference = (source as RegistrySource)?.Reference
            ?? throw new ConversionException("only images of registries go into containerd: pods name them by their registry");

        // reference → manifest; of an index, the one that containerd would pull for this node
        var osVersion = options.OsVersion ?? (options.Platform.Os == Platform.Windows ? target.HostVersion : null);
        var image = await new ImageResolver(source).ResolveAsync(options.Platform, osVersion, cancellationToken);
        _plans = LayerPlan.Make(image);
        logger.LogInformation("{Image}: {Platform}, {Count} layers{AlsoThere}", source.Name, image.Platform, _plans.Count, image.AlsoThere);
        foreach (var warning in target.Warnings.Of(image))
        {
            logger.LogWarning("{Image}: {Warning}", source.Name, warning);
        }

        using var client = target.Client.ForNamespace(target.Client.Namespace);
        var snapshotter = new Snapshotter(client, target.Snapshotter, target.Owner);
        var record = Describe(image, reference, snapshotter);
        var backend = target.SelectBackend(new BlockCimOptions());

        // One run for one image at a time: the lease is the image's.
        var lease = target.LeaseOf(record.Names[0]);
        using var only = await FileLock.TakeAsync(Path.Combine(target.Ingest.Root, lease + FileLock.Suffix), cancellationToken);
        var resolved = clock.ElapsedMilliseconds;
        var isThere = !await client.HasLeaseAsync(lease, cancellationToken) && await IsThereAsync(client, record, cancellationToken);
        var conversions = isThere || Taking is null
            ? SnapshotConversions.None
            : await SnapshotConversions.FindAsync(target.Snapshotter, Taking, image, reference, backend.Name, logger, cancellationToken);
        var made = isThere ? ReportThere(resolved) : await UnderLeaseAsync(client, lease, MakeAsync, cancellationToken);
        var done = clock.ElapsedMilliseconds;
        return new ContainerdResult(
            image,
            target.Client.Address.ToString(),
            target.Client.Namespace,
            target.Snapshotter,
            record.Names,
            made.Registered,
            made.Layers,
            record.Top,
            backend.Name,
            HiveMergers.For(backend).Name,
            new ConversionBytes(source.BytesDownloaded + conversions.BytesDownloaded, Layers.Sum(layer => layer.Progress.Decompressed), made.Layers.Sum(layer => layer.Size) + made.MergedBytes),
            new ConversionTimings(resolved, made.Converted - resolved, made.Merged - made.Converted, done - made.Merged, 0, done))
        {
            From = made.Layers.FirstOrDefault(layer => layer.From is not null)?.From,
        };

        async Task<Made> MakeAsync(bool isInherited)
        {
            // a job for each layer, one after the other; blobs of the next ones are downloaded meanwhile
            _jobs = [.. _plans.Select(plan => new SnapshotJob(plan, source, conversions, target, client, snapshotter, options, logger))];
            var layers = await new SnapshotSchedule(_jobs, logger).RunAsync(options.Concurrency, cancellationToken);
            var converted = clock.ElapsedMilliseconds;

            // merge
            var merge = new SnapshotMerge(target, snapshotter, logger);
            var mergedBytes = target.Snapshotter == SnapshotterChoice.BlockCim && _plans.Count > 1 ? await merge.RunAsync(_plans, cancellationToken) : 0;
            Instruments.Written.Add(mergedBytes);
            var merged = clock.ElapsedMilliseconds;

            // register
            var registered = await new ImageRegistration(client).RegisterAsync(record, cancellationToken);
            if (isInherited)
            {
                await SweepAsync(snapshotter, record.Top, cancellationToken);
            }

            return new Made(layers, mergedBytes, registered, converted, merged);
        }
    }

    private ImageToRegister Describe(ResolvedImage image, ImageReference reference, Snapshotter snapshotter) => new()
    {
        Host = reference.Registry,
        Repository = reference.Repository,
        Names = ImageToRegister.NamesOf(reference, image.Source.Digest, image.Manifest.Config.Digest),
        Indexes = [.. image.Documents.SkipLast(1).Select(document => new RegisteredDocument(document.Descriptor, document.Bytes))],
        Manifest = new RegisteredDocument(image.ManifestDescriptor, image.Documents[^1].Bytes),
        Config = new RegisteredDocument(image.Manifest.Config, image.ConfigBytes),
        Top = _plans[^1].ChainId,
        Snapshotter = snapshotter,
        Pin = target.Pin,
    };

    private async Task<bool> IsThereAsync(ContainerdClient client, ImageToRegister record, CancellationToken cancellationToken)
    {
        if (!await new ImageRegistration(client).IsRegisteredAsync(record, cancellationToken))
        {
            return false;
        }

        foreach (var layer in target.LayerBlobs ? _plans : [])
        {
            if (await client.Content.InfoAsync(layer.Blob.Digest, cancellationToken) is null)
            {
                return false;
            }
        }

        return true;
    }

    private Made ReportThere(long time)
    {
        foreach (var layer in _plans)
        {
            layer.Progress.Stage = LayerStage.Reused;
            target.Ingest.RemovePartial(layer.Blob.Digest);
        }

        return new Made([.. _plans.Select(SnapshotLayer.There)], 0, Registered: false, time, time);
    }

    /// <summary>
    /// Runs what makes things at the daemon. If it fails for good, what it made goes; if the network or the daemon failed, or the user
    /// stopped it, the lease keeps it for the next run.
    /// </summary>
    private async Task<Made> UnderLeaseAsync(ContainerdClient client, string id, Func<bool, Task<Made>> work, CancellationToken cancellationToken)
    {
        var lease = await client.LeaseAsync(id, LeaseExpiry, cancellationToken);
        Made made;
        try
        {
            made = await work(lease.IsInherited);
        }
        catch (Exception e) when (Failures.IsExpected(e) && !ConversionAttempt.KeepsWhatIsDone(e))
        {
            try
            {
                await lease.DropAsync(CancellationToken.None);
            }
            catch (ConversionException gone)
            {
                logger.LogDebug("{Reason}", gone.Message);
            }

            throw;
        }

        await lease.DropAsync(cancellationToken);
        return made;
    }

    /// <summary>The image is registered: what a killed daemon left beside it is no reason to fail.</summary>
    private async Task SweepAsync(Snapshotter snapshotter, ChainId top, CancellationToken cancellationToken)
    {
        try
        {
            // Runs for other names of the image locate the same layer, under the same key.
            using var claim = await target.Ingest.ClaimAsync(top, cancellationToken);
            await snapshotter.SweepAsync(top, cancellationToken);
        }
        catch (Exception e) when (Failures.IsExpected(e))
        {
            logger.LogWarning("what a killed containerd may have left stays until its next garbage collection: {Reason}", e.Message);
        }
    }

    /// <summary>What was made, and when the layers were converted and merged.</summary>
    private sealed record Made(IReadOnlyList<SnapshotLayer> Layers, long MergedBytes, bool Registered, long Converted, long Merged);
}
