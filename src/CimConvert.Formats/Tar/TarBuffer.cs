using CimConvert.Formats.Binary;

namespace CimConvert.Formats.Tar;

/// <summary>A window over the tar's bytes: hands out slices of what its source hands out, and pieces together only what is cut apart.</summary>
internal sealed class TarBuffer : IDisposable
{
    private readonly ISliceSource _source;
    private readonly StreamSlices? _stream;
    private readonly byte[] _joint = new byte[TarHeader.Size];
    private ReadOnlyMemory<byte> _current;

    /// <summary>What follows a joint piece in the source's newest slice.</summary>
    private ReadOnlyMemory<byte> _behind;

    /// <param name="stream">Handed out as it comes where it is an <see cref="ISliceSource"/>, else read in large pieces.</param>
    /// <param name="size">Bytes to read at a time.</param>
    public TarBuffer(Stream stream, int size)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(size, TarHeader.Size);
        _source = stream as ISliceSource ?? (_stream = new StreamSlices(stream, size));
    }

    /// <summary>Bytes already handed out.</summary>
    public long Position { get; private set; }

    /// <summary>Makes a header's bytes lie in one piece; false where the source ends before, with <paramref name="available"/> less.</summary>
    public bool TryPeekHeader(out ReadOnlySpan<byte> bytes, out int available)
    {
        Advance();
        if (_current.Length < TarHeader.Size)
        {
            Join();
        }

        available = Math.Min(_current.Length, TarHeader.Size);
        bytes = available == TarHeader.Size ? _current.Span[..TarHeader.Size] : default;
        return available == TarHeader.Size;
    }

    /// <summary>Takes what is at hand, at most <paramref name="count"/> bytes; empty only at the end.</summary>
    public ReadOnlySpan<byte> Take(long count)
    {
        Advance();
        var length = (int)Math.Min(count, _current.Length);
        var taken = _current.Span[..length];
        Skip(length);
        return taken;
    }

    public void Skip(int peeked)
    {
        _current = _current[peeked..];
        Position += peeked;
    }

    /// <summary>Goes past bytes unread, where the source can and they are all there: seeking is not to reach beyond its end.</summary>
    public bool TrySeek(long count)
    {
        var ahead = count - _current.Length - _behind.Length;
        if (ahead <= 0 || _stream is null || !_stream.TrySkip(ahead))
        {
            return false;
        }

        (_current, _behind) = (default, default);
        Position += count;
        return true;
    }

    public void Dispose() => _stream?.Dispose();

    private void Advance()
    {
        if (_current.IsEmpty)
        {
            (_current, _behind) = (_behind.IsEmpty ? _source.Next() : _behind, default);
        }
    }

    private void Join()
    {
        _current.CopyTo(_joint);
        var length = _current.Length;
        while (length < TarHeader.Size)
        {
            if (_behind.IsEmpty && (_behind = _source.Next()).IsEmpty)
            {
                break;
            }

            var part = _behind[..Math.Min(_behind.Length, TarHeader.Size - length)];
            part.CopyTo(_joint.AsMemory(length));
            _behind = _behind[part.Length..];
            length += part.Length;
        }

        _current = _joint.AsMemory(0, length);
    }
}
