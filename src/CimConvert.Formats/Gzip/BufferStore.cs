using System.Buffers;

namespace CimConvert.Formats.Gzip;

/// <summary>
/// Buffers of one size that go round among those who decode a stream. Of its own, since the shared pool keeps only few of a size
/// where one thread rents and another returns.
/// </summary>
internal sealed class BufferStore(int size) : IDisposable
{
    private readonly Lock _lock = new();
    private readonly Stack<byte[]> _free = new();
    private bool _isDisposed;

    public int Size => size;

    public byte[] Rent()
    {
        lock (_lock)
        {
            if (_free.TryPop(out var buffer))
            {
                return buffer;
            }
        }

        return ArrayPool<byte>.Shared.Rent(size);
    }

    public void Return(byte[] buffer)
    {
        lock (_lock)
        {
            if (!_isDisposed)
            {
                _free.Push(buffer);
                return;
            }
        }

        ArrayPool<byte>.Shared.Return(buffer);
    }

    public void Dispose()
    {
        lock (_lock)
        {
            _isDisposed = true;
        }

        while (_free.TryPop(out var buffer))
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}
