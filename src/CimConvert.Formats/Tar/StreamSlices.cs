using System.Buffers;
using CimConvert.Formats.Binary;

namespace CimConvert.Formats.Tar;

/// <summary>Reads a stream as slices of one pooled buffer. Does not own the stream.</summary>
internal sealed class StreamSlices(Stream stream, int size) : ISliceSource, IDisposable
{
    private byte[] _bytes = ArrayPool<byte>.Shared.Rent(size);

    public ReadOnlyMemory<byte> Next() => _bytes.AsMemory(0, stream.Read(_bytes, 0, _bytes.Length));

    /// <summary>Skips bytes by seeking; false if the stream cannot seek or ends before.</summary>
    public bool TrySkip(long count)
    {
        if (!stream.CanSeek || count > stream.Length - stream.Position)
        {
            return false;
        }

        stream.Seek(count, SeekOrigin.Current);
        return true;
    }

    public void Dispose()
    {
        if (_bytes.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(_bytes);
            _bytes = [];
        }
    }
}
