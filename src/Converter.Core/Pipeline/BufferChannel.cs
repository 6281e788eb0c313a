using System.Buffers;
using System.Threading.Channels;
using Converter.Formats.Binary;

namespace Converter.Core.Pipeline;

/// <summary>
/// Joins two stages by pooled buffers: one side pumps a stream in, the other reads a stream out. Bounded, so the faster side
/// waits. A reader that gives up says so, and the writer stops without an error of its own.
/// </summary>
internal sealed class BufferChannel : IDisposable
{
    private readonly int _bufferSize;
    private readonly StageClock? _from;
    private readonly Channel<Filled> _channel;
    private readonly CancellationTokenSource _abandoned = new();

    /// <param name="bufferSize">Bytes a buffer.</param>
    /// <param name="capacity">Full buffers that may wait.</param>
    /// <param name="from">Of the stage that pumps; null for one that nobody looks at.</param>
    /// <param name="to">Of the stage that reads.</param>
    public BufferChannel(int bufferSize, int capacity, StageClock? from = null, StageClock? to = null)
    {
        _bufferSize = bufferSize;
        _from = from;
        _channel = Channel.CreateBounded<Filled>(new BoundedChannelOptions(capacity) { SingleReader = true, SingleWriter = true });
        Reader = new ChannelStream(_channel.Reader, to);
    }

    /// <summary>What was pumped in; its end or error comes where the pumped stream's did.</summary>
    public Stream Reader { get; }

    /// <summary>Pumps until the source's end, its error, which the reader sees too, or the reader's giving up.</summary>
    /// <returns>Whether the source was read to its end.</returns>
    public async Task<bool> PumpAsync(Stream source, Action<int> onRead, CancellationToken cancellation)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation, _abandoned.Token);
        using var clock = _from;
        clock?.Work();
        try
        {
            while (true)
            {
                var buffer = ArrayPool<byte>.Shared.Rent(_bufferSize);
                var count = 0;
                try
                {
                    count = await source.ReadAtLeastAsync(buffer.AsMemory(0, _bufferSize), _bufferSize, throwOnEndOfStream: false, stop.Token);
                    onRead(count);
                    if (count > 0)
                    {
                        var filled = new Filled(buffer, count);
                        if (!_channel.Writer.TryWrite(filled))
                        {
                            clock?.WaitForOutput();
                            await _channel.Writer.WriteAsync(filled, stop.Token);
                            clock?.Work();
                        }

                        buffer = null;
                    }
                }
                finally
                {
                    if (buffer is not null)
                    {
                        ArrayPool<byte>.Shared.Return(buffer);
                    }
                }

                if (count < _bufferSize)
                {
                    _channel.Writer.TryComplete();
                    return true;
                }
            }
        }
        catch (OperationCanceledException) when (_abandoned.IsCancellationRequested && !cancellation.IsCancellationRequested)
        {
            return false;
        }
        catch (Exception e)
        {
            _channel.Writer.TryComplete(e);
            throw;
        }
    }

    /// <summary>Ends the channel with an error that the reader sees, where there is nothing to pump.</summary>
    public void Fail(Exception error) => _channel.Writer.TryComplete(error);

    /// <summary>Says that nothing more will be read.</summary>
    public void Abandon() => _abandoned.Cancel();

    public void Dispose()
    {
        while (_channel.Reader.TryRead(out var filled))
        {
            ArrayPool<byte>.Shared.Return(filled.Buffer);
        }

        Reader.Dispose();
        _abandoned.Dispose();
    }

    private readonly record struct Filled(byte[] Buffer, int Count);

    private sealed class ChannelStream(ChannelReader<Filled> channel, StageClock? clock) : ForwardStream
    {
        private Filled _current;
        private int _used;

        public override int Read(Span<byte> buffer)
        {
            if (_used == _current.Count && !Next())
            {
                return 0;
            }

            var count = Math.Min(buffer.Length, _current.Count - _used);
            _current.Buffer.AsSpan(_used, count).CopyTo(buffer);
            _used += count;
            return count;
        }

        protected override void Dispose(bool disposing)
        {
            Release();
            base.Dispose(disposing);
        }

        /// <summary>Blocks its thread: the stages that read synchronously run on threads of their own.</summary>
        private bool Next()
        {
            Release();
            Filled next;
            while (!channel.TryRead(out next))
            {
                clock?.WaitForInput();
                if (!channel.WaitToReadAsync().AsTask().GetAwaiter().GetResult())
                {
                    clock?.Dispose();
                    return false;
                }
            }

            clock?.Work();
            (_current, _used) = (next, 0);
            return true;
        }

        private void Release()
        {
            if (_current.Buffer is { } buffer)
            {
                ArrayPool<byte>.Shared.Return(buffer);
            }

            (_current, _used) = (default, 0);
        }
    }
}
