using System.Net;
using System.Runtime.CompilerServices;
using CimConvert.Oci;
using CimConvert.Registry;
using CimConvert.Registry.Http;
using CimConvert.Registry.Pull;
using CimConvert.Sources;
using Microsoft.Extensions.Logging;

namespace CimConvert.Publishing;

/// <summary>How a converted image was found.</summary>
internal enum FoundBy
{
    /// <summary>The name that the user gave is its own.</summary>
    Name,

    /// <summary>It refers to the source's manifest.</summary>
    Referrers,

    /// <summary>The source's name, put into the pattern, leads to it.</summary>
    Pattern,
}

/// <summary>A converted image that may be taken.</summary>
/// <param name="Content">What it has.</param>
/// <param name="Blobs">Where its files are.</param>
/// <param name="By">How it was found.</param>
internal sealed record FoundConversion(ConvertedContent Content, IImageSource Blobs, FoundBy By);

/// <summary>
/// Finds the converted image of a source in registries: among the referrers of the source's manifest, then by a pattern of names. Only an
/// image that says it was made from exactly this manifest, with its config and layers, in the wanted form, is taken: lists of referrers
/// and tags may hold anything.
/// </summary>
internal sealed class ConvertedImageSearch(RegistryClient registry, ILogger logger)
{
    /// <summary>Manifests that are looked at for one source: anybody may add to a list of referrers.</summary>
    private const int MaxCandidates = 64;

    /// <summary>Of those that fit, how many are tried: each may cost a download.</summary>
    private const int MaxTried = 4;

    /// <param name="image">The source.</param>
    /// <param name="source">Where it was found; null if it is in no registry, and so has no referrers.</param>
    /// <param name="pattern">The name that the pattern gives; null for no pattern.</param>
    /// <param name="form">The form that is wanted.</param>
    /// <param name="cancellationToken">Cancels the requests.</param>
    /// <returns>All that fit, one after the other as they are asked for: what one says need not hold for its files.</returns>
    /// <exception cref="ConversionException">A registry does not answer.</exception>
    public async IAsyncEnumerable<FoundConversion> FindAsync(
        ResolvedImage image, ImageReference? source, ImageReference? pattern, ConvertedForm form, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var tried = 0;
        await foreach (var candidate in CandidatesAsync(image.ManifestDescriptor.Digest, source, pattern, cancellationToken))
        {
            if (tried < MaxTried && Fits(candidate, image, [form]))
            {
                tried++;
                yield return candidate;
            }
        }
    }

    /// <summary>As <see cref="FindAsync"/>, where it is not known yet which of several forms is wanted.</summary>
    /// <returns>The first of each form that there is, in the order of the forms.</returns>
    public async Task<IReadOnlyList<FoundConversion>> FindAllAsync(
        ResolvedImage image, ImageReference? source, ImageReference? pattern, IReadOnlyList<ConvertedForm> forms, CancellationToken cancellationToken)
    {
        var found = new Dictionary<ConvertedForm, FoundConversion>();
        await foreach (var candidate in CandidatesAsync(image.ManifestDescriptor.Digest, source, pattern, cancellationToken))
        {
            if (Fits(candidate, image, forms) && found.TryAdd(candidate.Content.Form, candidate) && found.Count == forms.Count)
            {
                break;
            }
        }

        return [.. forms.Where(found.ContainsKey).Select(form => found[form])];
    }

    /// <summary>For messages: where <see cref="FindAllAsync"/> looks, and for what.</summary>
    public static string Describe(ResolvedImage image, ImageReference? source, ImageReference? pattern, params IReadOnlyList<ConvertedForm> forms)
    {
        var places = new List<string>();
        if (source is not null)
        {
            places.Add($"among what refers to {image.ManifestDescriptor.Digest}");
        }

        if (pattern is not null)
        {
            places.Add($"as {pattern}");
        }

        return places.Count == 0
            ? "as it is in no registry and there is no pattern"
            : $"neither {string.Join(" nor ", places)} ({string.Join(", or ", forms)})";
    }

    /// <summary>Why a converted image is not the one that is wanted; null if it is.</summary>
    public static string? Mismatch(ConvertedContent content, ResolvedImage image, params IReadOnlyList<ConvertedForm> forms) =>
        content.Source != image.ManifestDescriptor.Digest ? $"it was made from {content.Source}"
        : content.Config.Digest != Digest.Compute(image.ConfigBytes.Span) ? "it has another config than its source"
        : !content.Layers.Select(layer => new DiffId(layer.Record.DiffId)).SequenceEqual(image.Config.DiffIds) ? "it has other layers than its source"
        : !forms.Contains(content.Form) ? $"it has {content.Form}, not {string.Join(" or ", forms)}"
        : null;

