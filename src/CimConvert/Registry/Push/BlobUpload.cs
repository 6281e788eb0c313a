using System.Net;
using CimConvert.Oci;
using Microsoft.Extensions.Logging;
using Polly;

namespace CimConvert.Registry.Push;

/// <summary>
/// Uploads one blob (OCI distribution spec, "Pushing blobs"): a small one in one request, a larger one in chunks. A broken upload resumes
/// at the offset that the registry reports, or starts over if the registry no longer knows the session.
/// </summary>
internal sealed class BlobUpload(PushTarget target, PushedBlob blob, RegistryOptions options, ILogger logger)
{
    /// <summary>Short, because a cancelled user is waiting.</summary>
    private static readonly TimeSpan s_cleanupTimeout = TimeSpan.FromSeconds(2);

    private readonly string _what = $"blob {blob.Digest} to {target.Name}";
    private readonly ResiliencePipeline<PushOutcome?> _retry = PushRetry.Build<PushOutcome?>(options, logger);

    private string? _mountFrom = blob.MountFrom;
    private Uri? _session;
    private long _chunk = options.UploadChunk;
    private long _offset;
    private long _furthest;
    private bool _isOffsetKnown;
    private bool _hasAdvanced;
    private bool _hasFailed;
    private long? _refusedOffset;

    public async Task<PushOutcome> RunAsync(CancellationToken cancellationToken)
    {
        try
        {
            // Failures count from the last progress: each execution has all attempts.
            while (true)
            {
                if (await _retry.ExecuteAsync(AdvanceAsync, cancellationToken) is { } outcome)
                {
                    return outcome;
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

    /// <summary>Uploads until the registry has more of the blob than ever before, or all of it.</summary>
    private async ValueTask<PushOutcome?> AdvanceAsync(CancellationToken cancellationToken)
    {
        _hasAdvanced = false;
        try
        {
            while (true)
            {
                var outcome = await StepAsync(cancellationToken);
                if (outcome is not null || _hasAdvanced)
                {
                    return outcome;
                }
            }
        }
        catch (RegistryException e) when (e.IsTransient)
        {
            _isOffsetKnown = false;
            _hasFailed = true;
            throw;
        }
    }

    private async Task<PushOutcome?> StepAsync(CancellationToken cancellationToken)
    {
        if (_session is null)
        {
            // Perhaps only the response to the last request was lost.
            return _hasFailed && await ExistsAsync(cancellationToken) ? PushOutcome.Uploaded : await BeginAsync(cancellationToken);
        }

        if (!_isOffsetKnown)
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

            // Mounting may be unsupported, or not permitted: upload.
            case not HttpStatusCode.Accepted when _mountFrom is not null:
                _mountFrom = null;
                return null;

            case not HttpStatusCode.Accepted:
                throw await target.RefusedAsync(response, _what, cancellationToken);
        }

        _session = UploadResponse.LocationOf(response, _what) ?? throw Failure("the registry returned no upload URL");
        _offset = 0;
        _refusedOffset = null;
        _isOffsetKnown = true;
        if (UploadResponse.MinChunkOf(response) is { } least)
        {
            _chunk = Math.Max(options.UploadChunk, least);
        }

        return null;
    }

    /// <summary>Asks for the upload's offset ("Pushing a blob in chunks": GET on the session).</summary>
    private async Task SynchronizeAsync(Uri session, CancellationToken cancellationToken)
    {
        using var request = target.Request(HttpMethod.Get, session);
        using var response = await target.SendAsync(request, _what, cancellationToken);
        await CheckSessionAsync(response, cancellationToken);
        var received = UploadResponse.ReceivedOf(response) ?? throw SessionLost("the registry does not say how much it has");

        // CNCF distribution reports 0-0 for no byte and for one. An offset that was refused (416) is not tried again.
        if (received > blob.Size || received == _refusedOffset)
        {
            throw SessionLost($"the registry reports {received} bytes, but does not continue there");
        }

        _isOffsetKnown = true;
        _session = UploadResponse.LocationOf(response, _what) ?? session;
        Advance(received);
    }

    private async Task SendChunkAsync(Uri session, CancellationToken cancellationToken)
    {
        var length = Math.Min(_chunk, blob.Size - _offset);
        var end = _offset + length;
        using var request = target.Request(HttpMethod.Patch, session);
        using var response = await target.SendFileAsync(request, blob.Path, _offset, length, _what, cancellationToken);
        await CheckSessionAsync(response, cancellationToken);
        var received = UploadResponse.ReceivedOf(response) ?? end;
        if (received > end)
        {
            throw SessionLost($"the registry reports {received} bytes of {end} that were sent");
        }

        _session = UploadResponse.LocationOf(response, _what) ?? session;
        if (received <= _offset)
        {
            throw Transient($"cannot push {_what}: the registry took none of the bytes that were sent");
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

    /// <summary>Errors about the session restart the upload; errors about permissions do not.</summary>
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
                _refusedOffset = _offset;
                throw Transient(refused.Message, refused);

            case HttpStatusCode.BadRequest or HttpStatusCode.NotFound or HttpStatusCode.Gone:
                _session = null;
                throw Transient(refused.Message, refused);

            default:
                throw refused;
        }
    }

    /// <summary>The registry reports another digest: checks whether the file or the transfer is damaged.</summary>
    private async Task CheckFileAsync(CancellationToken cancellationToken)
    {
        using var file = File.OpenRead(blob.Path);
        var actual = await Digest.ComputeAsync(file, cancellationToken);
        if (actual != blob.Digest)
        {
            throw Failure($"'{blob.Path}' has the digest {actual}: the store is damaged; remove the file and its layer, and convert again");
        }
    }

    private void Advance(long received)
    {
        _offset = received;
        if (received > _furthest)
        {
            _furthest = received;
            _hasAdvanced = true;
            _hasFailed = false;
        }
    }

    private Uri ForCommit(Uri session) => new(
        $"{session.GetLeftPart(UriPartial.Query)}{(session.Query.Length > 0 ? '&' : '?')}digest={Uri.EscapeDataString(blob.Digest.ToString())}");

    private RegistryException Failure(string why) => new($"cannot push {_what}: {why}");

    private RegistryException SessionLost(string why)
    {
        _session = null;
        return Transient($"cannot push {_what}: {why}");
    }

    private static RegistryException Transient(string message, RegistryException? cause = null) => new(message, cause, cause?.StatusCode) { IsTransient = true };

    /// <summary>Cancels the session at the registry, if possible.</summary>
    private async Task AbandonAsync(Uri session)
    {
        using var timeout = new CancellationTokenSource(s_cleanupTimeout);
        using var request = target.Request(HttpMethod.Delete, session);
        try
        {
            using var response = await target.SendAsync(request, _what, timeout.Token);
        }
        catch (Exception e) when (e is RegistryException or OperationCanceledException)
        {
            logger.LogDebug("the upload of {Digest} was left to the registry to clean up: {Reason}", blob.Digest, e.Message);
        }
    }
}
