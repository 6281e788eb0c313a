using System.Buffers;

namespace Converter.Formats.Tar;

/// <summary>A window over the tar's stream: reads in large pieces into one pooled buffer and hands out slices of it.</summary>
internal sealed class TarBuffer : IDisposable
{
    private readonly Stream _stream;
    private byte[] _bytes;
    private int _start;
    private int _end;

    public TarBuffer(Stream stream, int size)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(size, TarHeader.Size);
        _stream = stream;
        _bytes = ArrayPool<byte>.Shared.Rent(size);
    }

    /// <summary>Bytes of the stream already handed out.</summary>
    public long Position { get; private set; }

    /// <summary>Makes <paramref name="count"/> bytes lie in one piece; false where the stream ends before, with <paramref name="available"/> less.</summary>
    public bool TryPeek(int count, out ReadOnlySpan<byte> bytes, out int available)
    {
        if (_start + count > _bytes.Length)
        {
            _bytes.AsSpan(_start.._end).CopyTo(_bytes);
            (_start, _end) = (0, _end - _start);
        }

        while (_end - _start < count && Fill())
        {
        }

        available = _end - _start;
        bytes = available >= count ? _bytes.AsSpan(_start, count) : default;
        return available >= count;
    }

    /// <summary>Takes what is at hand, at most <paramref name="count"/> bytes; empty only at the end of the stream.</summary>
    public ReadOnlySpan<byte> Take(long count)
    {
        if (_start == _end)
        {
            (_start, _end) = (0, 0);
            Fill();
        }

        var length = (int)Math.Min(count, _end - _start);
        var taken = _bytes.AsSpan(_start, length);
        Skip(length);
        return taken;
    }

    public void Skip(int peeked)
    {
        _start += peeked;
        Position += peeked;
    }

    /// <summary>Goes past bytes unread, where the stream can and they are all there: seeking is not to reach beyond its end.</summary>
    public bool TrySeek(long count)
    {
        var ahead = count - (_end - _start);
        if (ahead <= 0 || !_stream.CanSeek || ahead > _stream.Length - _stream.Position)
        {
            return false;
        }

        _stream.Seek(ahead, SeekOrigin.Current);
        (_start, _end) = (0, 0);
        Position += count;
        return true;
    }

    public void Dispose()
    {
        if (_bytes.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(_bytes);
            (_bytes, _start, _end) = ([], 0, 0);
        }
    }

    private bool Fill()
    {
        var read = _stream.Read(_bytes, _end, _bytes.Length - _end);
        _end += read;
        return read > 0;
    }
}
