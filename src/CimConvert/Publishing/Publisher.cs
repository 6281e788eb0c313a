using CimConvert.Oci;
using CimConvert.Sources;
using CimConvert.Store;

namespace CimConvert.Publishing;

/// <summary>Makes a converted image part of the store's OCI layout: blobs first, then the manifest, then the index.</summary>
internal sealed class Publisher(ConversionStore store)
{
    /// <param name="image">The source.</param>
    /// <param name="layers">Its converted layers, base first.</param>
    /// <param name="withSubject">See <see cref="ConvertedManifest.Encode"/>.</param>
    /// <param name="cancellationToken">Leaves blobs without a manifest at worst, which the next run uses.</param>
    /// <returns>The converted manifest's descriptor.</returns>
    public async Task<Descriptor> PublishAsync(
        ResolvedImage image, IReadOnlyList<StoredLayer> layers, bool withSubject, CancellationToken cancellationToken)
    {
        foreach (var layer in layers)
        {
            cancellationToken.ThrowIfCancellationRequested();
            store.LinkBlob(layer.ImagePath, layer.Record.Image.Digest);
            foreach (var file in layer.Record.CimFiles ?? [])
            {
                store.LinkBlob(Path.Combine(layer.Folder, file.File), file.Digest);
            }
        }

        if (layers.Count > 1 && layers[^1].Merged is { } merged)
        {
            store.LinkBlob(layers[^1].MergedPath!, merged.Digest);
        }

        // No lease names these two: nobody may collect them before the index does.
        using var gate = await store.LockAsync(cancellationToken);
        store.PutBlob(image.ConfigBytes, image.Manifest.Config.MediaType);
        var bytes = ConvertedManifest.Encode(image.ManifestDescriptor, image.Manifest.Config, layers, withSubject);
        var manifest = store.PutBlob(bytes, MediaTypes.OciManifest) with
        {
            ArtifactType = MediaTypes.ConvertedImage,
            Platform = image.Config.Platform,
        };
        store.MarkUsed(manifest.Digest);
        await new ImageIndexFile(store).PutAsync(image.Name, manifest, cancellationToken);
        return manifest;
    }
}
