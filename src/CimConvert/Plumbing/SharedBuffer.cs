using System.Buffers;
using System.Threading.Channels;

namespace CimConvert.Plumbing;

/// <summary>A pooled buffer that one side fills and several readers read; when the last of them releases it, it is free again.</summary>
/// <param name="free">The channel that free buffers go to.</param>
internal sealed class SharedBuffer(ChannelWriter<SharedBuffer> free) : IDisposable
{
    private byte[] _bytes = [];
    private int _readers;

    /// <summary>Bytes in the buffer.</summary>
    public int Count { get; private set; }

    /// <summary>Valid for a reader until it releases the buffer.</summary>
    public ReadOnlyMemory<byte> Content => _bytes.AsMemory(0, Count);

    /// <summary>Fills the buffer with <paramref name="size"/> bytes, or with fewer if the source ends.</summary>
    public void Fill(Stream source, int size) => Count = source.ReadAtLeast(Room(size).Span, size, throwOnEndOfStream: false);

    /// <summary>As <see cref="Fill"/>.</summary>
    public async ValueTask FillAsync(Stream source, int size, CancellationToken cancellationToken) =>
        Count = await source.ReadAtLeastAsync(Room(size), size, throwOnEndOfStream: false, cancellationToken);

    /// <summary>Sets the number of readers that will release the buffer.</summary>
    public void Share(int readers) => _readers = readers;

    public void Release()
    {
        if (Interlocked.Decrement(ref _readers) == 0)
        {
            free.TryWrite(this);
        }
    }

    /// <summary>Returns the memory to the pool; no reader may use it any more.</summary>
    public void Dispose()
    {
        if (_bytes.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(_bytes);
            (_bytes, Count) = ([], 0);
        }
    }

    private Memory<byte> Room(int size)
    {
        if (_bytes.Length < size)
        {
            _bytes = ArrayPool<byte>.Shared.Rent(size);
        }

        return _bytes.AsMemory(0, size);
    }
}
