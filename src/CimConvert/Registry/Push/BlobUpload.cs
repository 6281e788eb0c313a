using System.Globalization;
using System.Net;
using CimConvert.Oci;
using Microsoft.Extensions.Logging;

namespace CimConvert.Registry.Push;

/// <summary>
/// Uploads one blob (distribution spec, "Pushing blobs"): a small one with a single request, a larger one in chunks. What breaks is
/// taken up where the registry says it has got to, and begun anew where the registry has forgotten it.
/// </summary>
internal sealed class BlobUpload(PushTarget target, PushedBlob blob, RegistryOptions options, ILogger logger)
{
    private const string MinChunkHeader = "OCI-Chunk-Min-Length";
    private const string RangeHeader = "Range";

    /// <summary>A courtesy to the registry must not keep a cancelled user waiting.</summary>
    private static readonly TimeSpan CleanupTime = TimeSpan.FromSeconds(2);

    private readonly string _what = $"blob {blob.Digest} to {target.Name}";
    private readonly PushAttempts _attempts = new(options, logger);

    private string? _mountFrom = blob.MountFrom;
    private Uri? _session;
    private long _chunk = options.UploadChunk;
    private long _offset;
    private long _furthest;
    private bool _isInStep;
    private long? _refused;

    public async Task<PushOutcome> RunAsync(CancellationToken cancellationToken)
    {
        try
        {
            while (true)
            {
                try
                {
                    if (await StepAsync(cancellationToken) is { } outcome)
                    {
                        return outcome;
                    }
                }
                catch (RegistryException e) when (e.IsTransient)
                {
                    _isInStep = false;
                    await _attempts.AfterAsync(e, cancellationToken);
                }
            }
        }
        catch when (_session is not null)
        {
            await AbandonAsync(_session);
            throw;
        }
    }

    /// <summary>Whether the repository has the blob.</summary>
    public async Task<bool> ExistsAsync(CancellationToken cancellationToken)
    {
        using var request = target.Request(HttpMethod.Head, target.Endpoint.Blob(blob.Digest));
        using var response = await target.SendAsync(request, _what, cancellationToken);
        return response.StatusCode switch
        {
            HttpStatusCode.OK => true,
            HttpStatusCode.NotFound => false,
            _ => throw await target.RefusedAsync(response, _what, cancellationToken),
        };
    }

    private async Task<PushOutcome?> StepAsync(CancellationToken cancellationToken)
    {
        if (_session is null)
        {
            // The answer to the last request may be all that was lost.
            return _attempts.HaveFailed && await ExistsAsync(cancellationToken) ? PushOutcome.Uploaded : await BeginAsync(cancellationToken);
        }

        if (!_isInStep)
        {
            await SynchronizeAsync(_session, cancellationToken);
            return null;
        }

        if (_offset < blob.Size && (_offset > 0 || blob.Size > options.UploadChunk))
        {
            await SendChunkAsync(_session, cancellationToken);
            return null;
        }

        await CommitAsync(_session, cancellationToken);
        return PushOutcome.Uploaded;
    }

    private async Task<PushOutcome?> BeginAsync(CancellationToken cancellationToken)
    {
        using var request = target.Request(HttpMethod.Post, target.Endpoint.Uploads(blob.Digest, _mountFrom));
        using var response = await target.SendAsync(request, _what, cancellationToken);
        switch (response.StatusCode)
        {
            case HttpStatusCode.Created when _mountFrom is not null:
                return PushOutcome.Mounted;

            // Who may not read there, or may not mount at all, can still upload.
            case not HttpStatusCode.Accepted when _mountFrom is not null:
                _mountFrom = null;
                return null;

            case not HttpStatusCode.Accepted:
                throw await target.RefusedAsync(response, _what, cancellationToken);
        }

        _session = LocationOf(response) ?? throw Bad("the registry names no address for the upload");
        _offset = 0;
        _refused = null;
        _isInStep = true;
        if (response.Headers.TryGetValues(MinChunkHeader, out var values)
            && long.TryParse(values.First(), NumberStyles.None, CultureInfo.InvariantCulture, out var least))
        {
            _chunk = Math.Max(options.UploadChunk, least);
        }

        return null;
    }

    /// <summary>Asks how far the upload has got.</summary>
    private async Task SynchronizeAsync(Uri session, CancellationToken cancellationToken)
    {
        using var request = target.Request(HttpMethod.Get, session);
        using var response = await target.SendAsync(request, _what, cancellationToken);
        await CheckSessionAsync(response, cancellationToken);
        var received = ReceivedOf(response) ?? throw Lost("the registry does not say how much it has");

        // distribution says 0-0 of none and of one byte: what was refused once is not sent again.
        if (received > blob.Size || received == _refused)
        {
            throw Lost($"the registry says it has {received} bytes, but does not go on from there");
        }

        _isInStep = true;
        _session = LocationOf(response) ?? session;
        Advance(received);
    }