    /// <summary>What refers to the source, then what the pattern's name stands for: an image, or an index with one for each platform.</summary>
    private async IAsyncEnumerable<FoundConversion> CandidatesAsync(
        Digest subject, ImageReference? source, ImageReference? pattern, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var referrers = source is null ? [] : await ReferrersAsync(source, subject, cancellationToken);
        if (referrers.Count > MaxCandidates)
        {
            logger.LogWarning("{Source} has {Count} referrers of this kind, of which only the first {Max} are looked at", source, referrers.Count, MaxCandidates);
        }

        foreach (var entry in referrers.Take(MaxCandidates))
        {
            if (await CandidateAsync(source!, entry, cancellationToken) is { } referrer)
            {
                yield return referrer with { By = FoundBy.Referrers };
            }
        }

        if (pattern is null)
        {
            yield break;
        }

        var name = new RegistrySource(registry, pattern);
        if (await FetchAsync(name, entry: null, cancellationToken) is not { } top)
        {
            yield break;
        }

        if (!MediaTypes.IsIndex(top.Descriptor.MediaType))
        {
            if (Read(name, top) is { } single)
            {
                yield return single with { By = FoundBy.Pattern };
            }

            yield break;
        }

        var entries = TryRead(name.Name, () => ImageIndex.Parse(top.Bytes.Span, top.Descriptor.MediaType))?.Manifests ?? [];
        foreach (var entry in entries.Where(entry => entry.ArtifactType == MediaTypes.ConvertedImage).Take(MaxCandidates))
        {
            if (await CandidateAsync(pattern, entry, cancellationToken) is { } found)
            {
                yield return found with { By = FoundBy.Pattern };
            }
        }
    }

    /// <summary>Anybody who may push can damage the list, and not everybody may read it: there is more to look at.</summary>
    private async Task<IReadOnlyList<Descriptor>> ReferrersAsync(ImageReference source, Digest subject, CancellationToken cancellationToken)
    {
        try
        {
            return await new ReferrersList(registry, source).FindAsync(subject, MediaTypes.ConvertedImage, new TransferCount(), cancellationToken);
        }
        catch (RegistryException e) when (!TransientFault.KeepsPartialDownloads(e))
        {
            logger.LogWarning("what refers to {Source} is not known: {Reason}", source, e.Message);
            return [];
        }
    }

    private async Task<FoundConversion?> CandidateAsync(ImageReference reference, Descriptor entry, CancellationToken cancellationToken)
    {
        var source = new RegistrySource(registry, reference.At(entry.Digest));
        return await FetchAsync(source, entry, cancellationToken) is { } fetched ? Read(source, fetched) : null;
    }

    private FoundConversion? Read(RegistrySource source, FetchedManifest fetched) =>
        MediaTypes.IsManifest(fetched.Descriptor.MediaType) && TryRead(source.Name, () => ConvertedContent.Read(fetched)) is { } content
            ? new FoundConversion(content, source, FoundBy.Name)
            : null;

    /// <returns>Null if it is not there, or not what the list says.</returns>
    private async Task<FetchedManifest?> FetchAsync(RegistrySource source, Descriptor? entry, CancellationToken cancellationToken)
    {
        try
        {
            return await source.GetManifestAsync(entry, cancellationToken);
        }
        catch (RegistryException e) when (!TransientFault.KeepsPartialDownloads(e))
        {
            var level = e.StatusCode == HttpStatusCode.NotFound ? LogLevel.Debug : LogLevel.Warning;
            logger.Log(level, "{Candidate} is not taken: {Reason}", source.Name, e.Message);
            return null;
        }
    }

    private bool Fits(FoundConversion found, ResolvedImage image, IReadOnlyList<ConvertedForm> forms)
    {
        var reason = found.By == FoundBy.Referrers && found.Content.Subject?.Digest != image.ManifestDescriptor.Digest
            ? "it is listed as a referrer, but its subject is another manifest"
            : Mismatch(found.Content, image, forms);
        if (reason is not null)
        {
            logger.LogInformation("{Candidate} is not taken: {Reason}", found.Blobs.Name, reason);
        }

        return reason is null;
    }

    private T? TryRead<T>(string name, Func<T> read)
        where T : class
    {
        try
        {
            return read();
        }
        catch (InvalidDataException e)
        {
            logger.LogInformation("{Candidate} is not taken: {Reason}", name, e.Message);
            return null;
        }
    }
}
