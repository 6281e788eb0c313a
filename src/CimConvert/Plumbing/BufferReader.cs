using System.Threading.Channels;
using CimConvert.Formats.Binary;

namespace CimConvert.Plumbing;

/// <summary>
/// One reader's side of a <see cref="BufferChannel"/>. Reading blocks the thread, so stages that read synchronously run on threads of their
/// own.
/// </summary>
internal sealed class BufferReader : ForwardStream, ISliceSource
{
    private readonly Channel<SharedBuffer> _filled;
    private readonly StageClock? _clock;
    private SharedBuffer? _current;
    private int _used;

    /// <param name="capacity">The number of buffers of the channel, so that adding one never waits.</param>
    /// <param name="clock">The clock of the stage that reads; null if it is not traced.</param>
    public BufferReader(int capacity, StageClock? clock)
    {
        _filled = Channel.CreateBounded<SharedBuffer>(new BoundedChannelOptions(capacity) { SingleReader = true });
        _clock = clock;
    }

    /// <summary>Whether everything was read.</summary>
    public bool IsAtEnd { get; private set; }

    public void Add(SharedBuffer buffer) => _filled.Writer.TryWrite(buffer);

    /// <summary>Ends the stream: no more buffers are added.</summary>
    /// <param name="error">The error that the reader sees at the end; null for a normal end.</param>
    public void End(Exception? error) => _filled.Writer.TryComplete(error);

    public ReadOnlyMemory<byte> Next()
    {
        var slice = Peek();
        _used += slice.Length;
        return slice;
    }

    public override int Read(Span<byte> buffer)
    {
        var slice = Peek();
        slice = slice[..Math.Min(buffer.Length, slice.Length)];
        slice.Span.CopyTo(buffer);
        _used += slice.Length;
        return slice.Length;
    }

    protected override void Dispose(bool disposing)
    {
        Release();
        while (_filled.Reader.TryRead(out var left))
        {
            left.Release();
        }

        base.Dispose(disposing);
    }

    private ReadOnlyMemory<byte> Peek()
    {
        if (_current is null || _used == _current.Count)
        {
            Release();
            while (!_filled.Reader.TryRead(out _current))
            {
                _clock?.WaitForInput();
                if (!_filled.Reader.WaitToReadAsync().AsTask().GetAwaiter().GetResult())
                {
                    _clock?.Dispose();
                    IsAtEnd = true;
                    return default;
                }
            }

            _clock?.Work();
        }

        return _current.Content[_used..];
    }

    private void Release()
    {
        _current?.Release();
        (_current, _used) = (null, 0);
    }
}
