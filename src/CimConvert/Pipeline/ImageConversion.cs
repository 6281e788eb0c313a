using System.Diagnostics;
using CimConvert.Cims;
using CimConvert.Publishing;
using CimConvert.Sources;
using CimConvert.Store;
using Microsoft.Extensions.Logging;

namespace CimConvert.Pipeline;

/// <summary>
/// Converts one image: <c>resolve → plans → a LayerJob each → MergeStep → publish → push</c>. Read this file first; <see cref="LayerJob"/>
/// is the path of one layer. <see cref="ContainerdConversion"/> does the same into a node's containerd.
/// </summary>
internal sealed class ImageConversion(
    ConversionStore store, ICimBackend backend, ConversionOptions options, ILogger logger, PushOptions? push = null) : IImageConversion
{
    public IReadOnlyList<LayerPlan> Layers { get; private set; } = [];

    public Task<ConversionResult> RunAsync(IImageSource source, CancellationToken cancellationToken) =>
        ConversionAttempt.RunAsync(this, source, options.NameOf(source), store.Ingest, logger, () => ConvertAsync(source, cancellationToken));

    async Task<ConversionSummary> IImageConversion.RunAsync(IImageSource source, CancellationToken cancellationToken) =>
        await RunAsync(source, cancellationToken);

    /// <summary>As <see cref="RunAsync"/>, within an attempt that somebody else counts.</summary>
    internal async Task<ConversionResult> ConvertAsync(IImageSource source, CancellationToken cancellationToken)
    {
        var clock = Stopwatch.StartNew();

        // reference → manifest
        var image = await options.ResolveAsync(source, cancellationToken);
        Layers = LayerPlan.Make(image);
        logger.LogInformation("{Image}: {Platform}, {Count} layers{AlsoThere}", source.Name, image.Platform, Layers.Count, image.AlsoThere);
        if (push is not null)
        {
            await push.CheckAsync(image, cancellationToken);
        }

        using var lease = await store.UseAsync([.. Layers.Select(layer => layer.ChainId)], cancellationToken);
        var resolved = clock.ElapsedMilliseconds;

        // a job for each layer, several at once; finished in parent order
        var jobs = Layers.Select(plan => new LayerJob(plan, source, store, backend, options, logger)).ToArray();
        var layers = await new LayerSchedule(jobs, logger).RunAsync(options.Concurrency, cancellationToken);
        var converted = clock.ElapsedMilliseconds;

        // merge
        var (top, mergedBytes) = await new MergeStep(store, backend, options, logger).RunAsync(Layers, layers, cancellationToken);
        var merged = clock.ElapsedMilliseconds;

        // publish
        var manifest = await new Publisher(store).PublishAsync(
            image, [.. layers.SkipLast(1).Select(l => l.Layer), top], options.WithSubject, cancellationToken);
        var published = clock.ElapsedMilliseconds;

        // push
        var pushed = push is null
            ? null
            : await new ImagePush(store, push, logger).RunAsync(image, (source as RegistrySource)?.Reference, manifest, cancellationToken);
        var done = clock.ElapsedMilliseconds;

        return new ConversionResult(
            image,
            manifest,
            layers,
            top,
            backend.Name,
            options.Hives.Name,
            pushed,
            new ConversionBytes(
                source.BytesDownloaded,
                Layers.Sum(l => l.Progress.Decompressed),
                layers.Where(l => !l.Reused).Sum(l => l.Layer.Size) + mergedBytes),
            new ConversionTimings(resolved, converted - resolved, merged - converted, published - merged, done - published, done));
    }
}
