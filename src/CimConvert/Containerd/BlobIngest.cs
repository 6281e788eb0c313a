using CimConvert.Containerd.Api;
using CimConvert.Oci;
using Google.Protobuf;
using Grpc.Core;

namespace CimConvert.Containerd;

/// <summary>Writes one blob into the daemon's content store, a part at a time.</summary>
internal sealed class BlobIngest(ContainerdClient client, Descriptor descriptor)
{
    private const int PartSize = 1 << 20;

    private readonly Content.ContentClient _content = new(client.Calls);
    private readonly string _ref = RefOf(descriptor.Digest);

    /// <summary>Fixed, so that a run finds what a killed one wrote.</summary>
    public static string RefOf(Digest digest) => $"cimconvert-{digest}";

    /// <summary>Whether another call is writing the same blob (containerd, plugins/content/local/locks.go).</summary>
    public static bool IsLocked(RpcException e) =>
        e.StatusCode == StatusCode.Unavailable && e.Status.DebugException is null && e.Status.Detail.Contains("locked", StringComparison.Ordinal);

    /// <summary>A daemon that has ended the call says why in its answers, not where the request was written.</summary>
    public static async Task SendAsync(
        AsyncDuplexStreamingCall<WriteContentRequest, WriteContentResponse> call, WriteContentRequest request, CancellationToken cancellationToken)
    {
        try
        {
            await call.RequestStream.WriteAsync(request, cancellationToken);
        }
        catch (Exception e) when (e is RpcException or InvalidOperationException or IOException && !cancellationToken.IsCancellationRequested)
        {
            while (await call.ResponseStream.MoveNext(cancellationToken))
            {
            }

            throw;
        }
    }

    /// <returns>False if somebody else finished the same blob meanwhile.</returns>
    public async Task<bool> RunAsync(Stream blob, IReadOnlyDictionary<string, string> labels, CancellationToken cancellationToken)
    {
        var offset = await StartAsync(cancellationToken);
        await SkipAsync(blob, offset, cancellationToken);
        using var stall = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        using var call = _content.Write(client.Options(deadline: null, stall.Token));
        try
        {
            var part = new byte[PartSize];
            while (await blob.ReadAtLeastAsync(part, part.Length, throwOnEndOfStream: false, cancellationToken) is var count and > 0)
            {
                var write = Request(WriteAction.Write, offset);
                write.Data = UnsafeByteOperations.UnsafeWrap(part.AsMemory(0, count));
                offset += count;
                await ExchangeAsync(call, write, offset, stall);
            }

            var commit = Request(WriteAction.Commit, offset);
            commit.Labels.Add(labels.ToDictionary());
            await ExchangeAsync(call, commit, offset, stall);
            await call.RequestStream.CompleteAsync();
            while (await call.ResponseStream.MoveNext(stall.Token))
            {
            }

            return true;
        }
        catch (RpcException e) when (e.StatusCode == StatusCode.AlreadyExists)
        {
            return false;
        }
        catch (Exception e) when (e is RpcException or OperationCanceledException && !cancellationToken.IsCancellationRequested && stall.IsCancellationRequested)
        {
            throw new ConversionException($"containerd at {client.Address} did not take the content {descriptor.Digest} for {Deadlines.Stall.TotalSeconds} s", e);
        }
        catch (RpcException e)
        {
            if (e.StatusCode is StatusCode.FailedPrecondition or StatusCode.InvalidArgument or StatusCode.OutOfRange)
            {
                // Bytes that are wrong stay wrong: the next run begins anew.
                await AbortAsync();
            }

            throw ContainerdFailures.Of(client.Address, $"write the content {descriptor.Digest}", e, cancellationToken);
        }
    }

    /// <summary>Sends a part and waits for its answer: no more than one part is ever on its way.</summary>
    private async Task ExchangeAsync(
        AsyncDuplexStreamingCall<WriteContentRequest, WriteContentResponse> call, WriteContentRequest request, long end, CancellationTokenSource stall)
    {
        stall.CancelAfter(Deadlines.Stall);
        await SendAsync(call, request, stall.Token);
        if (!await call.ResponseStream.MoveNext(stall.Token) || call.ResponseStream.Current.Offset != end)
        {
            throw new ConversionException($"containerd at {client.Address} lost a part of the content {descriptor.Digest}; run the same command again");
        }

        // Reading the blob is not the daemon's time.
        stall.CancelAfter(Timeout.InfiniteTimeSpan);
    }

    private async Task<long> StartAsync(CancellationToken cancellationToken)
    {
        var answer = await client.TryCallAsync(
            $"look for what was written of {descriptor.Digest}",
            StatusCode.NotFound,
            options => _content.StatusAsync(new StatusRequest { Ref = _ref }, options),
            Deadlines.Quick,
            cancellationToken);
        var offset = answer?.Status.Offset ?? 0;
        if (offset >= 0 && offset <= descriptor.Size)
        {
            return offset;
        }

        await AbortAsync();
        return 0;
    }

    private static async Task SkipAsync(Stream blob, long count, CancellationToken cancellationToken)
    {
        if (count > 0 && blob.CanSeek)
        {
            blob.Seek(count, SeekOrigin.Current);
            return;
        }

        var unused = new byte[Math.Min(count, PartSize)];
        for (var left = count; left > 0;)
        {
            var part = unused.AsMemory(0, (int)Math.Min(left, unused.Length));
            await blob.ReadExactlyAsync(part, cancellationToken);
            left -= part.Length;
        }
    }

    private WriteContentRequest Request(WriteAction action, long offset) => new()
    {
        Action = action,
        Ref = _ref,
        Total = descriptor.Size,
        Expected = descriptor.Digest.ToString(),
        Offset = offset,
    };

    private async Task AbortAsync() => await client.TryCallAsync(
        $"forget what was written of {descriptor.Digest}",
        StatusCode.NotFound,
        options => _content.AbortAsync(new AbortRequest { Ref = _ref }, options),
        Deadlines.Quick,
        CancellationToken.None);
}
