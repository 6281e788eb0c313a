using CimConvert.Containerd.Api;
using CimConvert.Formats.Binary;
using CimConvert.Oci;
using Grpc.Core;

namespace CimConvert.Containerd;

/// <summary>The bytes of a blob as the daemon sends them: no more than one message is held.</summary>
internal sealed class ContentReadStream(
    ContainerdAddress address, AsyncServerStreamingCall<ReadContentResponse> call, Digest digest, long size, CancellationToken cancellation) : ForwardStream
{
    private ReadOnlyMemory<byte> _message;
    private long _received;
    private bool _ended;

    public override int Read(Span<byte> buffer)
    {
        if (!buffer.IsEmpty && _message.IsEmpty && !_ended)
        {
            ReceiveAsync(cancellation).AsTask().GetAwaiter().GetResult();
        }

        return Take(buffer);
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (!buffer.IsEmpty && _message.IsEmpty && !_ended)
        {
            await ReceiveAsync(cancellationToken);
        }

        return Take(buffer.Span);
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            call.Dispose();
        }

        base.Dispose(disposing);
    }

    private int Take(Span<byte> buffer)
    {
        var count = Math.Min(buffer.Length, _message.Length);
        _message.Span[..count].CopyTo(buffer);
        _message = _message[count..];
        return count;
    }

    /// <summary>The next message that is not empty, or the end.</summary>
    private async ValueTask ReceiveAsync(CancellationToken cancellationToken)
    {
        using var stall = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, cancellation);
        stall.CancelAfter(Deadlines.Stall);
        try
        {
            while (_message.IsEmpty && !_ended)
            {
                _ended = !await call.ResponseStream.MoveNext(stall.Token);
                if (!_ended)
                {
                    Accept(call.ResponseStream.Current);
                }
            }
        }
        catch (RpcException e) when (stall.IsCancellationRequested && !cancellationToken.IsCancellationRequested && !cancellation.IsCancellationRequested)
        {
            throw new ConversionException($"containerd at {address} sent nothing of the content {digest} for {Deadlines.Stall.TotalSeconds} s", e);
        }
        catch (RpcException e)
        {
            throw ContainerdFailures.Of(address, $"read the content {digest}", e, stall.Token);
        }

        if (_ended && _received != size)
        {
            throw new ConversionException($"containerd at {address} sent {_received} of the {size} bytes of the content {digest}");
        }
    }

    private void Accept(ReadContentResponse response)
    {
        if (response.Offset != _received || response.Data.Length > size - _received)
        {
            throw new ConversionException($"containerd at {address} sent other bytes of the content {digest} than were asked for");
        }

        _message = response.Data.Memory;
        _received += response.Data.Length;
    }
}
