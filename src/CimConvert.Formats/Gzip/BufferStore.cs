using System.Buffers;

namespace CimConvert.Formats.Gzip;

/// <summary>
/// Buffers of one size, shared by the threads that decode a stream. The shared array pool keeps too few buffers of a size where one
/// thread rents and another returns them.
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