    private async Task SendChunkAsync(Uri session, CancellationToken cancellationToken)
    {
        var length = Math.Min(_chunk, blob.Size - _offset);
        var end = _offset + length;
        using var request = target.Request(HttpMethod.Patch, session);
        using var response = await target.SendFileAsync(request, blob.Path, _offset, length, _what, cancellationToken);
        await CheckSessionAsync(response, cancellationToken);
        var received = ReceivedOf(response) ?? end;
        if (received > end)
        {
            throw Lost($"the registry says it has {received} bytes of {end} that were sent");
        }

        _session = LocationOf(response) ?? session;
        if (received <= _offset)
        {
            throw Passing("the registry took nothing of what was sent");
        }

        Advance(received);
    }

    private async Task CommitAsync(Uri session, CancellationToken cancellationToken)
    {
        using var request = target.Request(HttpMethod.Put, ForCommit(session));
        using var response = await target.SendFileAsync(request, blob.Path, _offset, blob.Size - _offset, _what, cancellationToken);
        if (response.StatusCode == HttpStatusCode.BadRequest)
        {
            await CheckFileAsync(cancellationToken);
        }

        await CheckSessionAsync(response, cancellationToken);
        RegistryPusher.CheckDigest(response, blob.Digest, _what);
        _session = null;
    }

    /// <summary>An upload that is refused for what it is, and not for who sends it, is begun anew.</summary>
    private async Task CheckSessionAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        if (response.IsSuccessStatusCode)
        {
            return;
        }

        var refused = await target.RefusedAsync(response, _what, cancellationToken);
        switch (response.StatusCode)
        {
            case HttpStatusCode.RequestedRangeNotSatisfiable:
                _refused = _offset;
                throw Passing(refused.Message, refused);

            case HttpStatusCode.BadRequest or HttpStatusCode.NotFound or HttpStatusCode.Gone:
                _session = null;
                throw Passing(refused.Message, refused);

            default:
                throw refused;
        }
    }

    /// <summary>The registry disagrees with the digest: whose fault is it?</summary>
    private async Task CheckFileAsync(CancellationToken cancellationToken)
    {
        using var file = File.OpenRead(blob.Path);
        var actual = await Digest.ComputeAsync(file, cancellationToken);
        if (actual != blob.Digest)
        {
            throw Bad($"'{blob.Path}' has the digest {actual}: the store is damaged; remove the file and its layer, and convert again");
        }
    }

    private void Advance(long received)
    {
        _offset = received;
        if (received > _furthest)
        {
            _furthest = received;
            _attempts.Advance();
        }
    }

    /// <summary>The place after the last byte of <c>Range: 0-N</c>; null where the answer does not say.</summary>
    private static long? ReceivedOf(HttpResponseMessage response)
    {
        const string first = "0-";
        var range = response.Headers.TryGetValues(RangeHeader, out var values) ? values.First() : string.Empty;
        range = range.StartsWith("bytes=", StringComparison.Ordinal) ? range["bytes=".Length..] : range;
        return range.StartsWith(first, StringComparison.Ordinal)
            && long.TryParse(range.AsSpan(first.Length), NumberStyles.None, CultureInfo.InvariantCulture, out var last)
            && last < long.MaxValue
                ? last == 0 ? 0 : last + 1
                : null;
    }

    private Uri? LocationOf(HttpResponseMessage response)
    {
        if (response.Headers.Location is not { } location)
        {
            return null;
        }

        var from = response.RequestMessage!.RequestUri!;
        if (!Uri.TryCreate(from, location, out var to))
        {
            throw Bad($"{from.Authority} names an upload address that is none: '{Printable.Of(location.OriginalString)}'");
        }

        return to.Scheme == Uri.UriSchemeHttps || (to.Scheme == Uri.UriSchemeHttp && from.Scheme == Uri.UriSchemeHttp)
            ? to
            : throw Bad($"{from.Authority} names the upload address {to.Scheme}://{to.Authority}, which is not secure; refused");
    }

    private Uri ForCommit(Uri session) => new(
        $"{session.GetLeftPart(UriPartial.Query)}{(session.Query.Length > 0 ? '&' : '?')}digest={Uri.EscapeDataString(blob.Digest.ToString())}");

    private RegistryException Bad(string why) => new($"cannot push {_what}: {why}");

    private RegistryException Lost(string why)
    {
        _session = null;
        return Passing($"cannot push {_what}: {why}");
    }

    private static RegistryException Passing(string message, RegistryException? cause = null) => new(message, cause, cause?.StatusCode) { IsTransient = true };

    /// <summary>Tells the registry that the upload is given up, if it listens.</summary>
    private async Task AbandonAsync(Uri session)
    {
        using var patience = new CancellationTokenSource(CleanupTime);
        using var request = target.Request(HttpMethod.Delete, session);
        try
        {
            using var response = await target.SendAsync(request, _what, patience.Token);
        }
        catch (Exception e) when (e is RegistryException or OperationCanceledException)
        {
            logger.LogDebug("the upload of {Digest} was left to the registry to clean up: {Reason}", blob.Digest, e.Message);
        }
    }
}
