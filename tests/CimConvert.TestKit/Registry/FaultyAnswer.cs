using System.Globalization;
using Microsoft.AspNetCore.Http;

namespace CimConvert.TestKit.Registry;

/// <summary>Sends one answer, with whatever is to go wrong with it.</summary>
internal sealed class FaultyAnswer(HttpContext context, IReadOnlyList<Fault> faults, CancellationToken stopping)
{
    private const int ChunkSize = 16 << 10;

    private static readonly TimeSpan ArrivalTime = TimeSpan.FromMilliseconds(150);

    public static async Task ErrorAsync(HttpContext context, int status, string code, string message)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = "application/json";
        await context.Response.WriteAsync($$"""{"errors":[{"code":"{{code}}","message":"{{message}}"}]}""");
    }

    /// <summary>Sends what comes instead of any content, and says whether it did.</summary>
    public async Task<bool> InsteadAsync()
    {
        if (faults.FirstOrDefault(fault => fault.RedirectTarget is not null) is { } redirect)
        {
            var target = new UriBuilder(redirect.RedirectTarget!) { Path = context.Request.Path };
            context.Response.StatusCode = StatusCodes.Status307TemporaryRedirect;
            context.Response.Headers.Location = target.Uri.AbsoluteUri;
            return true;
        }

        if (faults.FirstOrDefault(fault => fault.StatusCode is not null) is { } status)
        {
            context.Response.StatusCode = status.StatusCode!.Value;
            context.Response.Headers.RetryAfter = status.RetryAfter;
            await context.Response.WriteAsync(status.ErrorBody ?? string.Empty);
            return true;
        }

        return false;
    }

    public async Task SendAsync(Stream content, string mediaType, string digest)
    {
        await using (content)
        {
            var (start, status) = StartOf(content.Length);
            var end = content.Length + faults.Sum(fault => fault.LengthDelta);
            context.Response.StatusCode = status;
            if (status == StatusCodes.Status416RangeNotSatisfiable)
            {
                return;
            }

            context.Response.ContentType = mediaType;
            context.Response.Headers["Docker-Content-Digest"] = faults.Select(fault => fault.AnnouncedDigest).FirstOrDefault(a => a is not null) ?? digest;
            context.Response.Headers.AcceptRanges = faults.Any(fault => fault.IgnoresRange) ? "none" : "bytes";
            if (status == StatusCodes.Status206PartialContent)
            {
                context.Response.Headers.ContentRange = string.Create(CultureInfo.InvariantCulture, $"bytes {start}-{content.Length - 1}/{content.Length}");
            }

            if (!faults.Any(fault => fault.HidesLength))
            {
                context.Response.ContentLength = Math.Max(0, end - start);
            }

            if (!HttpMethods.IsHead(context.Request.Method))
            {
                await SendBodyAsync(content, start, end);
            }
        }
    }

    private (long Start, int Status) StartOf(long length)
    {
        var range = context.Request.Headers.Range.FirstOrDefault();
        if (range is null || faults.Any(fault => fault.IgnoresRange))
        {
            return (0, StatusCodes.Status200OK);
        }

        var from = long.Parse(range.AsSpan()["bytes=".Length..^1], CultureInfo.InvariantCulture) + faults.Sum(fault => fault.RangeShift);
        return from < length ? (from, StatusCodes.Status206PartialContent) : (0, StatusCodes.Status416RangeNotSatisfiable);
    }

    private async Task SendBodyAsync(Stream content, long start, long end)
    {
        var pause = faults.FirstOrDefault(fault => fault.PauseBetweenChunks is not null)?.PauseBetweenChunks;
        var stop = faults.Min(fault => fault.DropAt ?? fault.StallAt) is { } bytes ? Math.Min(start + bytes, end) : (long?)null;
        var damaged = faults.Any(fault => fault.Corrupts) ? content.Length / 2 : -1;
        var buffer = new byte[ChunkSize];
        content.Position = start;
        for (var position = start; position < (stop ?? end);)
        {
            var count = (int)Math.Min(buffer.Length, (stop ?? end) - position);
            var read = await content.ReadAtLeastAsync(buffer.AsMemory(0, count), count, throwOnEndOfStream: false, context.RequestAborted);
            buffer.AsSpan(read, count - read).Clear();
            if (damaged >= position && damaged < position + count)
            {
                buffer[damaged - position] ^= 1;
            }

            await context.Response.Body.WriteAsync(buffer.AsMemory(0, count), context.RequestAborted);
            position += count;
            if (pause is { } delay)
            {
                await context.Response.Body.FlushAsync(context.RequestAborted);
                await Task.Delay(delay, context.RequestAborted);
            }
        }

        if (stop is not null)
        {
            await BreakOffAsync();
        }
    }

    private async Task BreakOffAsync()
    {
        await context.Response.Body.FlushAsync(context.RequestAborted);
        if (faults.Any(fault => fault.StallAt is not null))
        {
            using var either = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, stopping);
            await Task.Delay(Timeout.InfiniteTimeSpan, either.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
        else
        {
            // An abort overtakes what is still in the sockets: the client must have read up to here first, or it breaks off elsewhere.
            await Task.Delay(ArrivalTime, stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        context.Abort();
    }
}
