using CimConvert.Oci;
using CimConvert.Registry.Push;
using CimConvert.Sources;
using CimConvert.Store;
using Microsoft.Extensions.Logging;

namespace CimConvert.Publishing;

/// <summary>The result of a push.</summary>
/// <param name="Reference">The image's new reference.</param>
/// <param name="Digest">The manifest's digest.</param>
/// <param name="Uploaded">How many blobs and manifests were uploaded.</param>
/// <param name="Skipped">How many the repository already had.</param>
/// <param name="Mounted">How many the registry mounted from another repository (distribution spec, "Mounting a blob from another repository").</param>
/// <param name="Bytes">Bytes sent, including those sent again after a broken connection.</param>
internal sealed record PushResult(ImageReference Reference, Digest Digest, int Uploaded, int Skipped, int Mounted, long Bytes);

/// <summary>Pushes a converted image from the store. The manifest goes last, so a tag never refers to an incomplete image.</summary>
internal sealed class ImagePush(ConversionStore store, RegistryPusher target, ILogger logger)
{
    /// <summary>More parallel uploads only compete for the same bandwidth.</summary>
    private const int ParallelUploads = 3;

    /// <param name="image">The source image.</param>
    /// <param name="pulledFrom">The source image's reference in a registry; null if it came from a file or folder.</param>
    /// <param name="manifest">The converted manifest; the store has it and all its blobs.</param>
    /// <param name="withSubject">Whether the manifest has the source's manifest as its subject.</param>
    /// <param name="cancellationToken">Cancels the push and the uploads in progress.</param>
    public async Task<PushResult> RunAsync(
        ResolvedImage image, ImageReference? pulledFrom, Descriptor manifest, bool withSubject, CancellationToken cancellationToken)
    {
        var bytes = await File.ReadAllBytesAsync(store.BlobPath(manifest.Digest), cancellationToken);
        var content = ImageManifest.Parse(bytes, manifest.MediaType);

        // The config is the source's: a registry that has the source can mount it.
        var mountFrom = pulledFrom?.Registry == target.Reference.Registry && pulledFrom.Repository != target.Reference.Repository ? pulledFrom.Repository : null;
        PushedBlob[] blobs =
        [
            Blob(content.Config, mountFrom),
            .. content.Layers.DistinctBy(layer => layer.Digest).Select(layer => Blob(layer, mountFrom: null)),
        ];
        var counts = new int[Enum.GetValues<PushOutcome>().Length];
        var parallel = new ParallelOptions { MaxDegreeOfParallelism = ParallelUploads, CancellationToken = cancellationToken };
        await Parallel.ForEachAsync(blobs, parallel, async (blob, token) =>
        {
            Count(await target.PushBlobAsync(blob, token), $"blob {blob.Digest}", blob.Size);
        });

        var described = manifest with { Annotations = ConvertedManifest.Annotations(image.ManifestDescriptor) };
        var subject = withSubject ? image.ManifestDescriptor : null;
        Count(await target.PushManifestAsync(described, bytes, subject, cancellationToken), $"manifest {manifest.Digest}", bytes.Length);
        return new PushResult(
            target.Reference, manifest.Digest, counts[(int)PushOutcome.Uploaded], counts[(int)PushOutcome.Skipped], counts[(int)PushOutcome.Mounted], target.BytesSent);

        void Count(PushOutcome outcome, string what, long size)
        {
            Interlocked.Increment(ref counts[(int)outcome]);
            logger.LogInformation("{What} ({Size} bytes) {Outcome}", what, size, outcome switch
            {
                PushOutcome.Uploaded => "pushed",
                PushOutcome.Mounted => $"mounted from {mountFrom}",
                _ => "is there",
            });
        }
    }

    private PushedBlob Blob(Descriptor descriptor, string? mountFrom) =>
        new(descriptor.Digest, descriptor.Size, store.BlobPath(descriptor.Digest), mountFrom);
}
