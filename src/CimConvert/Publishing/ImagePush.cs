using System.Collections.Concurrent;
using CimConvert.Oci;
using CimConvert.Registry.Push;
using CimConvert.Sources;
using CimConvert.Store;
using Microsoft.Extensions.Logging;

namespace CimConvert.Publishing;

/// <summary>The result of a push.</summary>
/// <param name="Reference">The image's new reference.</param>
/// <param name="Manifest">The pushed manifest, with artifact type and annotations. It is not the store's where files were compressed.</param>
/// <param name="Uploaded">How many blobs and manifests were uploaded.</param>
/// <param name="Skipped">How many the repository already had.</param>
/// <param name="Mounted">How many the registry mounted from another repository (distribution spec, "Mounting a blob from another repository").</param>
/// <param name="Bytes">Bytes sent, including those sent again after a broken connection.</param>
internal sealed record PushResult(ImageReference Reference, Descriptor Manifest, int Uploaded, int Skipped, int Mounted, long Bytes);

/// <summary>
/// Pushes a converted image from the store, its files compressed for transport. The manifest goes last, so a tag never refers to an
/// incomplete image.
/// </summary>
internal sealed class ImagePush(ConversionStore store, PushOptions options, ILogger logger)
{
    /// <summary>More parallel uploads only compete for the same bandwidth, and compressing takes a core each.</summary>
    private const int ParallelUploads = 3;

    private readonly RegistryPusher _target = options.Target;

    /// <param name="image">The source image.</param>
    /// <param name="pulledFrom">The source image's reference in a registry; null if it came from a file or folder.</param>
    /// <param name="manifest">The converted manifest; the store has it and all its blobs.</param>
    /// <param name="cancellationToken">Cancels the push and the uploads in progress.</param>
    /// <exception cref="ConversionException">The tag stands for something else (<see cref="PushGuard"/>), or the push failed.</exception>
    public async Task<PushResult> RunAsync(ResolvedImage image, ImageReference? pulledFrom, Descriptor manifest, CancellationToken cancellationToken)
    {
        await options.CheckAsync(image, cancellationToken);
        var content = ImageManifest.Parse(await File.ReadAllBytesAsync(store.BlobPath(manifest.Digest), cancellationToken), manifest.MediaType);

        // The config is the source's: a registry that has the source can mount it.
        var mountFrom = pulledFrom?.Registry == _target.Reference.Registry && pulledFrom.Repository != _target.Reference.Repository ? pulledFrom.Repository : null;
        var before = _target.BytesSent;
        var counts = new int[Enum.GetValues<PushOutcome>().Length];
        var sent = new ConcurrentDictionary<Digest, Descriptor>();
        var files = new TransportPush(store, _target, options.Settings.Compression);
        var parallel = new ParallelOptions { MaxDegreeOfParallelism = ParallelUploads, CancellationToken = cancellationToken };
        await Parallel.ForEachAsync(content.Layers.Append(content.Config).DistinctBy(file => file.Digest), parallel, async (file, token) =>
        {
            if (ConvertedAnnotations.ChainIdOf(file) is not { } layer)
            {
                var blob = new PushedBlob(file.Digest, file.Size, store.BlobPath(file.Digest), file.MediaType == MediaTypes.ConvertedSourceConfig ? mountFrom : null);
                Count(await _target.PushBlobAsync(blob, token), $"blob {file.Digest}", file.Size);
                return;
            }

            var (entry, outcome) = await files.RunAsync(file, layer, token);
            sent[file.Digest] = entry;
            Count(outcome, $"blob {entry.Digest}", entry.Size);
        });

        var pushed = content with { Layers = [.. content.Layers.Select(file => Sent(file, sent))] };
        var bytes = ManifestWriter.Write(pushed);
        var described = Descriptor.Of(MediaTypes.OciManifest, bytes) with { ArtifactType = content.ArtifactType, Annotations = content.Annotations };
        var done = await _target.PushManifestAsync(described, bytes, content.Subject, options.IsTagged, cancellationToken);
        Count(done, $"manifest {described.Digest}", bytes.Length);
        return new PushResult(
            _target.Reference, described, counts[(int)PushOutcome.Uploaded], counts[(int)PushOutcome.Skipped], counts[(int)PushOutcome.Mounted], _target.BytesSent - before);

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

    /// <summary>Two files with the same content are sent once, and each keeps its own annotations.</summary>
    private static Descriptor Sent(Descriptor file, ConcurrentDictionary<Digest, Descriptor> sent) =>
        !sent.TryGetValue(file.Digest, out var entry) || entry.Digest == file.Digest
            ? file
            : TransportPush.EntryOf(file, entry);
}
