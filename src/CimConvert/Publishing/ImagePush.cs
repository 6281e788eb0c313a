using CimConvert.Oci;
using CimConvert.Registry.Push;
using CimConvert.Sources;
using CimConvert.Store;
using Microsoft.Extensions.Logging;

namespace CimConvert.Publishing;

/// <summary>What a push did.</summary>
/// <param name="Reference">Where the image is now.</param>
/// <param name="Digest">The manifest's.</param>
/// <param name="Uploaded">How many blobs and manifests were sent.</param>
/// <param name="Skipped">How many were there.</param>
/// <param name="Mounted">How many the registry took over from another repository.</param>
/// <param name="Bytes">Bytes sent, those sent again after a broken connection included.</param>
internal sealed record PushResult(ImageReference Reference, Digest Digest, int Uploaded, int Skipped, int Mounted, long Bytes);

/// <summary>Pushes a converted image from the store: config and layer files first, the manifest last, so that what has a tag is whole.</summary>
internal sealed class ImagePush(ConversionStore store, RegistryPusher target, ILogger logger)
{
    /// <summary>More at once only compete for the same line.</summary>
    private const int BlobsAtOnce = 3;

    /// <param name="image">The source.</param>
    /// <param name="pulledFrom">Where it is in a registry; null for elsewhere.</param>
    /// <param name="manifest">The converted manifest, which is in the store with all its blobs.</param>
    /// <param name="withSubject">The manifest refers to the source's.</param>
    /// <param name="cancellationToken">Ends the push; uploads that are under way are given up.</param>
    public async Task<PushResult> RunAsync(
        ResolvedImage image, ImageReference? pulledFrom, Descriptor manifest, bool withSubject, CancellationToken cancellationToken)
    {
        var bytes = await File.ReadAllBytesAsync(store.BlobPath(manifest.Digest), cancellationToken);
        var content = ImageManifest.Parse(bytes, manifest.MediaType);

        // The config is the source's: where it lies in the same registry, it need not be sent.
        var mountFrom = pulledFrom?.Registry == target.Reference.Registry && pulledFrom.Repository != target.Reference.Repository ? pulledFrom.Repository : null;
        PushedBlob[] blobs =
        [
            Blob(content.Config, mountFrom),
            .. content.Layers.DistinctBy(layer => layer.Digest).Select(layer => Blob(layer, mountFrom: null)),
        ];
        var counts = new int[Enum.GetValues<PushOutcome>().Length];
        var parallel = new ParallelOptions { MaxDegreeOfParallelism = BlobsAtOnce, CancellationToken = cancellationToken };
        await Parallel.ForEachAsync(blobs, parallel, async (blob, either) =>
        {
            Count(await target.PushBlobAsync(blob, either), $"blob {blob.Digest}", blob.Size);
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
