using System.Net;
using System.Net.Http.Headers;
using CimConvert.Oci;
using CimConvert.Registry.Hosts;
using CimConvert.Registry.Http;
using CimConvert.Registry.Pull;
using Microsoft.Extensions.Logging;

namespace CimConvert.Registry.Push;

/// <summary>
/// Pushes to one repository of a registry (OCI distribution spec, "Push"). Thread-safe. Created by
/// <see cref="RegistryClientExtensions.PusherToAsync"/>; valid as long as its client.
/// </summary>
internal sealed class RegistryPusher
{
    private const string SubjectHeader = "OCI-Subject";

    private readonly PushTarget _target;
    private readonly RegistryOptions _options;
    private readonly ILogger _logger;

    internal RegistryPusher(PushTarget target, RegistryOptions options, ImageReference reference, ILogger logger)
    {
        Reference = reference;
        _target = target;
        _options = options;
        _logger = logger;
    }

    /// <summary>The repository and the manifest's tag.</summary>
    public ImageReference Reference { get; }

    /// <summary>Bytes of blobs and manifests sent so far, including those repeated after a broken connection.</summary>
    public long BytesSent => _target.BytesSent;

    /// <summary>Uploads or mounts a blob, unless the repository has it.</summary>
    /// <exception cref="RegistryException">The push failed.</exception>
    public async Task<PushOutcome> PushBlobAsync(PushedBlob blob, CancellationToken cancellationToken)
    {
        var upload = new BlobUpload(_target, blob, _options, _logger);
        return await upload.ExistsAsync(cancellationToken) ? PushOutcome.Skipped : await upload.RunAsync(cancellationToken);
    }

    /// <summary>Whether the repository has a blob.</summary>
    /// <exception cref="RegistryException">The request failed.</exception>
    public Task<bool> HasBlobAsync(Digest digest, long size, CancellationToken cancellationToken) =>
        new BlobUpload(_target, new PushedBlob(digest, size, Path: string.Empty), _options, _logger).ExistsAsync(cancellationToken);

    /// <summary>Pushes a manifest under the reference's tag, unless the tag has it. Its blobs must be in the repository.</summary>
    /// <param name="manifest">The manifest's descriptor for the list of referrers, with artifact type and annotations.</param>
    /// <param name="bytes">The manifest.</param>
    /// <param name="subject">The manifest's subject. The registry, or the referrers tag, then lists the manifest as its referrer.</param>
    /// <param name="isTagged">Whether it gets the reference's tag; else it can be had by its digest, as an entry of an index.</param>
    /// <param name="cancellationToken">Cancels the push.</param>
    /// <exception cref="RegistryException">The push failed.</exception>
    public async Task<PushOutcome> PushManifestAsync(
        Descriptor manifest, ReadOnlyMemory<byte> bytes, Descriptor? subject, bool isTagged, CancellationToken cancellationToken)
    {
        var tag = isTagged ? Reference.Tag ?? throw new InvalidOperationException("the reference has no tag to push to") : manifest.Digest.ToString();
        var isThere = await IsTaggedAsync(tag, manifest.Digest, cancellationToken);
        var keepsReferrers = isThere
            ? subject is not null && await HasReferrersAsync(subject.Digest, cancellationToken)
            : await PutManifestAsync(tag, manifest, bytes, cancellationToken);
        if (subject is not null && !keepsReferrers)
        {
            await new ReferrersTag(this, subject.Digest, _options, _logger).AddAsync(manifest, cancellationToken);
        }

        return isThere ? PushOutcome.Skipped : PushOutcome.Uploaded;
    }

    /// <summary>What the reference's tag stands for now; null if the tag does not exist.</summary>
    /// <exception cref="RegistryException">The request failed.</exception>
    public async Task<FetchedManifest?> FindTaggedAsync(CancellationToken cancellationToken) =>
        await FindManifestAsync(Reference.Tag!, cancellationToken) is var (bytes, mediaType, _)
            ? new FetchedManifest(Descriptor.Of(mediaType, bytes), bytes)
            : null;

    /// <returns>The tag's manifest, its media type and its ETag; null if the tag does not exist.</returns>
    internal async Task<(byte[] Bytes, string MediaType, EntityTagHeaderValue? State)?> FindManifestAsync(string tag, CancellationToken cancellationToken)
    {
        var what = What(tag);
        using var request = ManifestRequest(HttpMethod.Get, tag);
        request.Options.Set(RequestOptions.BufferedBytes, ImageManifest.MaxBytes);
        using var response = await _target.SendAsync(request, what, cancellationToken);
        switch (response.StatusCode)
        {
            case HttpStatusCode.OK:
                var bytes = await response.Content.ReadAsByteArrayAsync(cancellationToken);
                return (bytes, RegistryClient.MediaTypeOf(response, bytes), response.Headers.ETag);
            case HttpStatusCode.NotFound:
                return null;
            default:
                throw await _target.RefusedAsync(response, what, cancellationToken);
        }
    }

