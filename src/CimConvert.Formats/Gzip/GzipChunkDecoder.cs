using System.Runtime.InteropServices;

namespace CimConvert.Formats.Gzip;

/// <summary>
/// Decodes chunks of a gzip stream before the data in front of them is decoded: searches for a block, and decodes from there with
/// markers for bytes that are not known yet. For one thread.
/// </summary>
/// <remarks>
/// The result is a guess (see <see cref="GzipChunk"/>), so no data is reported as damaged here.
/// </remarks>
internal sealed class GzipChunkDecoder : IDisposable
{
    private const int BytesSize = sizeof(byte);
    private const int MarkersSize = sizeof(ushort);

    /// <summary>Wrong starts allowed per chunk: data crafted to look like blocks must not be decoded again and again.</summary>
    private const int MaxTries = 64;

    private const int TrailerSize = 8;

    private static readonly ushort[] s_markers = [.. Enumerable.Range(RunSegment.Marker, OutputWindow.HistorySize).Select(m => (ushort)m)];

    private readonly int _maxSegments;
    private readonly ChunkInput _input = new();
    private readonly OutputWindow _window = new([]);
    private readonly BlockHeader _header;

    public GzipChunkDecoder(GzipChunkSizes sizes)
    {
        _maxSegments = sizes.MaxSegments;
        _header = new BlockHeader(_input);
    }

    private enum BlockEnd
    {
        Complete,
        InputEnds,
        NoRoom,
        Damaged,
    }

    /// <summary>Searches the chunk for a run and decodes it.</summary>
    public void Decode(GzipChunk chunk)
    {
        if (!chunk.IsForeseeable)
        {
            return;
        }

        var offset = chunk.Offset << 3;
        var end = (int)Math.Min(chunk.End - offset, (long)chunk.Length << 3);
        var tries = MaxTries;
        var (withCodes, stored) = (-1, -1);
        for (var from = 0; from < end && tries > 0;)
        {
            withCodes = withCodes < from ? BlockFinder.NextWithCodes(chunk.Bytes, from, end) : withCodes;
            stored = stored < from ? BlockFinder.NextStored(chunk.Bytes, from, end) : stored;
            var at = Math.Min(withCodes, stored);
            if (at == end)
            {
                return;
            }

            var block = stored < withCodes ? BlockStart.Stored(offset + at) : new BlockStart(offset + at, offset + at);
            if (IsBlock(chunk, block.Last))
            {
                if (TryDecode(chunk, block.Last))
                {
                    chunk.RunStart = block;
                    return;
                }

                chunk.DropRun();
                tries--;
            }

            from = at + 1;
        }
    }

    /// <summary>Between chunks it holds none of their buffers.</summary>
    public void Dispose()
    {
        _input.Dispose();
        _window.Dispose();
    }

    private bool IsBlock(GzipChunk chunk, long bit)
    {
        _input.UseAlone(chunk, bit);
        return ReadHeader() == BlockEnd.Complete;
    }

    private bool TryDecode(GzipChunk chunk, long bit)
    {
        _input.UseAlone(chunk, bit);
        MemoryMarshal.AsBytes(s_markers).CopyTo(AddSegment(chunk, MarkersSize));
        try
        {
            return Run(chunk);
        }
        finally
        {
            _window.Exchange([], 0);
        }
    }

    /// <summary>Decodes whole blocks up to the chunk's end, or as far as its bytes and segments allow; false if they are not blocks after all.</summary>
    private bool Run(GzipChunk chunk)
    {
        var first = _input.BitOffset;
        while (true)
        {
            var position = _window.Position;
            (chunk.RunEnd, chunk.Segments[^1].End) = (_input.BitOffset, position);
            if (_header.IsLast && chunk.RunEnd > first)
            {
                chunk.RunEndsMember = true;
                return MemberEnds(chunk);
            }

            if (chunk.RunEnd >= chunk.End)
            {
                // A stored block found by mistake is not followed by a block.
                return ReadHeader() != BlockEnd.Damaged;
            }

            if (chunk.Segments[^1].HasMarkers && !HistoryHasMarkers() && !TryAddSegment(chunk))
            {
                return true;
            }

            var segments = chunk.Segments.Length;
            position = _window.Position;
            var end = DecodeBlock(chunk);
            if (end != BlockEnd.Complete)
            {
                chunk.Truncate(segments);
                chunk.Segments[^1].End = position;
                return end != BlockEnd.Damaged && chunk.RunEnd > first;
            }
        }
    }

