using CimConvert.Formats.Binary;

namespace CimConvert.Formats.Tar;

/// <summary>Hands out a tar's bytes as slices of its source's buffers. Copies only headers that two of these buffers share.</summary>
internal sealed class TarBuffer : IDisposable
{
    private readonly ISliceSource _source;
    private readonly StreamSlices? _stream;
    private readonly byte[] _joinedHeader = new byte[TarHeader.Size];
    private ReadOnlyMemory<byte> _current;

    /// <summary>What follows <see cref="_joinedHeader"/> in the source's newest slice.</summary>
    private ReadOnlyMemory<byte> _following;

    /// <param name="stream">Used without copying if it is an <see cref="ISliceSource"/>, else read through a buffer.</param>
    /// <param name="size">Size of that buffer in bytes.</param>
    public TarBuffer(Stream stream, int size)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(size, TarHeader.Size);
        _source = stream as ISliceSource ?? (_stream = new StreamSlices(stream, size));
    }

    /// <summary>Bytes taken or skipped so far.</summary>
    public long Position { get; private set; }

    /// <summary>Gets the next 512 bytes as one span. False if the source has fewer, namely <paramref name="available"/>.</summary>
    public bool TryPeekHeader(out ReadOnlySpan<byte> bytes, out int available)
    {
        Advance();
        if (_current.Length < TarHeader.Size)
        {
            JoinHeader();
        }

        available = Math.Min(_current.Length, TarHeader.Size);
        bytes = available == TarHeader.Size ? _current.Span[..TarHeader.Size] : default;
        return available == TarHeader.Size;
    }

    /// <summary>Takes up to <paramref name="count"/> bytes, as many as are contiguous; empty only at the end.</summary>
    public ReadOnlySpan<byte> Take(long count)
    {
        Advance();
        var length = (int)Math.Min(count, _current.Length);
        var taken = _current.Span[..length];
        Skip(length);
        return taken;
    }

    /// <summary>Skips bytes that were peeked at.</summary>
    public void Skip(int count)
    {
        _current = _current[count..];
        Position += count;
    }

    /// <summary>Skips bytes by seeking. False if they are buffered already, or if the source cannot seek or ends before.</summary>
    public bool TrySeek(long count)
    {
        var unread = count - _current.Length - _following.Length;
        if (unread <= 0 || _stream is null || !_stream.TrySkip(unread))
        {
            return false;
        }

        (_current, _following) = (default, default);
        Position += count;
        return true;
    }

    public void Dispose() => _stream?.Dispose();

    private void Advance()
    {
        if (_current.IsEmpty)
        {
            (_current, _following) = (_following.IsEmpty ? _source.Next() : _following, default);
        }
    }

    private void JoinHeader()
    {
        _current.CopyTo(_joinedHeader);
        var length = _current.Length;
        while (length < TarHeader.Size)
        {
            if (_following.IsEmpty && (_following = _source.Next()).IsEmpty)
            {
                break;
            }

            var part = _following[..Math.Min(_following.Length, TarHeader.Size - length)];
            part.CopyTo(_joinedHeader.AsMemory(length));
            _following = _following[part.Length..];
            length += part.Length;
        }

        _current = _joinedHeader.AsMemory(0, length);
    }
}
