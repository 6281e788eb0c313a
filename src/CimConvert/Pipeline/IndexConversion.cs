using CimConvert.Oci;
using CimConvert.Publishing;
using CimConvert.Sources;

namespace CimConvert.Pipeline;

/// <summary>
/// Converts all images that a name stands for on a platform, one after the other in the order of the index: they share layers, and the
/// result does not depend on which of them is faster.
/// </summary>
/// <param name="options">How; of its versions none is used.</param>
/// <param name="push">Where the images are pushed to, as an index; null for nowhere.</param>
/// <param name="conversion">Makes the conversion of one image, which the options name, and that is pushed as it is told.</param>
internal sealed class IndexConversion(ConversionOptions options, PushOptions? push, Func<ConversionOptions, PushOptions?, ImageConversion> conversion)
{
    private volatile ImageConversion? _running;

    /// <summary>The layers of the image that is being converted.</summary>
    public IReadOnlyList<LayerPlan> Layers => _running?.Layers ?? [];

    /// <summary>Converts the images; one that fails does not stop the others. A name that refers to no index is one image.</summary>
    /// <param name="open">Opens the place that the images are read from, for each of them.</param>
    /// <param name="cancellationToken">Stops; what is finished stays in the store.</param>
    /// <exception cref="ConversionException">The index is not available, or has nothing for the platform; or the only image cannot be converted.</exception>
    public async Task<IndexConversionResult> RunAsync(Func<IImageSource> open, CancellationToken cancellationToken)
    {
        var source = open();
        if (await ListAsync(source, cancellationToken) is not { } entries)
        {
            return new IndexConversionResult(source.Name, [await ConvertAsync(options, push, open(), cancellationToken)], []);
        }

        if (push is not null)
        {
            await push.Guard.CheckAsync(cancellationToken);
        }

        var converted = new List<ConversionResult>();
        var failed = new List<FailedImage>();
        foreach (var entry in entries)
        {
            try
            {
                converted.Add(await ConvertAsync(options with { Entry = entry }, push is null ? null : push with { IsTagged = false }, open(), cancellationToken));
            }
            catch (Exception e) when (Failures.IsExpected(e))
            {
                failed.Add(new FailedImage(entry.Manifest, e));
            }
        }

        // An index that lacks an image would take the place of one that has it.
        return new IndexConversionResult(source.Name, converted, failed)
        {
            Pushed = push is null || failed.Count > 0 ? null : await IndexPush.RunAsync(push, [.. converted.Select(result => (result.Pushed!, result.Image))], cancellationToken),
        };
    }

    private async Task<IReadOnlyList<IndexEntry>?> ListAsync(IImageSource source, CancellationToken cancellationToken)
    {
        try
        {
            return await new ImageResolver(source).ListAsync(options.Platform, cancellationToken);
        }
        catch (Exception e) when (Failures.IsExpected(e))
        {
            throw Failures.Of(source.Name, e);
        }
    }

    private Task<ConversionResult> ConvertAsync(ConversionOptions chosen, PushOptions? pushed, IImageSource source, CancellationToken cancellationToken)
    {
        var running = conversion(chosen, pushed);
        _running = running;
        return running.RunAsync(source, cancellationToken);
    }
}

/// <summary>An image of an index that could not be converted.</summary>
/// <param name="Entry">Its entry in the index.</param>
/// <param name="Failure">Why; the message is one line that names the image and its platform.</param>
internal sealed record FailedImage(Descriptor Entry, Exception Failure);

/// <summary>What became of the images that a name stands for.</summary>
/// <param name="Image">The name.</param>
/// <param name="Converted">Those that are in the store, in the order of the index; each has its source and its converted manifest with the platform.</param>
/// <param name="Failed">Those that could not be converted, in the same order.</param>
internal sealed record IndexConversionResult(string Image, IReadOnlyList<ConversionResult> Converted, IReadOnlyList<FailedImage> Failed)
{
    /// <summary>The index that was pushed; null if none was to be, or an image failed, or the name is that of one image.</summary>
    public PushedIndex? Pushed { get; init; }
}
