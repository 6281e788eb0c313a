using CimConvert.Containerd;
using CimConvert.Oci;
using CimConvert.Publishing;
using CimConvert.Registry.Pull;
using CimConvert.Sources;
using Microsoft.Extensions.Logging;

namespace CimConvert.Pipeline;

/// <summary>That layers are taken from what somebody has converted before.</summary>
/// <param name="Registry">Searched.</param>
/// <param name="Pattern">The name that the pattern gives for the image; null for no pattern.</param>
/// <param name="IsRequired">Whether it is an error if a layer cannot be taken; else it is imported from the source.</param>
internal sealed record TakingConverted(RegistryClient Registry, ImageReference? Pattern, bool IsRequired);

/// <summary>A layer of a converted image.</summary>
/// <param name="Layer">What the manifest says of it.</param>
/// <param name="Files">For each of its files, where it is and how far it is.</param>
/// <param name="Blobs">Where the files are.</param>
/// <param name="From">The image.</param>
internal sealed record SnapshotConversion(ConvertedContentLayer Layer, IReadOnlyList<LayerPlan> Files, IImageSource Blobs, PulledFrom From);

/// <summary>
/// The converted images that the layers of one image can be taken from: one for each form that the snapshotter may want. Which one it
/// wants is only known from a mount.
/// </summary>
internal sealed class SnapshotConversions
{
    private readonly IReadOnlyList<(ConvertedForm Form, IReadOnlyList<SnapshotConversion> Layers)> _found;
    private readonly IReadOnlyList<FoundConversion> _images;

    /// <summary>What a mount wanted.</summary>
    private ConvertedForm? _wanted;

    /// <summary>Why no further layer can be taken; null if it can.</summary>
    private string? _whyEnded;

    private SnapshotConversions(IReadOnlyList<FoundConversion> images, bool isRequired)
    {
        IsRequired = isRequired;
        _images = images;
        _found = [.. images.Select(image => (image.Content.Form, LayersOf(image)))];
    }

    /// <summary>For an image whose layers are all imported from the source.</summary>
    public static SnapshotConversions None => new([], isRequired: false);

    public bool IsRequired { get; }

    public bool Any => _found.Count > 0;

    /// <summary>Bytes downloaded of all of them.</summary>
    public long BytesDownloaded => _images.Sum(image => image.Blobs.BytesDownloaded);

    /// <param name="snapshotter">Who wants the layers.</param>
    /// <param name="taking">Where to look.</param>
    /// <param name="image">The source.</param>
    /// <param name="source">Its name.</param>
    /// <param name="backend">The back end that must have written them.</param>
    /// <param name="logger">Told what was found.</param>
    /// <param name="cancellationToken">Cancels the requests.</param>
    /// <exception cref="ConversionException">There is none, and one is required.</exception>
    public static async Task<SnapshotConversions> FindAsync(
        string snapshotter, TakingConverted taking, ResolvedImage image, ImageReference source, string backend, ILogger logger, CancellationToken cancellationToken)
    {
        var forms = FormsOf(snapshotter, backend);
        var found = await new ConvertedImageSearch(taking.Registry, logger).FindAllAsync(image, source, taking.Pattern, forms, cancellationToken);
        if (found.Count == 0)
        {
            var none = $"no converted image was found, {ConvertedImageSearch.Describe(image, source, taking.Pattern, forms)}";
            if (taking.IsRequired)
            {
                throw new ConversionException(none);
            }

            logger.LogInformation("{Image}: {Reason}: converting it", image.Name, none);
        }

        foreach (var conversion in found)
        {
            logger.LogInformation("{Image}: converted as {Where} ({How}), with {Form}", image.Name, conversion.Blobs.Name, conversion.By, conversion.Content.Form);
        }

        return new SnapshotConversions(found, taking.IsRequired);
    }

    /// <summary>What a layer will probably be taken from, before its mount is known; null if it will be imported.</summary>
    public SnapshotConversion? Expected(LayerPlan plan) => _whyEnded is not null ? null
        : _wanted is { } wanted ? LayerOf(wanted, plan)
        : Any ? _found[0].Layers[plan.Index]
        : null;

    /// <summary>What a layer can be taken from.</summary>
    /// <param name="plan">The layer.</param>
    /// <param name="mount">How the snapshotter wants it.</param>
    /// <param name="backend">What would write it here.</param>
    /// <returns>Null with the reason if there is none.</returns>
    public (SnapshotConversion? Conversion, string? WhyNot) Fitting(LayerPlan plan, SnapshotMount mount, string backend)
    {
        var wanted = ConvertedForm.Of(backend, mount.Kind == MountKind.CimFs, SnapshotImport.OptionsOf(mount));
        _wanted = wanted;
        if (_whyEnded is not null)
        {
            return (null, _whyEnded);
        }

        return LayerOf(wanted, plan) is not { } conversion ? (null, $"the snapshotter wants {wanted}, and there are {string.Join(" and ", _found.Select(found => found.Form))}")
            : !wanted.Forked && conversion.Layer.Record.Cim.CimName != mount.CimName ? (null, $"its CIM is named {conversion.Layer.Record.Cim.CimName}, not {mount.CimName}")
            : (conversion, null);
    }

    /// <summary>From now on all layers are imported: those above a forked one that could not be taken are of no use either.</summary>
    public void End(string why) => _whyEnded = why;

    /// <summary>containerd's defaults first. Whether block files are sealed or have a footer, the snapshotter's configuration says, which the daemon does not tell.</summary>
    private static IReadOnlyList<ConvertedForm> FormsOf(string snapshotter, string backend) => snapshotter == SnapshotterChoice.CimFs
        ? [new ConvertedForm(backend, Forked: true, Integrity: false, VhdFooter: false)]
        : [.. from integrity in (bool[])[false, true] from footer in (bool[])[false, true] select new ConvertedForm(backend, Forked: false, integrity, footer)];

    private static SnapshotConversion[] LayersOf(FoundConversion image)
    {
        var from = new PulledFrom(image.Blobs.Name, image.Content.Manifest.Digest, image.By);
        return [.. image.Content.Layers.Zip(LayerPlan.MakePull(image.Content).Layers, (layer, files) => new SnapshotConversion(layer, files, image.Blobs, from))];
    }

    private SnapshotConversion? LayerOf(ConvertedForm form, LayerPlan plan) => _found.FirstOrDefault(found => found.Form == form).Layers?[plan.Index];
}
