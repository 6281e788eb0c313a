using System.Net;
using CimConvert.Cli.Demo;
using Microsoft.AspNetCore.Http;

namespace CimConvert.TestKit.Registry;

/// <summary>Sends one answer, spoiled by the request's faults.</summary>
internal sealed class FaultyAnswer(HttpContext context, IReadOnlyList<Fault> faults, CancellationToken stopping)
{
    private const int ChunkSize = 16 << 10;

    private static readonly TimeSpan ArrivalTime = TimeSpan.FromMilliseconds(150);

    public static Task ErrorAsync(HttpContext context, int status, string code, string message) =>
        new FaultyAnswer(context, [], default).SendAsync(RegistryAnswer.Error((HttpStatusCode)status, code, message));

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

    /// <summary>The first byte that is asked for, as this answer is to take it; null for all of it.</summary>
    public long? FirstByte() => faults.Any(fault => fault.IgnoresRange)
        ? null
        : InProcessRegistry.FirstByte(context.Request.Headers.Range.FirstOrDefault()) + faults.Sum(fault => fault.RangeShift);

    public async Task SendAsync(RegistryAnswer answer)
    {
        using (answer)
        {
            var content = answer.Content;
            var (start, end) = (content.Position, content.Length + (answer.IsContent ? faults.Sum(fault => fault.LengthDelta) : 0));
            SetHeaders(answer);
            if (!answer.IsContent || !faults.Any(fault => fault.HidesLength))
            {
                context.Response.ContentLength = Math.Max(0, end - start);
            }

            if (HttpMethods.IsHead(context.Request.Method))
            {
                return;
            }

            await (answer.IsContent ? SendBodyAsync(content, start, end) : content.CopyToAsync(context.Response.Body));
        }
    }

    private void SetHeaders(RegistryAnswer answer)
    {
        context.Response.StatusCode = (int)answer.Status;
        foreach (var (name, value) in answer.Headers)
        {
            context.Response.Headers[name] = value;
        }

        if (answer.IsContent && faults.Select(fault => fault.AnnouncedDigest).FirstOrDefault(digest => digest is not null) is { } announced)
        {
            context.Response.Headers["Docker-Content-Digest"] = announced;
        }

        if (answer.IsContent && faults.Any(fault => fault.IgnoresRange))
        {
            context.Response.Headers.AcceptRanges = "none";
        }
    }

    private async Task SendBodyAsync(Stream content, long start, long end)
    {
        var pause = faults.FirstOrDefault(fault => fault.PauseBetweenChunks is not null)?.PauseBetweenChunks;
        var stop = faults.Min(fault => fault.DropAt ?? fault.StallAt) is { } bytes ? Math.Min(start + bytes, end) : (long?)null;
        var damaged = faults.Any(fault => fault.Corrupts) ? content.Length / 2 : -1;
        var buffer = new byte[ChunkSize];
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
