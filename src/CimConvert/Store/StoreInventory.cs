using CimConvert.Oci;
using CimConvert.Storage;

namespace CimConvert.Store;

/// <summary>A file that a collection can remove.</summary>
/// <param name="Path">Absolute.</param>
/// <param name="Content">The same for a layer's file and its blob where they are one file with two names; else the path.</param>
/// <param name="Bytes">Its length.</param>
internal sealed record InventoryFile(string Path, string Content, long Bytes)
{
    /// <summary>Bytes on the disk: what has two names counts once.</summary>
    public static long SizeOnDisk(IEnumerable<InventoryFile> files) => files.DistinctBy(file => file.Content).Sum(file => file.Bytes);
}

/// <summary>A layer's folder.</summary>
/// <param name="ChainId">The folder's name.</param>
/// <param name="Layer">Null where the layer is broken.</param>
/// <param name="Own">All files but those of the merged CIM.</param>
/// <param name="Merged">The files of the merged CIM, with what is left of one that was half removed.</param>
internal sealed record InventoryLayer(ChainId ChainId, StoredLayer? Layer, IReadOnlyList<InventoryFile> Own, IReadOnlyList<InventoryFile> Merged);

/// <summary>An image of the index, and what it needs.</summary>
/// <param name="Reference">Its name in the index.</param>
/// <param name="Manifest">The descriptor of its manifest.</param>
/// <param name="Layers">Chain IDs; the last is the topmost layer's.</param>
/// <param name="Blobs">The manifest and all it names.</param>
/// <param name="LastUsed">When it was converted, found converted, or mounted.</param>
internal sealed record InventoryImage(
    string Reference, Descriptor Manifest, IReadOnlyList<ChainId> Layers, IReadOnlySet<Digest> Blobs, DateTimeOffset LastUsed);

/// <summary>What lies in a store, and what it weighs. Nobody may remove or begin to use anything while it is read.</summary>
internal sealed class StoreInventory
{
    private StoreInventory(IReadOnlyList<InventoryImage> images, IReadOnlyList<InventoryLayer> layers, IReadOnlyList<(Digest Digest, InventoryFile File)> blobs)
    {
        Images = images;
        Layers = layers;
        Blobs = blobs;
    }

    public IReadOnlyList<InventoryImage> Images { get; }

    public IReadOnlyList<InventoryLayer> Layers { get; }

    public IReadOnlyList<(Digest Digest, InventoryFile File)> Blobs { get; }

    /// <summary>All of it.</summary>
    public IEnumerable<InventoryFile> Files => Layers.SelectMany(layer => layer.Own.Concat(layer.Merged)).Concat(Blobs.Select(blob => blob.File));

    /// <exception cref="ConversionException">An image's manifest cannot be read: what it needs is not known.</exception>
    public static StoreInventory Read(ConversionStore store)
    {
        // Blobs first: a layer's record is there before its blob is, so that no blob is listed whose record is not read.
        (Digest, InventoryFile)[] blobs =
        [
            .. from path in store.BlobFiles()
               let digest = Digest.TryParse("sha256:" + Path.GetFileName(path), out var named) ? named : (Digest?)null
               where digest is not null
               let info = new FileInfo(path)
               where info.Exists
               select (digest.Value, new InventoryFile(path, HardLink.Count(path) > 1 ? digest.Value.Hex : path, info.Length)),
        ];
        InventoryLayer[] layers = [.. store.LayerIds().Select(chainId => TryReadLayer(store, chainId)).OfType<InventoryLayer>()];
        return new StoreInventory([.. store.Images().Select(image => ReadImage(store, image.Reference, image.Manifest))], layers, blobs);
    }

    /// <summary>Null where the layer is being replaced under our eyes: then somebody needs it.</summary>
    private static InventoryLayer? TryReadLayer(ConversionStore store, ChainId chainId)
    {
        try
        {
            return ReadLayer(store, chainId);
        }
        catch (IOException e) when (e is DirectoryNotFoundException or FileNotFoundException)
        {
            return null;
        }
    }

    private static InventoryLayer ReadLayer(ConversionStore store, ChainId chainId)
    {
        var layer = store.FindLayer(chainId);
        var folder = store.LayerFolder(chainId);
        var digests = layer?.Files.ToDictionary(file => file.Path, file => file.Digest, StringComparer.Ordinal) ?? [];
        var files = new DirectoryInfo(folder).EnumerateFiles("*", SearchOption.AllDirectories).ToLookup(
            file => file.DirectoryName == folder && StoredLayer.IsOfMerged(file.Name),
            file => new InventoryFile(
                file.FullName,
                digests.TryGetValue(file.FullName, out var digest) && HardLink.Count(file.FullName) > 1 ? digest.Hex : file.FullName,
                file.Length));
        return new InventoryLayer(chainId, layer, [.. files[false]], [.. files[true]]);
    }

    private static InventoryImage ReadImage(ConversionStore store, string reference, Descriptor descriptor)
    {
        var path = store.BlobPath(descriptor.Digest);
        try
        {
            var manifest = ImageManifest.Parse(File.ReadAllBytes(path), descriptor.MediaType);
            return new InventoryImage(
                reference,
                descriptor,
                [.. manifest.Layers.Select(ConvertedAnnotations.ChainIdOf).OfType<ChainId>()],
                manifest.Layers.Append(manifest.Config).Append(descriptor).Select(blob => blob.Digest).ToHashSet(),
                File.GetLastWriteTimeUtc(path));
        }
        catch (Exception e) when (Failures.IsExpected(e))
        {
            throw new ConversionException($"{reference}: its manifest cannot be read, and what it needs is not known ({e.Message}); 'verify --repair' removes it, or convert it again", e);
        }
    }
}
