using CimConvert.Oci;
using CimConvert.Publishing;
using CimConvert.Registry.Pull;
using CimConvert.Sources;
using Microsoft.Extensions.Logging;

namespace CimConvert.Pipeline;

/// <summary>
/// Finds the converted image of a name, in this order: the name itself, the referrers of the source that it names, and a pattern.
/// </summary>
/// <param name="registry">Searched.</param>
/// <param name="form">The form that is wanted.</param>
/// <param name="options">The platform that is wanted.</param>
/// <param name="pattern">The name that the pattern gives for this image; null for no pattern.</param>
/// <param name="verifySource">
/// Whether a converted image that is named itself must name its source as its subject, and the source must be there and be what it says.
/// </param>
/// <param name="logger">Told why a candidate is not taken.</param>
internal sealed class ConversionFinder(
    RegistryClient registry, ConvertedForm form, ConversionOptions options, ImageReference? pattern, bool verifySource, ILogger logger)
{
    /// <param name="source">What the user named.</param>
    /// <param name="cancellationToken">Cancels the requests.</param>
    /// <returns>The source as far as it is known, the converted images to try in turn, and where was looked for them.</returns>
    /// <exception cref="ConversionException">A document is not available or invalid, or the name's own converted image is not as wanted.</exception>
    public async Task<(ResolvedImage Image, IAsyncEnumerable<FoundConversion> Found, string Looked)> FindAsync(IImageSource source, CancellationToken cancellationToken)
    {
        FetchedManifest? root = null;
        try
        {
            // One of several versions was chosen from an index of sources.
            root = options.Entry is null ? await source.GetManifestAsync(expected: null, cancellationToken) : null;
            if (root is not null && await NamedAsync(source, root, cancellationToken) is { } named)
            {
                return (named.Image, AsyncEnumerable.Repeat(named.Found, 1), string.Empty);
            }
        }
        catch (Exception e) when (e is InvalidDataException or PlatformNotFoundException)
        {
            throw new ConversionException(e.Message, e);
        }

        var image = await options.ResolveAsync(source, cancellationToken, root);
        var reference = (source as RegistrySource)?.Reference;
        var found = new ConvertedImageSearch(registry, logger).FindAsync(image, reference, pattern, form, cancellationToken);
        return (image, found, ConvertedImageSearch.Describe(image, reference, pattern, form));
    }

    /// <returns>Null if the name is not that of a converted image, or of an index of such.</returns>
    private async Task<(ResolvedImage Image, FoundConversion Found)?> NamedAsync(IImageSource source, FetchedManifest root, CancellationToken cancellationToken)
    {
        var fetched = root;
        var documents = new List<FetchedManifest> { fetched };
        Platform? offered = null;
        if (MediaTypes.IsIndex(fetched.Descriptor.MediaType))
        {
            var index = ImageIndex.Parse(fetched.Bytes.Span, fetched.Descriptor.MediaType);
            Descriptor[] converted = [.. index.Manifests.Where(entry => entry.ArtifactType == MediaTypes.ConvertedImage).Select(entry => entry with { ArtifactType = null })];
            if (converted.Length == 0)
            {
                return null;
            }

            var entry = PlatformSelector.Select(index with { Manifests = converted }, options.Platform, options.Request.Preferred);
            offered = entry.Platform;
            fetched = await source.GetManifestAsync(entry, cancellationToken);
            documents.Add(fetched);
        }

        if (!MediaTypes.IsManifest(fetched.Descriptor.MediaType)
            || ImageManifest.Parse(fetched.Bytes.Span, fetched.Descriptor.MediaType) is not { IsConverted: true } manifest)
        {
            return null;
        }

        var content = ConvertedContent.Read(fetched);
        var configBytes = await ImageResolver.GetConfigAsync(source, content.Config, cancellationToken);
        var config = ImageConfig.Parse(configBytes, content.Layers.Count);
        if (PlatformSelector.Mismatch(config.Platform, options.Platform, options.OsVersion) is { } mismatch)
        {
            throw new PlatformNotFoundException(mismatch);
        }

        var image = new ResolvedImage(source.Name, documents, manifest, configBytes, config)
        {
            ManifestDescriptor = content.Subject ?? Descriptor.Of(MediaTypes.OciManifest, content.Source, size: 0),
            Offered = offered ?? content.Platform,
        };
        if (content.Subject is { } subject && subject.Digest != content.Source)
        {
            throw new InvalidDataException($"it is a converted image, but its subject is not its source, {content.Source}");
        }

        if (ConvertedImageSearch.Mismatch(content, image, form) is { } reason)
        {
            throw new InvalidDataException($"it is a converted image, but {reason}");
        }

        if (verifySource)
        {
            await VerifySourceAsync(source, content, cancellationToken);
        }

        return (image, new FoundConversion(content, source, FoundBy.Name));
    }

    private static async Task VerifySourceAsync(IImageSource source, ConvertedContent content, CancellationToken cancellationToken)
    {
        if (content.Subject is not { } subject)
        {
            throw new InvalidDataException("it does not name its source as its subject, which --verify-source needs: push it with --subject");
        }

        var original = await source.GetManifestAsync(subject, cancellationToken);
        var manifest = ImageManifest.Parse(original.Bytes.Span, original.Descriptor.MediaType);
        if (manifest.Config.Digest != content.Config.Digest)
        {
            throw new InvalidDataException($"its source {content.Source} has the config {manifest.Config.Digest}, not {content.Config.Digest}");
        }
    }
}
