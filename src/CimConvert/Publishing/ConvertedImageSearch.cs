using System.Net;
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

    /// <param name="image">The source.</param>
    /// <param name="source">Where it was found; null if it is in no registry, and so has no referrers.</param>
    /// <param name="pattern">The name that the pattern gives; null for no pattern.</param>
    /// <param name="form">The form that is wanted.</param>
    /// <param name="cancellationToken">Cancels the requests.</param>
    /// <returns>Null if there is none.</returns>
    /// <exception cref="ConversionException">A registry does not answer.</exception>
    public async Task<FoundConversion?> FindAsync(
        ResolvedImage image, ImageReference? source, ImageReference? pattern, ConvertedForm form, CancellationToken cancellationToken)
    {
        if (source is not null && await AmongReferrersAsync(image, source, form, cancellationToken) is { } referrer)
        {
            return referrer;
        }

        return pattern is null ? null : await ByPatternAsync(image, pattern, form, cancellationToken);
    }

    /// <summary>Why a converted image is not the one that is wanted; null if it is.</summary>
    public static string? Mismatch(ConvertedContent content, ResolvedImage image, ConvertedForm form) =>
        content.Source != image.ManifestDescriptor.Digest ? $"it was made from {content.Source}"
        : content.Config.Digest != Digest.Compute(image.ConfigBytes.Span) ? "it has another config than its source"
        : !content.Layers.Select(layer => new DiffId(layer.Record.DiffId)).SequenceEqual(image.Config.DiffIds) ? "it has other layers than its source"
        : content.Form != form ? $"it has {content.Form}, not {form}"
        : null;

    private async Task<FoundConversion?> AmongReferrersAsync(ResolvedImage image, ImageReference source, ConvertedForm form, CancellationToken cancellationToken)
    {
        var subject = image.ManifestDescriptor.Digest;
        var count = new TransferCount();
        foreach (var entry in (await new ReferrersList(registry, source).FindAsync(subject, MediaTypes.ConvertedImage, count, cancellationToken)).Take(MaxCandidates))
        {
            if (await CandidateAsync(source, entry, cancellationToken) is { } found && Fits(found, image, form, needsSubject: true))
            {
                return found with { By = FoundBy.Referrers };
            }
        }

        return null;
    }

    private async Task<FoundConversion?> ByPatternAsync(ResolvedImage image, ImageReference name, ConvertedForm form, CancellationToken cancellationToken)
    {
        var top = await CandidateAsync(name, entry: null, cancellationToken);
        return top is not null && Fits(top, image, form, needsSubject: false) ? top with { By = FoundBy.Pattern } : await InIndexAsync(image, name, form, cancellationToken);
    }

    /// <summary>The name may be that of an index with a converted image for each platform.</summary>
    private async Task<FoundConversion?> InIndexAsync(ResolvedImage image, ImageReference name, ConvertedForm form, CancellationToken cancellationToken)
    {
        foreach (var entry in (await IndexAsync(name, cancellationToken)).Where(entry => entry.ArtifactType == MediaTypes.ConvertedImage).Take(MaxCandidates))
        {
            if (await CandidateAsync(name, entry, cancellationToken) is { } found && Fits(found, image, form, needsSubject: false))
            {
                return found with { By = FoundBy.Pattern };
            }
        }

        return null;
    }

    private async Task<IReadOnlyList<Descriptor>> IndexAsync(ImageReference name, CancellationToken cancellationToken) =>
        await FetchAsync(new RegistrySource(registry, name), entry: null, cancellationToken) is { } fetched && MediaTypes.IsIndex(fetched.Descriptor.MediaType)
            ? TryRead(name.ToString(), () => ImageIndex.Parse(fetched.Bytes.Span, fetched.Descriptor.MediaType))?.Manifests ?? []
            : [];

    private async Task<FoundConversion?> CandidateAsync(ImageReference reference, Descriptor? entry, CancellationToken cancellationToken)
    {
        var source = new RegistrySource(registry, entry is null ? reference : reference.At(entry.Digest));
        if (await FetchAsync(source, entry, cancellationToken) is not { } fetched || !MediaTypes.IsManifest(fetched.Descriptor.MediaType))
        {
            return null;
        }

        var content = TryRead(source.Name, () => ConvertedContent.Read(fetched));
        return content is null ? null : new FoundConversion(content, source, FoundBy.Name);
    }

    /// <returns>Null if it is not there, or not what the list says.</returns>
    private async Task<FetchedManifest?> FetchAsync(RegistrySource source, Descriptor? entry, CancellationToken cancellationToken)
    {
        try
        {
            return await source.GetManifestAsync(entry, cancellationToken);
        }
        catch (RegistryException e) when (e.StatusCode == HttpStatusCode.NotFound || !TransientFault.KeepsPartialDownloads(e))
        {
            logger.LogDebug("{Candidate}: {Reason}", source.Name, e.Message);
            return null;
        }
    }

    private bool Fits(FoundConversion found, ResolvedImage image, ConvertedForm form, bool needsSubject)
    {
        var reason = needsSubject && found.Content.Subject?.Digest != image.ManifestDescriptor.Digest
            ? "it is listed as a referrer, but its subject is another manifest"
            : Mismatch(found.Content, image, form);
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
