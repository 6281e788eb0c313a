using CimConvert.Oci;
using CimConvert.Registry.Pull;
using CimConvert.Registry.Push;
using CimConvert.Sources;

namespace CimConvert.Publishing;

/// <summary>
/// Keeps a push from destroying what a tag stands for. A tag may be new, or stand for the converted image of the same platform: anything
/// else cannot be made again from what is pushed.
/// </summary>
/// <param name="target">The tag.</param>
/// <param name="isForced">Whether anything may be replaced.</param>
internal sealed class PushGuard(RegistryPusher target, bool isForced)
{
    /// <summary>Checks the tag for any converted image: for a list, before its first push.</summary>
    /// <exception cref="ConversionException">The tag stands for something else.</exception>
    public async Task CheckAsync(CancellationToken cancellationToken)
    {
        if (!isForced && await target.FindTaggedAsync(cancellationToken) is { } tagged)
        {
            Check(tagged, platform: null, source: []);
        }
    }

    /// <summary>Checks the tag for the converted image of one platform.</summary>
    /// <param name="image">The source image.</param>
    /// <param name="cancellationToken">Cancels the request.</param>
    /// <exception cref="ConversionException">The tag stands for something else.</exception>
    public async Task CheckAsync(ResolvedImage image, CancellationToken cancellationToken)
    {
        if (!isForced && await target.FindTaggedAsync(cancellationToken) is { } tagged)
        {
            Check(tagged, image.Platform, [.. image.Documents.Select(document => document.Descriptor.Digest)]);
        }
    }

    /// <summary>Checks the tag for an index: it must have all platforms that the tag has now.</summary>
    /// <param name="platforms">The platforms of the new index.</param>
    /// <param name="cancellationToken">Cancels the request.</param>
    /// <exception cref="ConversionException">The tag stands for something else, or would lose a platform.</exception>
    public async Task CheckAsync(IReadOnlyList<Platform> platforms, CancellationToken cancellationToken)
    {
        if (isForced || await target.FindTaggedAsync(cancellationToken) is not { } tagged)
        {
            return;
        }

        Check(tagged, platform: null, source: []);
        var kept = platforms.Select(platform => PlatformKey.Of(platform)).ToHashSet();
        if (PlatformsOf(tagged).OfType<Platform>().FirstOrDefault(platform => !kept.Contains(PlatformKey.Of(platform))) is { } lost)
        {
            throw Refused($"also stands for the converted image of {lost}, which the new index has not");
        }
    }

    private void Check(FetchedManifest tagged, Platform? platform, IReadOnlyList<Digest> source)
    {
        if (source.Contains(tagged.Descriptor.Digest) && !IsConverted(tagged))
        {
            throw Refused("is the source itself, which the push would replace");
        }

        if (!IsConverted(tagged))
        {
            throw Refused($"stands for something else, {tagged.Descriptor.Digest}, which is no converted image");
        }

        if (platform is not null && MediaTypes.IsIndex(tagged.Descriptor.MediaType))
        {
            throw Refused("stands for the converted images of several platforms, of which one would be left");
        }

        if (platform is not null && PlatformsOf(tagged) is [{ } there] && PlatformKey.Of(there) != PlatformKey.Of(platform))
        {
            throw Refused($"stands for the converted image of {there}, not {platform}: with --all, one tag has both");
        }
    }

    /// <summary>What the tag has converted images for; null for one of an earlier version, which did not say.</summary>
    private static IReadOnlyList<Platform?> PlatformsOf(FetchedManifest tagged) => MediaTypes.IsIndex(tagged.Descriptor.MediaType)
        ? [.. ImageIndex.Parse(tagged.Bytes.Span, tagged.Descriptor.MediaType).Manifests.Select(entry => entry.Platform)]
        : [ConvertedAnnotations.PlatformOf(ImageManifest.Parse(tagged.Bytes.Span, tagged.Descriptor.MediaType).Annotations)];

    private ConversionException Refused(string why) =>
        new($"{target.Reference} {why}: nothing is pushed; use another tag, or --force");

    private static bool IsConverted(FetchedManifest tagged)
    {
        try
        {
            return MediaTypes.IsIndex(tagged.Descriptor.MediaType)
                ? ImageIndex.Parse(tagged.Bytes.Span, tagged.Descriptor.MediaType).Manifests is { Count: > 0 } entries
                    && entries.All(entry => entry.ArtifactType == MediaTypes.ConvertedImage)
                : ImageManifest.Parse(tagged.Bytes.Span, tagged.Descriptor.MediaType).IsConverted;
        }
        catch (InvalidDataException)
        {
            return false;
        }
    }
}
