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

    /// <param name="open">Opens the blob at an offset, behind what a killed run wrote.</param>
    /// <param name="labels">For the blob.</param>
    /// <param name="cancellationToken">Ends the writing; what is written stays for the next run.</param>
    /// <returns>False if the daemon has the blob: then it is not opened, and the lease takes it.</returns>
    /// <exception cref="RpcException">Another call is writing it: see <see cref="IsLocked"/>.</exception>
    public async Task<bool> RunAsync(
        Func<long, CancellationToken, Task<Stream>> open, IReadOnlyDictionary<string, string> labels, CancellationToken cancellationToken)
    {
        await AbortIfTooLongAsync(cancellationToken);
        using var stall = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        using var call = _content.Write(client.Options(deadline: null, stall.Token));
        try
        {
            // Keeps other writers of the blob out until the call ends, so that it is downloaded once.
            var offset = await ExchangeAsync(call, Request(WriteAction.Stat, offset: 0), stall);
            await using var blob = await open(offset, cancellationToken);
            var part = new byte[PartSize];
            while (await blob.ReadAtLeastAsync(part, part.Length, throwOnEndOfStream: false, cancellationToken) is var count and > 0)
            {
                var write = Request(WriteAction.Write, offset);
                write.Data = UnsafeByteOperations.UnsafeWrap(part.AsMemory(0, count));
                offset += count;
                await SendPartAsync(call, write, offset, stall);
            }

            var commit = Request(WriteAction.Commit, offset);
            commit.Labels.Add(labels.ToDictionary());
            await SendPartAsync(call, commit, offset, stall);
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
        catch (RpcException e) when (!IsLocked(e))
        {
            if (e.StatusCode is StatusCode.FailedPrecondition or StatusCode.InvalidArgument or StatusCode.OutOfRange)
            {
                // Bytes that are wrong stay wrong: the next run begins anew.
                await AbortAsync();
            }

            throw ContainerdFailures.Of(client.Address, $"write the content {descriptor.Digest}", e, cancellationToken);
        }
    }

    private async Task SendPartAsync(
        AsyncDuplexStreamingCall<WriteContentRequest, WriteContentResponse> call, WriteContentRequest request, long end, CancellationTokenSource stall)
    {
        if (await ExchangeAsync(call, request, stall) != end)
        {
            throw Lost();
        }
    }

    /// <summary>Sends a request and waits for its answer: no more than one part is ever on its way.</summary>
    /// <returns>How many bytes the daemon has.</returns>
    private async Task<long> ExchangeAsync(
        AsyncDuplexStreamingCall<WriteContentRequest, WriteContentResponse> call, WriteContentRequest request, CancellationTokenSource stall)
    {
        stall.CancelAfter(Deadlines.Stall);
        await SendAsync(call, request, stall.Token);
        if (!await call.ResponseStream.MoveNext(stall.Token))
        {
            throw Lost();
        }

        // Reading the blob is not the daemon's time.
        stall.CancelAfter(Timeout.InfiniteTimeSpan);
        return call.ResponseStream.Current.Offset;
    }

    private ConversionException Lost() =>
        new($"containerd at {client.Address} lost a part of the content {descriptor.Digest}; run the same command again");

    private async Task AbortIfTooLongAsync(CancellationToken cancellationToken)
    {
        var answer = await client.TryCallAsync(
            $"look for what was written of {descriptor.Digest}",
            StatusCode.NotFound,
            options => _content.StatusAsync(new StatusRequest { Ref = _ref }, options),
            Deadlines.Quick,
            cancellationToken);
        if (answer?.Status.Offset is { } written && (written < 0 || written > descriptor.Size))
        {
            await AbortAsync();
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
