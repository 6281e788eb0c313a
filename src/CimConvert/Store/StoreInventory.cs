using CimConvert.Oci;
using CimConvert.Storage;

namespace CimConvert.Store;

/// <summary>A file that a garbage collection can remove.</summary>
/// <param name="Path">Absolute.</param>
/// <param name="Content">Equal for a layer's file and its blob if they are hard links to one file; else the path.</param>
/// <param name="Bytes">The file's length.</param>
internal sealed record InventoryFile(string Path, string Content, long Bytes)
{
    /// <summary>Bytes on the disk: a file with two names counts once.</summary>
    public static long SizeOnDisk(IEnumerable<InventoryFile> files) => files.DistinctBy(file => file.Content).Sum(file => file.Bytes);
}

/// <summary>A layer's folder.</summary>
/// <param name="ChainId">The folder's name.</param>
/// <param name="Layer">Null if the layer is broken.</param>
/// <param name="Own">All files except those of the merged CIM.</param>
/// <param name="Merged">The files of the merged CIM, also of one that was removed only in part.</param>
internal sealed record InventoryLayer(ChainId ChainId, StoredLayer? Layer, IReadOnlyList<InventoryFile> Own, IReadOnlyList<InventoryFile> Merged);

/// <summary>An image in the index, and what it needs.</summary>
/// <param name="Indexed">Its entry in the index.</param>
/// <param name="Layers">Chain IDs, base first.</param>
/// <param name="Blobs">The manifest, and all blobs it names.</param>
/// <param name="LastUsed">The last conversion, reuse or mount.</param>
internal sealed record InventoryImage(IndexedImage Indexed, IReadOnlyList<ChainId> Layers, IReadOnlySet<Digest> Blobs, DateTimeOffset LastUsed);

/// <summary>All files of a store, with their sizes. Read under the store's lock: nothing may be removed or leased meanwhile.</summary>
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

    public IEnumerable<InventoryFile> Files => Layers.SelectMany(layer => layer.Own.Concat(layer.Merged)).Concat(Blobs.Select(blob => blob.File));

    /// <exception cref="ConversionException">An image's manifest cannot be read, so what the image needs is not known.</exception>
    public static StoreInventory Read(ConversionStore store)
    {
        // Blobs first: a layer is published before its blobs are, so every blob that is listed has its layer read.
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
        return new StoreInventory([.. store.Images().Select(image => ReadImage(store, image))], layers, blobs);
    }

    /// <summary>Null if another process replaces the layer at this moment: then the layer is in use.</summary>
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

    private static InventoryImage ReadImage(ConversionStore store, IndexedImage image)
    {
        var descriptor = image.Manifest;
        var path = store.BlobPath(descriptor.Digest);
        try
        {
            var manifest = ImageManifest.Parse(File.ReadAllBytes(path), descriptor.MediaType);
            return new InventoryImage(
                image,
                [.. manifest.Layers.Select(ConvertedAnnotations.ChainIdOf).OfType<ChainId>()],
                manifest.Layers.Append(manifest.Config).Append(descriptor).Select(blob => blob.Digest).ToHashSet(),
                File.GetLastWriteTimeUtc(path));
        }
        catch (Exception e) when (Failures.IsExpected(e))
        {
            throw new ConversionException($"{image.Name}: its manifest cannot be read, so what it needs is not known ({e.Message}); 'verify --repair' removes it, or convert it again", e);
        }
    }
}
