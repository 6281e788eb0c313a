using System.Globalization;
using Microsoft.AspNetCore.Http;

namespace CimConvert.TestKit.Registry;

/// <summary>Answers one request of the blob push protocol, spoiled by the request's faults (distribution spec, "Pushing blobs").</summary>
internal sealed class UploadAnswer(
    HttpContext context, string repository, RegistryContent content, UploadSessions sessions, IReadOnlyList<Fault> faults, CancellationToken stopping)
{
    private const int PieceSize = 16 << 10;

    private HttpRequest Request => context.Request;

    private HttpResponse Response => context.Response;

    /// <summary>POST: a mount, or the begin of an upload.</summary>
    public async Task BeginAsync(long? minChunk)
    {
        if (await BreakOffAsync(received: 0))
        {
            return;
        }

        string? mount = Request.Query["mount"], from = Request.Query["from"];
        if (mount is not null && from is not null && content.Mount(mount, from, repository))
        {
            Response.StatusCode = StatusCodes.Status201Created;
            Response.Headers.Location = $"/v2/{repository}/blobs/{mount}";
            return;
        }

        var session = sessions.Begin();
        if (minChunk is { } bytes)
        {
            Response.Headers["OCI-Chunk-Min-Length"] = bytes.ToString(CultureInfo.InvariantCulture);
        }

        Accept(session, StatusCodes.Status202Accepted);
    }

    /// <summary>GET, PATCH, PUT and DELETE of an upload's address.</summary>
    public async Task ContinueAsync(string id)
    {
        var session = sessions.Find(id);
        if (session is not null && faults.Any(fault => fault.LosesUpload))
        {
            sessions.Remove(session);
            session = null;
        }

        if (session is null)
        {
            await FaultyAnswer.ErrorAsync(context, StatusCodes.Status404NotFound, "BLOB_UPLOAD_UNKNOWN", "blob upload unknown to registry");
        }
        else if (!session.Knows(Request.Query["_state"]))
        {
            await FaultyAnswer.ErrorAsync(context, StatusCodes.Status400BadRequest, "BLOB_UPLOAD_INVALID", "not an address of this upload");
        }
        else if (HttpMethods.IsDelete(Request.Method))
        {
            sessions.Remove(session);
            Response.StatusCode = StatusCodes.Status204NoContent;
        }
        else if (HttpMethods.IsGet(Request.Method))
        {
            Accept(session, StatusCodes.Status204NoContent);
        }
        else if (FirstByte() is { } first && first != session.Length)
        {
            Response.Headers["Range"] = RangeOf(session);
            await FaultyAnswer.ErrorAsync(context, StatusCodes.Status416RangeNotSatisfiable, "RANGE_INVALID", "not the next byte");
        }
        else if (await ReceiveAsync(session))
        {
            await AcknowledgeAsync(session);
        }
    }

    private async Task AcknowledgeAsync(UploadSessions.Session session)
    {
        if (HttpMethods.IsPatch(Request.Method))
        {
            Accept(session, StatusCodes.Status202Accepted);
            return;
        }

        var digest = session.Digest;
        sessions.Remove(session);
        if (Request.Query["digest"] != digest)
        {
            await FaultyAnswer.ErrorAsync(context, StatusCodes.Status400BadRequest, "DIGEST_INVALID", "provided digest did not match uploaded content");
            return;
        }

        content.AddBlob(repository, session.Content);
        Response.StatusCode = StatusCodes.Status201Created;
        Response.Headers.Location = $"/v2/{repository}/blobs/{digest}";
        Response.Headers["Docker-Content-Digest"] = faults.Select(fault => fault.AnnouncedDigest).FirstOrDefault(a => a is not null) ?? digest;
    }

    private void Accept(UploadSessions.Session session, int status)
    {
        var at = faults.Select(fault => fault.UploadBase).FirstOrDefault(a => a is not null) ?? string.Empty;
        Response.StatusCode = status;
        Response.Headers.Location = $"{at}/v2/{repository}/blobs/uploads/{session.Id}{session.NextQuery()}";
        Response.Headers["Range"] = RangeOf(session);
    }

    /// <summary>As distribution says it: nothing looks like one byte.</summary>
    private string RangeOf(UploadSessions.Session session) => string.Create(
        CultureInfo.InvariantCulture, $"0-{Math.Max(0, session.Length - 1 + faults.Sum(fault => fault.RangeShift))}");

    private long? FirstByte()
    {
        var range = Request.Headers.ContentRange.FirstOrDefault();
        return range is null ? null : long.Parse(range.AsSpan(0, range.IndexOf('-', StringComparison.Ordinal)), CultureInfo.InvariantCulture);
    }

    /// <summary>Keeps the body as it comes, and says whether all of it did.</summary>
    private async Task<bool> ReceiveAsync(UploadSessions.Session session)
    {
        var pause = faults.FirstOrDefault(fault => fault.PauseBetweenChunks is not null)?.PauseBetweenChunks;
        var buffer = new byte[PieceSize];
        for (long received = 0; ;)
        {
            var stop = faults.Min(fault => fault.DropAt ?? fault.StallAt);
            var most = (int)Math.Min(buffer.Length, (stop ?? long.MaxValue) - received);
            var count = most == 0 ? 0 : await Request.Body.ReadAsync(buffer.AsMemory(0, most), context.RequestAborted);
            session.Append(buffer.AsSpan(0, count));
            received += count;
            if (count == 0)
            {
                return !await BreakOffAsync(received);
            }

            if (pause is { } delay)
            {
                await Task.Delay(delay, context.RequestAborted);
            }
        }
    }

    /// <summary>Ends the connection without an answer, where a fault says so after so many bytes.</summary>
    private async Task<bool> BreakOffAsync(long received)
    {
        if (faults.Any(fault => fault.StallAt <= received))
        {
            using var either = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, stopping);
            await Task.Delay(Timeout.InfiniteTimeSpan, either.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
        else if (!faults.Any(fault => fault.DropAt <= received))
        {
            return false;
        }

        context.Abort();
        return true;
    }
}
