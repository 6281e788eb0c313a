using CimConvert.Cims;
using CimConvert.Cims.Mounting;
using CimConvert.Oci;

namespace CimConvert.Store;

/// <summary>An image of a store, found by the reference it was pulled by: the CIM that holds all of it.</summary>
internal static class StoredImage
{
    /// <summary>Whether a location is of this form: <c>STORE::REF</c>.</summary>
    public static bool IsLocation(string location) => Split(location) is var (store, _) && ConversionStore.IsStore(store);

    /// <exception cref="ConversionException">The store does not have the image.</exception>
    public static MountableCim Find(string location)
    {
        var (root, reference) = Split(location) ?? throw new ArgumentException("not of the form STORE::REF", nameof(location));
        var store = ConversionStore.OpenExisting(root);
        var images = store.Images().Where(image => image.Reference == reference).ToArray();
        if (images.Length == 0)
        {
            throw new ConversionException($"'{root}' has no image '{reference}'; it has: {string.Join(", ", store.Images().Select(image => image.Reference))}");
        }

        var descriptor = images[0].Manifest;
        var last = ImageManifest.Parse(File.ReadAllBytes(store.BlobPath(descriptor.Digest)), descriptor.MediaType).Layers[^1];
        var layer = ConvertedAnnotations.ChainIdOf(last) is { } chainId ? store.FindLayer(chainId) : null;
        store.MarkUsed(descriptor.Digest);
        if (layer is { IsForked: true } && layer.Record.Image.Digest == last.Digest)
        {
            return MountableCim.At(layer.ImagePath, []);
        }

        if (layer is not null && last.MediaType != MediaTypes.ConvertedMerged && layer.Record.Image.Digest == last.Digest)
        {
            return MountableCim.At(Location(layer.ImagePath, layer.Record.Image.CimName), []);
        }

        if (layer?.Merged is { } merged && merged.Digest == last.Digest)
        {
            return MountableCim.At(
                Location(layer.MergedPath!, merged.CimName),
                [.. store.SourcesOf(layer).Select(path => new BlockCim(path, layer.Record.Image.CimName))]);
        }

        throw new ConversionException($"'{root}' has image '{reference}', but not the layers it was converted to: convert it again");
    }

    private static string Location(string path, string cimName) => path + OpenCim.NameSeparator + cimName;

    /// <summary>References have no <c>::</c>.</summary>
    private static (string Store, string Reference)? Split(string location) =>
        location.LastIndexOf(OpenCim.NameSeparator, StringComparison.Ordinal) is > 0 and var cut
            ? (location[..cut], location[(cut + OpenCim.NameSeparator.Length)..])
            : null;
}
