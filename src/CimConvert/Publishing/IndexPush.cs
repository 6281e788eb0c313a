using CimConvert.Oci;
using CimConvert.Sources;

namespace CimConvert.Publishing;

/// <summary>An index that was pushed.</summary>
/// <param name="Reference">Its name.</param>
/// <param name="Digest">Of the index.</param>
internal sealed record PushedIndex(ImageReference Reference, Digest Digest);

/// <summary>Gives a tag to converted images of several platforms, which are in the repository by their digests: an index of them.</summary>
internal static class IndexPush
{
    /// <param name="push">The tag.</param>
    /// <param name="images">What was pushed, and its source, in the order of the source's index.</param>
    /// <param name="cancellationToken">Cancels the push.</param>
    /// <exception cref="ConversionException">The tag stands for something else, or the push failed.</exception>
    public static async Task<PushedIndex> RunAsync(
        PushOptions push, IReadOnlyList<(PushResult Pushed, ResolvedImage Image)> images, CancellationToken cancellationToken)
    {
        await push.Guard.CheckAsync([.. images.Select(image => image.Image.Platform)], cancellationToken);

        // Two versions that a list asks for may both be best served by one image.
        var entries = images.DistinctBy(image => image.Pushed.Manifest.Digest).Select(image => image.Pushed.Manifest with { Platform = image.Image.Platform });
        var bytes = ManifestWriter.Write(ManifestWriter.Index(entries));
        var index = Descriptor.Of(MediaTypes.OciIndex, bytes);
        await push.Target.PushManifestAsync(index, bytes, subject: null, isTagged: true, cancellationToken);
        return new PushedIndex(push.Target.Reference, index.Digest);
    }
}
