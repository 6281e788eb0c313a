using CimConvert.Cims;
using CimConvert.Cims.Mounting;
using CimConvert.Oci;

namespace CimConvert.Store;

/// <summary>Finds the CIM that holds a whole image in a store, by the reference the image was pulled by.</summary>
internal static class StoredImage
{
    /// <summary>Whether a location has the form <c>STORE::REF</c>.</summary>
    public static bool IsLocation(string location) => Split(location) is var (store, _) && ConversionStore.IsStore(store);

    /// <param name="location">As <c>STORE::REF</c>.</param>
    /// <param name="wanted">Which platform, if the reference has several.</param>
    /// <exception cref="ConversionException">The image, or one of its layers, is not in the store, or no platform of it fits.</exception>
    public static MountableCim Find(string location, PlatformRequest wanted)
    {
        var (root, reference) = Split(location) ?? throw new ArgumentException("not of the form STORE::REF", nameof(location));
        var store = ConversionStore.OpenExisting(root);
        var all = store.Images();
        var images = all.Where(image => image.Reference == reference).ToArray();
        if (images.Length == 0)
        {
            throw new ConversionException($"'{root}' has no image '{reference}'; it has: {string.Join(", ", all.Select(image => image.Reference).Distinct())}");
        }

        var descriptor = Choose(root, images, wanted);
        var last = ImageManifest.Parse(File.ReadAllBytes(store.BlobPath(descriptor.Digest)), descriptor.MediaType).Layers[^1];
        var layer = ConvertedAnnotations.ChainIdOf(last) is { } chainId ? store.FindLayer(chainId) : null;
        store.MarkUsed(descriptor.Digest);
        if (layer is { IsForked: true } && layer.Record.Cim.Digest == last.Digest)
        {
            return MountableCim.At(layer.CimFile, []);
        }

        if (layer is not null && last.MediaType != MediaTypes.ConvertedMerged && layer.Record.Cim.Digest == last.Digest)
        {
            return MountableCim.At(Location(layer.CimFile, layer.Record.Cim.CimName), []);
        }

        if (layer?.Merged is { } merged && merged.Digest == last.Digest)
        {
            return MountableCim.At(
                Location(layer.MergedFile!, merged.CimName),
                [.. store.SourcesOf(layer).Select(path => new BlockCim(path, layer.Record.Cim.CimName))]);
        }

        throw new ConversionException($"'{root}' has image '{reference}', but not the layers it was converted to: convert it again");
    }

    private static Descriptor Choose(string root, IndexedImage[] images, PlatformRequest wanted)
    {
        // The default version is there to choose by, not to refuse the only image.
        if (images.Length == 1 && wanted.OsVersion is null)
        {
            return images[0].Manifest;
        }

        // As in the index of the source: what makes them artifacts to others is no reason against them here.
        var index = new ImageIndex { SchemaVersion = 2, Manifests = [.. images.Select(image => image.Manifest with { ArtifactType = null, Annotations = null })] };
        try
        {
            return PlatformSelector.Select(index, wanted.Platform, wanted.Preferred);
        }
        catch (PlatformNotFoundException e)
        {
            throw Failures.Of($"'{root}', image '{images[0].Reference}'", e);
        }
    }

    private static string Location(string path, string cimName) => path + OpenCim.NameSeparator + cimName;

    /// <summary>Splits at the last <c>::</c>, since references contain none.</summary>
    private static (string Store, string Reference)? Split(string location) =>
        location.LastIndexOf(OpenCim.NameSeparator, StringComparison.Ordinal) is > 0 and var cut
            ? (location[..cut], location[(cut + OpenCim.NameSeparator.Length)..])
            : null;
}
