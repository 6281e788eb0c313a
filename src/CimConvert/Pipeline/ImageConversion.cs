using System.Diagnostics;
using CimConvert.Cims;
using CimConvert.Publishing;
using CimConvert.Registry.Http;
using CimConvert.Registry.Push;
using CimConvert.Sources;
using CimConvert.Store;
using Microsoft.Extensions.Logging;

namespace CimConvert.Pipeline;

/// <summary>
/// Converts one image: <c>resolve → plans → a LayerJob each → MergeStep → publish → push</c>. Read this file first; <see cref="LayerJob"/>
/// is the path of one layer.
/// </summary>
internal sealed class ImageConversion(
    ConversionStore store, ICimBackend backend, ConversionOptions options, ILogger logger, RegistryPusher? target = null)
{
    /// <summary>The layers being converted, with their progress; empty until the manifest is resolved.</summary>
    public IReadOnlyList<LayerPlan> Layers { get; private set; } = [];

    /// <exception cref="ConversionException">The image cannot be converted; the message names the image and the cause.</exception>
    public async Task<ConversionResult> RunAsync(IImageSource source, CancellationToken cancellationToken)
    {
        using var scope = logger.With(LogFields.Image, source.Name);
        try
        {
            var result = await ConvertAsync(source, cancellationToken);
            Record(result.Timings);
            Instruments.Images.Add(1, Instruments.Result("converted"));
            return result;
        }
        catch (Exception e) when (Failures.IsExpected(e))
        {
            Instruments.Images.Add(1, Instruments.Result("failed"));
            RemoveDownloads(e);
            throw Failures.Of(source.Name, e);
        }
        catch (OperationCanceledException e)
        {
            RemoveDownloads(e);
            throw;
        }
    }

    private static void Record(ConversionTimings timings)
    {
        foreach (var (stage, milliseconds) in timings.Stages)
        {
            Instruments.StageDuration.Record(milliseconds / 1000.0, Instruments.Stage(stage));
        }
    }

    /// <summary>Removes partial downloads, unless the network failed: then they stay for the next run to resume.</summary>
    private void RemoveDownloads(Exception failure)
    {
        if (TransientFault.KeepsPartialDownloads(failure))
        {
            return;
        }

        foreach (var layer in Layers)
        {
            store.Ingest.RemovePartial(layer.Blob.Digest);
        }
    }

    private async Task<ConversionResult> ConvertAsync(IImageSource source, CancellationToken cancellationToken)
    {
        var clock = Stopwatch.StartNew();

        // reference → manifest
        var image = await new ImageResolver(source).ResolveAsync(options.Platform, options.OsVersion, cancellationToken);
        Layers = LayerPlan.Make(image);
        logger.LogInformation("{Image}: {Platform}, {Count} layers", source.Name, image.Config.Platform, Layers.Count);
        using var lease = await store.UseAsync([.. Layers.Select(layer => layer.ChainId)], cancellationToken);
        var resolved = clock.ElapsedMilliseconds;

        // a job for each layer, several at once; finished in parent order
        var jobs = Layers.Select(plan => new LayerJob(plan, source, store, backend, options, logger)).ToArray();
        var layers = await new LayerSchedule(jobs, logger).RunAsync(options.Concurrency, cancellationToken);
        var converted = clock.ElapsedMilliseconds;

        // merge
        var (top, mergedBytes) = await new MergeStep(store, backend, options, logger).RunAsync(Layers, layers, cancellationToken);
        Instruments.Written.Add(mergedBytes);
        var merged = clock.ElapsedMilliseconds;

        // publish
        var manifest = await new Publisher(store).PublishAsync(
            image, [.. layers.SkipLast(1).Select(l => l.Layer), top], options.WithSubject, cancellationToken);
        var published = clock.ElapsedMilliseconds;

        // push
        var pushed = target is null
            ? null
            : await new ImagePush(store, target, logger).RunAsync(image, (source as RegistrySource)?.Reference, manifest, options.WithSubject, cancellationToken);
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
