using System.Net;
using System.Net.Http.Headers;
using CimConvert.Oci;
using CimConvert.Registry.Hosts;
using CimConvert.Registry.Http;

namespace CimConvert.Registry.Pull;

/// <summary>
/// Finds what refers to a manifest: by the referrers API, and in a registry without it under the tag <c>sha256-HEX</c> (OCI distribution
/// spec, "Listing Referrers"). Anybody who may push can add to both lists, so an entry is no more than a hint.
/// </summary>
internal sealed class ReferrersList(RegistryClient client, ImageReference reference)
{
    /// <summary>Of the API; each has up to <see cref="ImageIndex.MaxManifests"/> entries.</summary>
    private const int MaxPages = 16;

    /// <summary>The tag of the list in a registry without the API (OCI distribution spec, "Referrers Tag Schema").</summary>
    public static string TagOf(Digest subject) => $"sha256-{subject.Hex}";

    /// <param name="subject">The manifest's digest.</param>
    /// <param name="artifactType">
    /// Only entries of this type, and such that do not tell it: old registries name none, or that of the config, which artifacts do not have
    /// (github.com/goharbor/harbor/issues/19867). Such registries would find nothing by type, so they are asked for all.
    /// </param>
    /// <param name="count">Counts bytes and retries.</param>
    /// <param name="cancellationToken">Cancels the requests.</param>
    /// <returns>In the order of the list, those of the first host that has any.</returns>
    /// <exception cref="RegistryException">No host answers.</exception>
    public async Task<IReadOnlyList<Descriptor>> FindAsync(Digest subject, string artifactType, TransferCount count, CancellationToken cancellationToken)
    {
        RegistryException? failure = null;
        var answered = false;
        foreach (var host in await client.EndpointsAsync(reference, HostCapabilities.Resolve, cancellationToken))
        {
            try
            {
                var entries = await ListAsync(host, subject, count, cancellationToken) ?? await TaggedAsync(subject, count, cancellationToken);
                answered = true;
                var found = entries.Where(entry => MediaTypes.IsManifest(entry.MediaType) && MayBe(entry, artifactType)).ToArray();
                if (found.Length > 0)
                {
                    return found;
                }
            }
            catch (RegistryException e)
            {
                failure = e;
            }
        }

        return answered || failure is null ? [] : throw failure;
    }

    /// <returns>Null if the host does not have the API.</returns>
    private async Task<IReadOnlyList<Descriptor>?> ListAsync(
        RegistryEndpoint host, Digest subject, TransferCount count, CancellationToken cancellationToken)
    {
        var what = $"referrers of {subject} in {reference.Registry}/{reference.Repository}";
        var found = new List<Descriptor>();
        var next = host.Referrers(subject);
        for (var page = 0; next is not null && page < MaxPages; page++)
        {
            using var request = host.Request(HttpMethod.Get, next);
            request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue(MediaTypes.OciIndex));
            request.Options.Set(RequestOptions.BufferedBytes, ImageIndex.MaxBytes);
            request.Options.Set(RequestOptions.Count, count);
            using var response = await client.SendAsync(request, what, cancellationToken);
            if (page == 0 && IsUnknown(response))
            {
                return null;
            }

            if (!response.IsSuccessStatusCode)
            {
                throw await RegistryErrors.FromResponseAsync(response, what, $"{reference.Registry} lists none", cancellationToken);
            }

            var bytes = await response.Content.ReadAsByteArrayAsync(cancellationToken);
            count.AddBytes(bytes.Length);
            found.AddRange(Parse(bytes, what).Manifests);
            next = NextOf(response, next);
        }

        return found;
    }

    /// <summary>The list that clients keep for a registry without the API.</summary>
    private async Task<IReadOnlyList<Descriptor>> TaggedAsync(Digest subject, TransferCount count, CancellationToken cancellationToken)
    {
        var tag = reference.At(TagOf(subject));
        try
        {
            var fetched = await client.GetManifestAsync(tag, expected: null, count, cancellationToken);
            return MediaTypes.IsIndex(fetched.Descriptor.MediaType) ? Parse(fetched.Bytes.Span, $"tag {tag}").Manifests : [];
        }
        catch (RegistryException e) when (e.StatusCode == HttpStatusCode.NotFound)
        {
            return [];
        }
    }

    private static bool MayBe(Descriptor entry, string artifactType) =>
        entry.ArtifactType is null or MediaTypes.OciEmpty || entry.ArtifactType == artifactType;

    private static ImageIndex Parse(ReadOnlySpan<byte> bytes, string what)
    {
        try
        {
            return ImageIndex.Parse(bytes, MediaTypes.OciIndex);
        }
        catch (InvalidDataException e)
        {
            throw new RegistryException($"cannot read {what}: {e.Message}", e);
        }
    }

    /// <summary>What registries without the API answer: they have no such path, or take it for something else.</summary>
    private static bool IsUnknown(HttpResponseMessage response) =>
        response.StatusCode is HttpStatusCode.NotFound or HttpStatusCode.BadRequest or HttpStatusCode.MethodNotAllowed or HttpStatusCode.NotImplemented
        || (response.IsSuccessStatusCode && response.Content.Headers.ContentType?.MediaType != MediaTypes.OciIndex);

    /// <summary>The address of the next page, at the same host only: the request has this host's login.</summary>
    private static Uri? NextOf(HttpResponseMessage response, Uri current)
    {
        const string relation = "rel=\"next\"";
        if (!response.Headers.TryGetValues("Link", out var links) || links.FirstOrDefault(link => link.Contains(relation, StringComparison.Ordinal)) is not { } link)
        {
            return null;
        }

        var (start, end) = (link.IndexOf('<', StringComparison.Ordinal), link.IndexOf('>', StringComparison.Ordinal));
        return start >= 0 && end > start && Uri.TryCreate(current, link[(start + 1)..end], out var next) && RedirectHandler.IsSameOrigin(next, current) ? next : null;
    }
}
