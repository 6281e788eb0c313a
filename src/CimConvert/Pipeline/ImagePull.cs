using System.Diagnostics;
using CimConvert.Cims;
using CimConvert.Plumbing;
using CimConvert.Publishing;
using CimConvert.Registry;
using CimConvert.Registry.Http;
using CimConvert.Sources;
using CimConvert.Store;
using Microsoft.Extensions.Logging;

namespace CimConvert.Pipeline;

/// <summary>
/// Takes an image that somebody has converted before into the store: <c>find → a PullJob each layer → merged CIM → publish</c>. The store
/// is then what <see cref="ImageConversion"/> would have made. If none is found, the source is converted, if that is allowed.
/// </summary>
/// <param name="store">Gets the image.</param>
/// <param name="backend">The back end that must have written it.</param>
/// <param name="finder">Finds it.</param>
/// <param name="options">The form, and limits.</param>
/// <param name="logger">Logs every step.</param>
/// <param name="otherwise">Converts the source where nobody has; null if that is an error.</param>
/// <param name="push">Where the image is pushed to; null for nowhere.</param>
/// <param name="subject">Whether the manifest in the store names the source as its subject; null for: as the one that is found.</param>
internal sealed class ImagePull(
    ConversionStore store,
    string backend,
    ConversionFinder finder,
    ConversionOptions options,
    ILogger logger,
    ImageConversion? otherwise = null,
    PushOptions? push = null,
    bool? subject = null) : IImageConversion
{
    private IReadOnlyList<LayerPlan> _plans = [];
    private bool _converts;

    public IReadOnlyList<LayerPlan> Layers => _converts ? otherwise!.Layers : _plans;

    public Task<ConversionResult> RunAsync(IImageSource source, CancellationToken cancellationToken) =>
        ConversionAttempt.RunAsync(this, source, options.NameOf(source), store.Ingest, logger, () => PullOrConvertAsync(source, cancellationToken));

    async Task<ConversionSummary> IImageConversion.RunAsync(IImageSource source, CancellationToken cancellationToken) =>
        await RunAsync(source, cancellationToken);

    private async Task<ConversionResult> PullOrConvertAsync(IImageSource source, CancellationToken cancellationToken)
    {
        var clock = Stopwatch.StartNew();
        var (image, found, looked) = await finder.FindAsync(source, cancellationToken);
        Exception? failure = null;
        await foreach (var candidate in found.WithCancellation(cancellationToken))
        {
            try
            {
                return await PullAsync(source, image, candidate, clock, cancellationToken);
            }
            catch (Exception e) when (IsOfCandidate(e) && candidate.By != FoundBy.Name)
            {
                // Anybody who may push can offer one whose files are not what it says.
                failure = e;
                logger.LogWarning("{Candidate} cannot be taken: {Reason}", candidate.Blobs.Name, e.Message);
                ConversionAttempt.RemoveDownloads(this, store.Ingest, e);
            }
        }

        var none = failure is null ? $"no converted image was found, {looked}" : $"no converted image can be taken: {failure.Message}";
        if (otherwise is null)
        {
            throw failure ?? new ConversionException($"{none}: 'cimconvert convert' makes one");
        }

        logger.LogInformation("{Image}: {Reason}: converting it", source.Name, none);
        _converts = true;
        return await otherwise.ConvertAsync(source, cancellationToken);
    }

    /// <summary>Whether a failure is the converted image's, for good: its files are missing, or not what it says.</summary>
    private static bool IsOfCandidate(Exception failure)
    {
        for (var cause = failure; cause is not null; cause = cause.InnerException)
        {
            if (cause is InvalidDataException || (cause is RegistryException && !TransientFault.KeepsPartialDownloads(failure)))
            {
                return true;
            }
        }

        return false;
    }

    private async Task<ConversionResult> PullAsync(
        IImageSource source, ResolvedImage image, FoundConversion found, Stopwatch clock, CancellationToken cancellationToken)
    {
        var content = found.Content;
        var (plans, mergedPlan) = LayerPlan.MakePull(content);
        _plans = mergedPlan is null ? [.. plans.SelectMany(files => files)] : [.. plans.SelectMany(files => files), mergedPlan];
        var downloaded = found.Blobs.BytesDownloaded;
        logger.LogInformation(
            "{Image}: {Platform}, {Count} layers, converted as {Where} ({How})", source.Name, image.Platform, plans.Count, found.Blobs.Name, found.By);
        if (push is not null)
        {
            await push.CheckAsync(image, cancellationToken);
        }

        using var lease = await store.UseAsync([.. plans.Select(files => files[^1].ChainId)], cancellationToken);
        var resolved = clock.ElapsedMilliseconds;

        // layers
        var jobs = content.Layers.Zip(plans, (layer, files) => new PullJob(layer, files, found.Blobs, store, options, logger)).ToArray();
        var layers = await RunAsync(jobs, cancellationToken);
        var pulled = clock.ElapsedMilliseconds;

        // merged CIM
        var (top, mergedBytes) = await MergedAsync(found, mergedPlan, [.. plans.Select(files => files[^1])], layers, cancellationToken);
        var merged = clock.ElapsedMilliseconds;

        // publish
        var withSubject = subject ?? content.Subject is not null;
        var manifest = await new Publisher(store).PublishAsync(image, [.. layers.SkipLast(1).Select(l => l.Layer), top], withSubject, cancellationToken);
        var published = clock.ElapsedMilliseconds;

        // push
        var pushed = push is null
            ? null
            : await new ImagePush(store, push, logger).RunAsync(image, (found.Blobs as RegistrySource)?.Reference, manifest, cancellationToken);
        var done = clock.ElapsedMilliseconds;

        return new ConversionResult(
            image,
            manifest,
            layers,
            top,
            backend,
            options.Hives.Name,
            pushed,
            new ConversionBytes(
                (ReferenceEquals(source, found.Blobs) ? 0 : source.BytesDownloaded) + found.Blobs.BytesDownloaded - downloaded,
                _plans.Sum(plan => plan.Progress.Decompressed),
                layers.Where(l => !l.Reused).Sum(l => l.Layer.Size) + mergedBytes),
            new ConversionTimings(resolved, pulled - resolved, merged - pulled, published - merged, done - published, done))
        {
            From = new PulledFrom(found.Blobs.Name, content.Manifest.Digest, found.By),
        };
    }

    /// <summary>Several at once, the largest first; forked ones base first, since each has links to the regions below.</summary>
    private async Task<IReadOnlyList<ConvertedLayer>> RunAsync(PullJob[] jobs, CancellationToken cancellationToken)
    {
        var done = new ConvertedLayer[jobs.Length];
        var parallel = new ParallelOptions { MaxDegreeOfParallelism = options.Forked ? 1 : options.Concurrency, CancellationToken = cancellationToken };
        var inOrder = options.Forked ? jobs : [.. jobs.OrderByDescending(job => job.Plan.Blob.Size).ThenBy(job => job.Plan.Index)];
        await Parallel.ForEachAsync(inOrder, parallel, async (job, token) =>
            done[job.Plan.Index] = await LayerStep.RunAsync(job.Plan, logger, () => job.RunAsync(token)));
        return done;
    }

    /// <summary>
    /// Takes the merged CIM, too, if the layers in the store are those that it was made of; else merges those, as a conversion does.
    /// </summary>
    private async Task<(StoredLayer Top, long Written)> MergedAsync(
        FoundConversion found, LayerPlan? plan, IReadOnlyList<LayerPlan> plans, IReadOnlyList<ConvertedLayer> layers, CancellationToken cancellationToken)
    {
        if (plan is null)
        {
            return (layers[^1].Layer, 0);
        }

        var record = found.Content.MergedRecord!;
        if (!MergeStep.SourcesOf(layers).SequenceEqual(record.Sources!))
        {
            return await new MergeStep(store, CimBackends.Select(backend, options.Block), options, logger).RunAsync(plans, layers, cancellationToken);
        }

        LayerDownload? download = null;
        try
        {
            var made = await LayerStep.RunAsync(plan, logger, () => MergeStep.OnceAsync(store, options, layers, TakeAsync, cancellationToken));
            download?.Finish();
            plan.Progress.Stage = made.Written > 0 ? LayerStage.Done : LayerStage.Reused;
            return made;
        }
        finally
        {
            download?.Dispose();
        }

        async Task<FileRecord> TakeAsync(string folder)
        {
            download = await ConvertedDownload.RunAsync(found.Content.Merged!, plan, folder, found.Blobs, store.Ingest, options, logger, cancellationToken);
            if (record.IntegrityRoot is { } root)
            {
                await OwnThread.RunAsync(() => ConvertedSeal.Keep(Path.Combine(folder, record.File), root, IntegrityFile.MergedName, backend, cancellationToken));
            }

            return record;
        }
    }
}