    /// <summary>Puts a manifest under a tag. Idempotent.</summary>
    /// <param name="tag">The tag.</param>
    /// <param name="manifest">Media type and digest of the manifest.</param>
    /// <param name="bytes">The manifest.</param>
    /// <param name="cancellationToken">Cancels the push.</param>
    /// <param name="replaced">The ETag of the manifest to replace (If-Match).</param>
    /// <returns>Whether the registry itself lists the manifest as a referrer of its subject (OCI-Subject).</returns>
    internal async Task<bool> PutManifestAsync(
        string tag, Descriptor manifest, ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken, EntityTagHeaderValue? replaced = null)
    {
        var what = What(tag);
        return await PushRetry.Build<bool>(_options, _logger).ExecuteAsync(PutOnceAsync, cancellationToken);

        async ValueTask<bool> PutOnceAsync(CancellationToken cancellationToken)
        {
            using var request = _target.Request(HttpMethod.Put, _target.Endpoint.Manifest(tag));
            request.Content = new ReadOnlyMemoryContent(bytes);
            request.Content.Headers.ContentType = new MediaTypeHeaderValue(manifest.MediaType);
            if (replaced is { IsWeak: false })
            {
                request.Headers.IfMatch.Add(replaced);
            }

            using var response = await _target.SendAsync(request, what, cancellationToken);
            if (!response.IsSuccessStatusCode)
            {
                throw await _target.RefusedAsync(response, what, cancellationToken);
            }

            CheckDigest(response, manifest.Digest, what);
            return response.Headers.Contains(SubjectHeader);
        }
    }

    /// <summary>Compares the digest that the registry reports with the digest of what was sent.</summary>
    internal static void CheckDigest(HttpResponseMessage response, Digest digest, string what)
    {
        if (response.Headers.TryGetValues(RegistryClient.DigestHeader, out var values)
            && values.First() is var stated
            && stated.StartsWith("sha256:", StringComparison.Ordinal)
            && stated != digest.ToString())
        {
            throw new RegistryException($"cannot push {what}: the registry stored something else, of the digest {Printable.Of(stated)} instead of {digest}");
        }
    }

    private async Task<bool> IsTaggedAsync(string tag, Digest digest, CancellationToken cancellationToken)
    {
        var what = What(tag);
        using var request = ManifestRequest(HttpMethod.Head, tag);
        using var response = await _target.SendAsync(request, what, cancellationToken);
        return response.StatusCode switch
        {
            HttpStatusCode.OK => response.Headers.TryGetValues(RegistryClient.DigestHeader, out var values) && values.First() == digest.ToString(),
            HttpStatusCode.NotFound => false,
            _ => throw await _target.RefusedAsync(response, what, cancellationToken),
        };
    }

    /// <summary>A registry with the referrers API returns 200 for any digest (OCI distribution spec, "Listing Referrers").</summary>
    private async Task<bool> HasReferrersAsync(Digest subject, CancellationToken cancellationToken)
    {
        using var request = _target.Request(HttpMethod.Get, _target.Endpoint.Referrers(subject));
        using var response = await _target.SendAsync(request, $"referrers of {subject} to {_target.Name}", cancellationToken);
        return response.StatusCode == HttpStatusCode.OK && response.Content.Headers.ContentType?.MediaType == MediaTypes.OciIndex;
    }

    private HttpRequestMessage ManifestRequest(HttpMethod method, string tag)
    {
        var request = _target.Request(method, _target.Endpoint.Manifest(tag));
        foreach (var type in MediaTypes.Manifests)
        {
            request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue(type));
        }

        return request;
    }

    private string What(string tag) => $"manifest {tag} to {_target.Name}";
}

/// <summary>Pushing with a <see cref="RegistryClient"/>.</summary>
internal static class RegistryClientExtensions
{
    /// <summary>Creates a pusher to the reference's repository and tag, on the client's connections, at the first host that takes pushes.</summary>
    /// <exception cref="RegistryException">No host takes pushes.</exception>
    public static async Task<RegistryPusher> PusherToAsync(this RegistryClient client, ImageReference reference, CancellationToken cancellationToken)
    {
        var hosts = await client.EndpointsAsync(reference, HostCapabilities.Push, cancellationToken);
        var target = new PushTarget(client, client.Options, reference, hosts[0]);
        return new RegistryPusher(target, client.Options, reference, client.Logger);
    }
}
