using CimConvert.Oci;
using CimConvert.Storage;

namespace CimConvert.Store;

/// <summary>An image of a store, for a list of all.</summary>
/// <param name="Indexed">Its entry in the index.</param>
/// <param name="Details">Null if its manifest cannot be read.</param>
/// <param name="Problem">Why its manifest cannot be read, else null.</param>
internal sealed record ListedImage(IndexedImage Indexed, ListedDetails? Details, string? Problem);

/// <summary>What the manifest of an image says, and what its files take.</summary>
/// <param name="Source">The digest of the source's manifest; null if the manifest does not say.</param>
/// <param name="Config">The digest of the source's config.</param>
/// <param name="Size">Bytes of all its files, those of its layers' folders included.</param>
/// <param name="Own">Bytes of the files that no other image of the store needs.</param>
/// <param name="Backend">What wrote its CIMs; null if the manifest does not say.</param>
/// <param name="IsForked">Whether it is a chain of forked CIMs; else of block CIMs.</param>
/// <param name="IsSealed">Whether its files have root digests.</param>
/// <param name="HasVhdFooter">Whether its files end in a VHD footer.</param>
/// <param name="LastUsed">The last conversion, reuse or mount.</param>
internal sealed record ListedDetails(
    Digest? Source,
    Digest Config,
    long Size,
    long Own,
    string? Backend,
    bool IsForked,
    bool IsSealed,
    bool HasVhdFooter,
    DateTimeOffset LastUsed)
{
    /// <summary>Bytes of the files that other images need, too.</summary>
    public long Shared => Size - Own;
}

/// <summary>
/// Lists the images of a store: reads every manifest once and looks into every layer's folder once, and writes nothing. Contents are not
/// checked: that is what <see cref="StoreVerification"/> does.
/// </summary>
internal sealed class StoreListing
{
    private readonly ConversionStore _store;

    /// <summary>By blob, how many images need it.</summary>
    private readonly Dictionary<Digest, int> _blobs = [];

    /// <summary>By layer, how many images need it, and the bytes of its folder that are no blobs.</summary>
    private readonly Dictionary<ChainId, (int Images, long Bytes)> _layers = [];

    private StoreListing(ConversionStore store) => _store = store;

    /// <summary>All images, in the order of the index.</summary>
    /// <exception cref="ConversionException">The index cannot be read.</exception>
    public static IReadOnlyList<ListedImage> Read(ConversionStore store)
    {
        var listing = new StoreListing(store);
        var contents = store.Images().Select(listing.ReadContent).ToArray();
        return [.. contents.Select(listing.List)];
    }

    /// <summary>Reads a manifest, and counts what it needs.</summary>
    private Content ReadContent(IndexedImage image)
    {
        try
        {
            var path = _store.BlobPath(image.Manifest.Digest);
            var manifest = ImageManifest.Parse(File.ReadAllBytes(path), image.Manifest.MediaType);
            Descriptor[] blobs = [.. manifest.Layers.Append(manifest.Config).Append(image.Manifest).DistinctBy(blob => blob.Digest)];
            ChainId[] layers = [.. manifest.Layers.Select(ConvertedAnnotations.ChainIdOf).OfType<ChainId>().Distinct()];
            foreach (var blob in blobs)
            {
                _blobs[blob.Digest] = _blobs.GetValueOrDefault(blob.Digest) + 1;
            }

            foreach (var layer in layers)
            {
                _layers[layer] = _layers.TryGetValue(layer, out var known) ? (known.Images + 1, known.Bytes) : (1, BytesBesideBlobs(layer));
            }

            return new Content(image, manifest, blobs, layers, File.GetLastWriteTimeUtc(path), Problem: null);
        }
        catch (Exception e) when (Failures.IsExpected(e))
        {
            return new Content(image, Manifest: null, [], [], default, e.Message);
        }
    }

    private ListedImage List(Content content)
    {
        if (content.Manifest is not { } manifest)
        {
            return new ListedImage(content.Image, Details: null, content.Problem);
        }

        var (size, own) = (0L, 0L);
        foreach (var blob in content.Blobs)
        {
            Count(blob.Size, _blobs[blob.Digest]);
        }

        foreach (var layer in content.Layers)
        {
            Count(_layers[layer].Bytes, _layers[layer].Images);
        }

        return new ListedImage(
            content.Image,
            new ListedDetails(
                Digest.TryParse(manifest.Annotations?.GetValueOrDefault(ConvertedAnnotations.SourceDigest) ?? string.Empty, out var source) ? source : null,
                (manifest.Layers.FirstOrDefault(file => file.MediaType == MediaTypes.ConvertedSourceConfig) ?? manifest.Config).Digest,
                size,
                own,
                ValueOf(ConvertedAnnotations.Backend),
                manifest.Layers.Any(layer => layer.MediaType == MediaTypes.ConvertedForked),
                ValueOf(ConvertedAnnotations.IntegrityRoot) is not null,
                ValueOf(ConvertedAnnotations.VhdFooter) is "true",
                content.LastUsed),
            Problem: null);

        void Count(long bytes, int images)
        {
            size += bytes;
            own += images == 1 ? bytes : 0;
        }

        // All layers of an image are made with the same options.
        string? ValueOf(string annotation) =>
            manifest.Layers.Select(layer => layer.Annotations?.GetValueOrDefault(annotation)).FirstOrDefault(value => value is not null);
    }

    /// <summary>
    /// Bytes of a layer's folder that its blobs do not have: records, hives, and where the file system has no hard links the layer's files
    /// themselves. A file with a second name is a blob.
    /// </summary>
    private long BytesBesideBlobs(ChainId layer)
    {
        var folder = new DirectoryInfo(_store.LayerFolder(layer));
        try
        {
            return folder.EnumerateFiles("*", SearchOption.AllDirectories).Where(file => HardLink.Count(file.FullName) == 1).Sum(file => file.Length);
        }
        catch (IOException)
        {
            // Missing, or being replaced by another process.
            return 0;
        }
    }

    private sealed record Content(
        IndexedImage Image, ImageManifest? Manifest, IReadOnlyList<Descriptor> Blobs, IReadOnlyList<ChainId> Layers, DateTimeOffset LastUsed, string? Problem);
}
