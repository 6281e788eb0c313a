using CimConvert.Oci;
using CimConvert.Registry.Pull;

namespace CimConvert.Sources;

/// <summary>Resolves a name, through any indexes, to the image of one platform, and checks every document on the way.</summary>
internal sealed class ImageResolver(IImageSource source)
{
    /// <summary>Indexes of indexes exist; deeper nesting is not known to occur.</summary>
    public const int MaxIndexDepth = 4;

    /// <param name="platform">The platform to select. An image without an index must be for this platform, too.</param>
    /// <param name="osVersion">See <see cref="PlatformSelector.Select"/>.</param>
    /// <param name="cancellationToken">Cancels all requests.</param>
    /// <exception cref="ConversionException">A document is not available or invalid, or no image fits the platform.</exception>
    public async Task<ResolvedImage> ResolveAsync(Platform platform, string? osVersion, CancellationToken cancellationToken)
    {
        var fetched = await source.GetManifestAsync(expected: null, cancellationToken);
        var documents = new List<FetchedManifest> { fetched };
        try
        {
            for (var depth = 0; MediaTypes.IsIndex(fetched.Descriptor.MediaType); depth++)
            {
                if (depth == MaxIndexDepth)
                {
                    throw new InvalidDataException($"its indexes are nested more than {MaxIndexDepth} deep");
                }

                var index = ImageIndex.Parse(fetched.Bytes.Span, fetched.Descriptor.MediaType);
                var chosen = PlatformSelector.Select(index, platform, osVersion);
                fetched = await source.GetManifestAsync(chosen, cancellationToken);
                documents.Add(fetched);
            }

            if (!MediaTypes.IsManifest(fetched.Descriptor.MediaType))
            {
                throw new InvalidDataException($"its media type '{Printable.Of(fetched.Descriptor.MediaType)}' is not an image's or an index's");
            }

            var manifest = ImageManifest.Parse(fetched.Bytes.Span, fetched.Descriptor.MediaType);
            if (manifest.IsConverted)
            {
                throw new InvalidDataException(
                    $"it is converted already, from {Printable.Of(manifest.Annotations?.GetValueOrDefault(ConvertedAnnotations.SourceDigest) ?? "an unknown source")}: take it with 'cimconvert pull'");
            }

            var configBytes = await GetConfigAsync(source, manifest.Config, cancellationToken);
            var config = ImageConfig.Parse(configBytes, manifest.Layers.Count);
            if (PlatformSelector.Mismatch(config.Platform, platform, osVersion) is { } mismatch)
            {
                throw new PlatformNotFoundException(mismatch);
            }

            return new ResolvedImage(source.Name, documents, manifest, configBytes, config);
        }
        catch (Exception e) when (e is InvalidDataException or PlatformNotFoundException)
        {
            throw new ConversionException(e.Message, e);
        }
    }

    /// <summary>Reads an image's config, and checks it against its descriptor.</summary>
    /// <exception cref="InvalidDataException">It is too large, or has another digest.</exception>
    public static async Task<byte[]> GetConfigAsync(IImageSource source, Descriptor config, CancellationToken cancellationToken)
    {
        if (config.Size > ImageConfig.MaxBytes)
        {
            throw new InvalidDataException($"its config has {config.Size} bytes, more than the {ImageConfig.MaxBytes} allowed");
        }

        // The read past the end makes the stream check the blob's size; the digest is checked here.
        var bytes = new byte[config.Size];
        using var blob = await source.OpenBlobAsync(config, offset: 0, cancellationToken);
        await blob.ReadExactlyAsync(bytes, cancellationToken);
        _ = await blob.ReadAsync(new byte[1], cancellationToken);
        var actual = Digest.Compute(bytes);
        return actual == config.Digest
            ? bytes
            : throw new InvalidDataException($"its config has the digest {actual} where the manifest says {config.Digest}; the copy there is damaged");
    }
}
