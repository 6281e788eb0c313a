using System.Net;
using System.Net.Http.Headers;
using CimConvert.Oci;
using CimConvert.Registry.Http;
using CimConvert.Registry.Pull;
using Microsoft.Extensions.Logging;

namespace CimConvert.Registry.Push;

/// <summary>
/// Pushes to one repository of a registry (distribution spec, "Push"). Safe for use by several threads at once; made by
/// <see cref="RegistryClient.PusherToAsync"/>, and of use as long as that client is.
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

    /// <summary>The repository, and the tag for the manifest.</summary>
    public ImageReference Reference { get; }

    /// <summary>Bytes of blobs and manifests that were sent so far, those sent again after a broken connection included.</summary>
    public long BytesSent => _target.BytesSent;

    /// <summary>Brings a blob into the repository, unless it is there.</summary>
    /// <exception cref="RegistryException">The registry does not take it.</exception>
    public async Task<PushOutcome> PushBlobAsync(PushedBlob blob, CancellationToken cancellationToken)
    {
        var upload = new BlobUpload(_target, blob, _options, _logger);
        return await upload.ExistsAsync(cancellationToken) ? PushOutcome.Skipped : await upload.RunAsync(cancellationToken);
    }

    /// <summary>Gives a manifest, whose blobs are in the repository, the reference's tag, unless it has it.</summary>
    /// <param name="manifest">The manifest as its referrers' list is to describe it, with its artifact type and annotations.</param>
    /// <param name="bytes">The manifest itself.</param>
    /// <param name="subject">What the manifest refers to: it is then among the referrers, in the way the registry keeps them.</param>
    /// <param name="cancellationToken">Ends the push.</param>
    /// <exception cref="RegistryException">The registry does not take it.</exception>
    public async Task<PushOutcome> PushManifestAsync(
        Descriptor manifest, ReadOnlyMemory<byte> bytes, Descriptor? subject, CancellationToken cancellationToken)
    {
        var tag = Reference.Tag ?? throw new InvalidOperationException("the reference has no tag to push to");
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

    /// <returns>The manifest of a tag, and the registry's name for this state of it; null where there is none.</returns>
    internal async Task<(byte[] Bytes, EntityTagHeaderValue? State)?> FindManifestAsync(string tag, CancellationToken cancellationToken)
    {
        var what = What(tag);
        using var request = ManifestRequest(HttpMethod.Get, tag);
        request.Options.Set(RequestOptions.BufferedBytes, ImageManifest.MaxBytes);
        using var response = await _target.SendAsync(request, what, cancellationToken);
        return response.StatusCode switch
        {
            HttpStatusCode.OK => (await response.Content.ReadAsByteArrayAsync(cancellationToken), response.Headers.ETag),
            HttpStatusCode.NotFound => null,
            _ => throw await _target.RefusedAsync(response, what, cancellationToken),
        };
    }

    /// <summary>Puts a manifest under a tag. Done twice, it is the same.</summary>
    /// <param name="tag">The tag.</param>
    /// <param name="manifest">Type and digest of the bytes.</param>
    /// <param name="bytes">The manifest.</param>
    /// <param name="cancellationToken">Ends the push.</param>
    /// <param name="replaced">The state of the tag that is replaced; of another one, nothing is.</param>
    /// <returns>Whether the registry takes care of the manifest's subject.</returns>
    internal async Task<bool> PutManifestAsync(
        string tag, Descriptor manifest, ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken, EntityTagHeaderValue? replaced = null)
    {
        var attempts = new PushAttempts(_options, _logger);
        var what = What(tag);
        while (true)
        {
            using var request = _target.Request(HttpMethod.Put, _target.Endpoint.Manifest(tag));
            request.Content = new ReadOnlyMemoryContent(bytes);
            request.Content.Headers.ContentType = new MediaTypeHeaderValue(manifest.MediaType);
            if (replaced is { IsWeak: false })
            {
                request.Headers.IfMatch.Add(replaced);
            }

            try
            {
                using var response = await _target.SendAsync(request, what, cancellationToken);
                if (!response.IsSuccessStatusCode)
                {
                    throw await _target.RefusedAsync(response, what, cancellationToken);
                }

                CheckDigest(response, manifest.Digest, what);
                return response.Headers.Contains(SubjectHeader);
            }
            catch (RegistryException e) when (e.IsTransient)
            {
                await attempts.AfterAsync(e, cancellationToken);
            }
        }
    }

    /// <summary>What a registry says it has stored must be what was sent.</summary>
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

    /// <summary>distribution spec, "Listing Referrers": a registry with the API answers 200 for any digest.</summary>
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
