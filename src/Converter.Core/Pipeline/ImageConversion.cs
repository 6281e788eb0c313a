using System.Diagnostics;
using Converter.Core.Imaging;
using Converter.Core.Oci;
using Converter.Core.Publish;
using Converter.Core.Registry;
using Converter.Core.Store;
using Microsoft.Extensions.Logging;

namespace Converter.Core.Pipeline;

/// <summary>
/// The whole way of one image. The file to read first:
/// <c>reference → manifest → [per layer: blob → verify → decompress → verify → tar → image writer] → seal in parent order → merge → publish</c>.
/// Each step is a room of its own; this one only knows their order.
/// </summary>
public sealed class ImageConversion(
    RegistryClient registry, ConversionStore store, IImageBackend backend, ConversionOptions options, ILogger logger)
{
    /// <summary>The layers being converted, with their progress; empty until the manifest is there.</summary>
    public IReadOnlyList<LayerPlan> Layers { get; private set; } = [];

    /// <exception cref="ConversionException">The image cannot be converted; the message names it, and what it failed on.</exception>
    public async Task<ConversionResult> RunAsync(ImageReference reference, CancellationToken cancellation)
    {
        try
        {
            return await ConvertAsync(reference, cancellation);
        }
        catch (Exception e) when (Failures.IsExpected(e))
        {
            throw Failures.Of(reference.ToString(), e);
        }
    }

    private async Task<ConversionResult> ConvertAsync(ImageReference reference, CancellationToken cancellation)
    {
        var clock = Stopwatch.StartNew();

        // reference → manifest
        var image = await new ImageResolver(registry).ResolveAsync(reference, options.Platform, options.OsVersion, cancellation);
        Layers = LayerPlan.Make(image);
        logger.LogInformation("{Image}: {Platform}, {Count} layers", reference, image.Config.Platform, Layers.Count);
        var resolved = clock.ElapsedMilliseconds;

        // blob → verify → decompress → verify → tar → image writer, for many layers at once; sealed in parent order
        var conversion = new LayerConversion(registry, store, backend, options, logger);
        var layers = await new LayerStages(conversion, reference, Layers, logger).RunAsync(options.Concurrency, cancellation);
        var converted = clock.ElapsedMilliseconds;

        // merge
        var (top, mergedBytes) = await new MergeStage(store, backend, options, logger).RunAsync(layers, cancellation);
        var merged = clock.ElapsedMilliseconds;

        // publish
        var manifest = await new Publisher(store).PublishAsync(image, [.. layers.SkipLast(1).Select(l => l.Layer), top], cancellation);
        var published = clock.ElapsedMilliseconds;

        return new ConversionResult(
            image,
            manifest,
            layers,
            top,
            backend.Name,
            options.Hives.Name,
            new ConversionBytes(
                registry.BytesDownloaded,
                Layers.Sum(l => l.Progress.Decompressed),
                layers.Where(l => !l.Reused).Sum(l => l.Layer.Record.Image.Size) + mergedBytes),
            new ConversionTimings(resolved, converted - resolved, merged - converted, published - merged, published));
    }
}