    private BlockEnd DecodeBlock(GzipChunk chunk)
    {
        var header = ReadHeader();
        return header != BlockEnd.Complete ? header
            : _header.Tables is { } tables ? DecodeSymbols(chunk, tables)
            : CopyStored(chunk, _header.StoredLength);
    }

    private BlockEnd ReadHeader()
    {
        try
        {
            return _header.Read() is null ? BlockEnd.Complete : BlockEnd.Damaged;
        }
        catch (InvalidDataException)
        {
            // Thrown only where bits behind the end of the chunk were taken.
            return BlockEnd.InputEnds;
        }
    }

    private BlockEnd DecodeSymbols(GzipChunk chunk, DecodeTables tables)
    {
        while (true)
        {
            var end = chunk.Segments[^1].HasMarkers
                ? SymbolLoop.Run<ushort>(_input, _window, tables)
                : SymbolLoop.Run<byte>(_input, _window, tables);
            if (_input.IsOverrun)
            {
                return BlockEnd.InputEnds;
            }

            if (end != SymbolLoopEnd.WindowFull)
            {
                return end == SymbolLoopEnd.EndOfBlock ? BlockEnd.Complete : BlockEnd.Damaged;
            }

            if (!TryAddSegment(chunk))
            {
                return BlockEnd.NoRoom;
            }
        }
    }

    private BlockEnd CopyStored(GzipChunk chunk, int length)
    {
        while (length > 0)
        {
            var size = chunk.Segments[^1].SymbolSize;
            var room = (_window.Buffer.Length - _window.Position) / size;
            if (room == 0)
            {
                if (!TryAddSegment(chunk))
                {
                    return BlockEnd.NoRoom;
                }

                continue;
            }

            if (_input.IsAtEnd)
            {
                return BlockEnd.InputEnds;
            }

            var bytes = _input.TakeBytes(Math.Min(length, room));
            length -= bytes.Length;
            var to = _window.Buffer.AsSpan(_window.Position, bytes.Length * size);
            if (size == MarkersSize)
            {
                Widen(bytes, MemoryMarshal.Cast<byte, ushort>(to));
            }
            else
            {
                bytes.CopyTo(to);
            }

            _window.Position += to.Length;
        }

        return BlockEnd.Complete;
    }

    /// <summary>Whether a member's trailer follows, and then another member or the end.</summary>
    private static bool MemberEnds(GzipChunk chunk)
    {
        var behind = (int)(((chunk.RunEnd + 7) >> 3) + TrailerSize - chunk.Offset);
        return behind + 1 < chunk.Length
            ? chunk.Bytes[behind] == MemberHeader.Magic1 && chunk.Bytes[behind + 1] == MemberHeader.Magic2
            : !chunk.IsLast || behind == chunk.Length;
    }

    /// <summary>Continues in another segment, of bytes if the history has no markers left.</summary>
    private bool TryAddSegment(GzipChunk chunk)
    {
        chunk.Segments[^1].End = _window.Position;
        if (chunk.Segments.Length == _maxSegments)
        {
            return false;
        }

        var history = History(chunk.Segments[^1].SymbolSize);
        if (!chunk.Segments[^1].HasMarkers)
        {
            history.CopyTo(AddSegment(chunk, BytesSize));
        }
        else if (HistoryHasMarkers())
        {
            history.CopyTo(AddSegment(chunk, MarkersSize));
        }
        else
        {
            RunReader.Resolve(MemoryMarshal.Cast<byte, ushort>(history), [], AddSegment(chunk, BytesSize));
        }

        return true;
    }

    private Span<byte> AddSegment(GzipChunk chunk, int symbolSize)
    {
        var buffer = chunk.AddSegment(symbolSize);
        var history = OutputWindow.HistorySize * symbolSize;
        _window.Exchange(buffer, history);
        return buffer.AsSpan(0, history);
    }

    private Span<byte> History(int symbolSize)
    {
        var size = OutputWindow.HistorySize * symbolSize;
        return _window.Buffer.AsSpan(_window.Position - size, size);
    }

    /// <summary>Searches from the end: if there are many, some are there.</summary>
    private bool HistoryHasMarkers() =>
        MemoryMarshal.Cast<byte, ushort>(History(MarkersSize)).LastIndexOfAnyInRange(RunSegment.Marker, ushort.MaxValue) >= 0;

    private static void Widen(ReadOnlySpan<byte> bytes, Span<ushort> words)
    {
        for (var i = 0; i < bytes.Length; i++)
        {
            words[i] = bytes[i];
        }
    }
}
