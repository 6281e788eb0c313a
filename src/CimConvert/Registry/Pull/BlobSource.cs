using System.Net;
using System.Net.Http.Headers;
using CimConvert.Oci;
using CimConvert.Registry.Hosts;
using CimConvert.Registry.Http;
using Microsoft.Extensions.Logging;

namespace CimConvert.Registry.Pull;

/// <summary>
/// Opens a blob at an offset, as often as needed: from the registry's hosts in order, then, for a foreign layer that none of them has,
/// from the layer's URLs.
/// </summary>
internal sealed class BlobSource
{
    private readonly RegistryClient _client;
    private readonly Descriptor _blob;
    private readonly IReadOnlyList<RegistryEndpoint> _hosts;
    private readonly List<Uri> _foreignUrls;
    private readonly TransferCount _count;
    private readonly ILogger _logger;
    private int _current;
    private bool _rangesWork = true;
    private bool _found;

    /// <param name="client">Sends the requests.</param>
    /// <param name="hosts">The hosts to ask, in order.</param>
    /// <param name="reference">The image, for errors.</param>
    /// <param name="blob">The blob.</param>
    /// <param name="plainHttp">Whether a foreign layer's URLs may be plain HTTP.</param>
    /// <param name="count">Counts retried requests.</param>
    /// <param name="logger">Told of hosts that fail.</param>
    public BlobSource(
        RegistryClient client,
        IReadOnlyList<RegistryEndpoint> hosts,
        ImageReference reference,
        Descriptor blob,
        bool plainHttp,
        TransferCount count,
        ILogger logger)
    {
        _client = client;
        _hosts = hosts;
        _blob = blob;
        _count = count;
        _logger = logger;
        _foreignUrls = [.. (blob.Urls ?? []).Select(url => ReadUrl(url, plainHttp)).OfType<Uri>()];
        What = $"blob {blob.Digest} of {reference.Registry}/{reference.Repository}";
    }

    public string What { get; }

    public long Size => _blob.Size;

    /// <summary>The body from the offset on if the server supports the range request; otherwise from the start.</summary>
    /// <exception cref="RegistryException">The blob does not exist, or has another size.</exception>
    public async Task<BlobBody> OpenAsync(long offset, CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                return await OpenHereAsync(offset, cancellationToken);
            }
            catch (RegistryException e) when (MoveOn(e, mayLeaveRegistry: !_found && e.StatusCode == HttpStatusCode.NotFound))
            {
            }
        }
    }

    /// <summary>Switches to the next host after a failure.</summary>
    /// <returns>False if there is no other host.</returns>
    public bool MoveOn(RegistryException failure, bool mayLeaveRegistry = false)
    {
        var next = _current + 1;
        if (next >= _hosts.Count && !(mayLeaveRegistry && next < _hosts.Count + _foreignUrls.Count))
        {
            return false;
        }

        _logger.LogWarning("{Failure}; trying {Host}", failure.Message, (next < _hosts.Count ? _hosts[next].Host.Root : _foreignUrls[next - _hosts.Count]).Authority);
        _current = next;
        _rangesWork = true;
        return true;
    }

    private async Task<BlobBody> OpenHereAsync(long offset, CancellationToken cancellationToken)
    {
        while (true)
        {
            var ranged = offset > 0 && _rangesWork;
            using var request = Request(ranged ? offset : 0);
            var response = await _client.SendAsync(request, What, cancellationToken);
            try
            {
                switch (response.StatusCode)
                {
                    case HttpStatusCode.PartialContent when ranged && IsRangeFrom(response, offset):
                        return await BodyAsync(response, offset, cancellationToken);

                    case HttpStatusCode.OK:
                        _rangesWork &= !ranged;
                        return await BodyAsync(response, start: 0, cancellationToken);

                    // Another range than the requested one, or none: get the whole blob.
                    case HttpStatusCode.PartialContent or HttpStatusCode.RequestedRangeNotSatisfiable when ranged:
                        _rangesWork = false;
                        break;

                    default:
                        throw await RegistryErrors.FromResponseAsync(response, What, NotFound, cancellationToken);
                }

                response.Dispose();
            }
            catch
            {
                response.Dispose();
                throw;
            }
        }
    }

    private string NotFound => _foreignUrls.Count == 0
        ? "the repository has no such blob"
        : "neither the repository nor the layer's URLs have such a blob";

    private HttpRequestMessage Request(long offset)
    {
        var request = _current < _hosts.Count
            ? _hosts[_current].Request(HttpMethod.Get, _hosts[_current].Blob(_blob.Digest))
            : new HttpRequestMessage(HttpMethod.Get, _foreignUrls[_current - _hosts.Count]);

        request.Options.Set(RequestOptions.Count, _count);

        // The digest is of the stored bytes: no transfer compression.
        request.Headers.AcceptEncoding.Add(new StringWithQualityHeaderValue("identity"));
        if (offset > 0)
        {
            request.Headers.Range = new RangeHeaderValue(offset, null);
        }

        return request;
    }

    /// <summary>Content-Range must be exactly the range that was requested (RFC 9110, 14.4).</summary>
    private bool IsRangeFrom(HttpResponseMessage response, long offset) =>
        response.StatusCode == HttpStatusCode.PartialContent
        && response.Content.Headers.ContentRange is { Unit: "bytes" } range
        && range.From == offset
        && range.To == Size - 1
        && range.Length is var total && (total is null || total == Size);

    private async Task<BlobBody> BodyAsync(HttpResponseMessage response, long start, CancellationToken cancellationToken)
    {
        var announced = response.Content.Headers.ContentLength;
        if (announced is { } length && length != Size - start)
        {
            throw new RegistryException($"cannot use {What}: the registry has {length + start} bytes where the manifest says {Size}");
        }

        _found = true;
        return new BlobBody(response, await response.Content.ReadAsStreamAsync(cancellationToken), start, announced is not null);
    }

    /// <summary>A manifest's URLs are untrusted: only those as secure as the registry itself are used.</summary>
    private static Uri? ReadUrl(string url, bool plainHttp) =>
        WebAddress.TryRead(url) is { } uri
        && (uri.Scheme == Uri.UriSchemeHttps || (plainHttp && uri.Scheme == Uri.UriSchemeHttp))
            ? uri
            : null;
}

/// <summary>The body of a blob's response.</summary>
/// <param name="Response">The response; disposing it ends the transfer.</param>
/// <param name="Stream">The body.</param>
/// <param name="Start">The body's offset in the blob.</param>
/// <param name="HasLength">The response has the right Content-Length, so the body cannot be longer.</param>
internal sealed record BlobBody(HttpResponseMessage Response, Stream Stream, long Start, bool HasLength) : IDisposable
{
    public void Dispose() => Response.Dispose();
}
