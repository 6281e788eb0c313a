using CimConvert.Oci;
using CimConvert.Sources;
using CimConvert.Store;

namespace CimConvert.Publishing;

/// <summary>Adds a converted image to the store's OCI layout: blobs first, then the manifest, then its entry in the index.</summary>
internal sealed class Publisher(ConversionStore store)
{
    /// <param name="image">The source image.</param>
    /// <param name="layers">The converted layers, base first.</param>
    /// <param name="withSubject">See <see cref="ConvertedManifest.Encode"/>.</param>
    /// <param name="cancellationToken">Cancelling leaves at most blobs without a manifest, which the next run uses.</param>
    /// <returns>The converted manifest's descriptor.</returns>
    public async Task<Descriptor> PublishAsync(
        ResolvedImage image, IReadOnlyList<StoredLayer> layers, bool withSubject, CancellationToken cancellationToken)
    {
        foreach (var layer in layers)
        {
            cancellationToken.ThrowIfCancellationRequested();
            store.LinkBlob(layer.CimFile, layer.Record.Cim.Digest);
            foreach (var file in layer.Record.RegionFiles ?? [])
            {
                store.LinkBlob(Path.Combine(layer.Folder, file.File), file.Digest);
            }
        }

        if (layers.Count > 1 && layers[^1].Merged is { } merged)
        {
            store.LinkBlob(layers[^1].MergedFile!, merged.Digest);
        }

        // No lease protects hives, configs and the manifest: without the lock, a garbage collection could remove them before the index
        // refers to them.
        using var storeLock = await store.LockAsync(cancellationToken);
        foreach (var (path, digest, _) in layers.SelectMany(ConvertedManifest.HivesToShip))
        {
            store.LinkBlob(path, digest);
        }

        store.PutBlob(image.ConfigBytes, MediaTypes.ConvertedSourceConfig);
        store.PutBlob(ConvertedManifest.EmptyConfig, MediaTypes.OciEmpty);
        var bytes = ConvertedManifest.Encode(image, layers, withSubject);
        var manifest = store.PutBlob(bytes, MediaTypes.OciManifest) with
        {
            ArtifactType = MediaTypes.ConvertedImage,
            Platform = image.Platform,
        };
        store.MarkUsed(manifest.Digest);
        var index = new ImageIndexFile(store);
        await (image.IsFromIndex ? index.PutAsync(image.Name, manifest, cancellationToken) : index.PutOnlyAsync(image.Name, manifest, cancellationToken));
        return manifest;
    }
}
