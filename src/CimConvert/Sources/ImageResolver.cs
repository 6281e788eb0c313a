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
    public Task<ResolvedImage> ResolveAsync(Platform platform, string? osVersion, CancellationToken cancellationToken) =>
        ResolveAsync(new PlatformRequest { Platform = platform, OsVersion = osVersion }, cancellationToken);

    /// <param name="wanted">What to select. An image without an index must be for this platform, too.</param>
    /// <param name="cancellationToken">Cancels all requests.</param>
    /// <param name="root">What the name itself refers to, if it was fetched already.</param>
    /// <exception cref="ConversionException">A document is not available or invalid, or no image fits.</exception>
    public Task<ResolvedImage> ResolveAsync(PlatformRequest wanted, CancellationToken cancellationToken, FetchedManifest? root = null) => InOneLineAsync(async () =>
    {
        var documents = new List<FetchedManifest> { root ?? await source.GetManifestAsync(expected: null, cancellationToken) };
        Descriptor? chosen = null;
        while (MediaTypes.IsIndex(documents[^1].Descriptor.MediaType))
        {
            CheckDepth(documents);
            chosen = PlatformSelector.Select(ParseSources(documents[^1]), wanted.Platform, wanted.Preferred);
            documents.Add(await source.GetManifestAsync(chosen, cancellationToken));
        }

        return await ReadAsync(documents, chosen, wanted.Platform, chosen is null ? wanted.OsVersion : wanted.Preferred, cancellationToken);
    });

    /// <summary>Resolves an image that <see cref="ListAsync(Platform, CancellationToken)"/> found, whatever its version.</summary>
    /// <param name="entry">The image.</param>
    /// <param name="platform">The platform that it was found for.</param>
    /// <param name="cancellationToken">Cancels all requests.</param>
    /// <exception cref="ConversionException">A document is not available or invalid, or the image is for another platform than the index says.</exception>
    public Task<ResolvedImage> ResolveAsync(IndexEntry entry, Platform platform, CancellationToken cancellationToken) => InOneLineAsync(async () =>
    {
        FetchedManifest[] documents = [.. entry.Indexes, await source.GetManifestAsync(entry.Manifest, cancellationToken)];
        return await ReadAsync(documents, entry.Manifest, platform, osVersion: null, cancellationToken);
    });

    /// <summary>
    /// All images that the name stands for on a platform, of every version, in the order of the index. Of several revisions of one build
    /// the highest, since all hosts of the build run it.
    /// </summary>
    /// <returns>Null if the name refers to an image, not to an index.</returns>
    /// <exception cref="ConversionException">A document is not available or invalid, or no image fits the platform.</exception>
    public Task<IReadOnlyList<IndexEntry>?> ListAsync(Platform platform, CancellationToken cancellationToken) => InOneLineAsync(async () =>
    {
        var root = await source.GetManifestAsync(expected: null, cancellationToken);
        if (!MediaTypes.IsIndex(root.Descriptor.MediaType))
        {
            return null;
        }

        var found = new List<IndexEntry>();
        await ListAsync([root], platform, found, [], cancellationToken);
        if (found.Count == 0)
        {
            // Says of each entry why it does not fit.
            PlatformSelector.Select(Parse(root), platform, osVersion: null);
            throw new PlatformNotFoundException($"the index has nothing for {platform}: its entries are indexes that have nothing for it");
        }

        var newest = found.GroupBy(entry => PlatformKey.Of(entry.Manifest.Platform))
            .ToDictionary(same => same.Key, same => same.MaxBy(entry => entry.Manifest.Platform, PlatformOrder.Instance));
        return (IReadOnlyList<IndexEntry>?)[.. found.Where(entry => entry.Manifest.Platform is null || newest[PlatformKey.Of(entry.Manifest.Platform)] == entry)];
    });

    private async Task ListAsync(
        IReadOnlyList<FetchedManifest> indexes, Platform platform, List<IndexEntry> found, HashSet<Digest> seen, CancellationToken cancellationToken)
    {
        CheckDepth(indexes);
        foreach (var entry in PlatformSelector.SelectAll(ParseSources(indexes[^1]), platform).Where(entry => seen.Add(entry.Digest)))
        {
            if (seen.Count > ImageIndex.MaxManifests)
            {
                throw new InvalidDataException($"its indexes have more than the {ImageIndex.MaxManifests} entries allowed");
            }

            if (MediaTypes.IsIndex(entry.MediaType))
            {
                await ListAsync([.. indexes, await source.GetManifestAsync(entry, cancellationToken)], platform, found, seen, cancellationToken);
            }
            else if (entry.Platform is not null || await IsForAsync(new IndexEntry(indexes, entry), platform, cancellationToken))
            {
                found.Add(new IndexEntry(indexes, entry));
            }
        }
    }

    /// <summary>Whether an entry for which the index names no platform is an image for this one: its config says so.</summary>
    private async Task<bool> IsForAsync(IndexEntry entry, Platform platform, CancellationToken cancellationToken)
    {
        try
        {
            await ResolveAsync(entry, platform, cancellationToken);
            return true;
        }
        catch (ConversionException e) when (e.InnerException is PlatformNotFoundException)
        {
            return false;
        }
    }

    /// <param name="documents">The indexes, and the manifest.</param>
    /// <param name="chosen">The manifest's entry in the last index; null without an index.</param>
    /// <param name="platform">The platform that the image must be for.</param>
    /// <param name="osVersion">The version that it must be for; null for any.</param>
    /// <param name="cancellationToken">Cancels the request for the config.</param>
    private async Task<ResolvedImage> ReadAsync(
        IReadOnlyList<FetchedManifest> documents, Descriptor? chosen, Platform platform, string? osVersion, CancellationToken cancellationToken)
    {
        var fetched = documents[^1];
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

        return new ResolvedImage(source.Name, documents, manifest, configBytes, config)
        {
            Offered = chosen?.Platform,
            Alternatives = AlternativesIn(documents, platform),
        };
    }

    /// <summary>The platforms of all entries that fit, except for the one that was chosen.</summary>
    private static IReadOnlyList<Platform> AlternativesIn(IReadOnlyList<FetchedManifest> documents, Platform platform) =>
    [
        .. documents.Zip(documents.Skip(1))
            .SelectMany(pair => PlatformSelector.SelectAll(Parse(pair.First), platform).Where(entry => entry.Digest != pair.Second.Descriptor.Digest))
            .Select(entry => entry.Platform)
            .OfType<Platform>()
            .DistinctBy(other => other.ToString())
            .Order(PlatformOrder.Instance),
    ];

    private static ImageIndex ParseSources(FetchedManifest fetched)
    {
        var index = Parse(fetched);
        return index.Manifests.Count > 0 && index.Manifests.All(entry => entry.ArtifactType == MediaTypes.ConvertedImage)
            ? throw new InvalidDataException("its images are converted already: take one with 'cimconvert pull'")
            : index;
    }

    private static ImageIndex Parse(FetchedManifest index) => ImageIndex.Parse(index.Bytes.Span, index.Descriptor.MediaType);

    private static void CheckDepth(IReadOnlyList<FetchedManifest> indexes)
    {
        if (indexes.Count > MaxIndexDepth)
        {
            throw new InvalidDataException($"its indexes are nested more than {MaxIndexDepth} deep");
        }
    }

    private static async Task<T> InOneLineAsync<T>(Func<Task<T>> resolve)
    {
        try
        {
            return await resolve();
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
