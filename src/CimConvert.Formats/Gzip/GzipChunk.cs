using System.Runtime.InteropServices;

namespace CimConvert.Formats.Gzip;

/// <summary>
/// A stretch of a gzip stream, with a little of what follows, and what a <see cref="GzipChunkDecoder"/> made of it beforehand: a
/// run of whole blocks, from one that seems to start in the stretch to one that ends at or behind its end. Whether the run is the
/// stream's shows when whoever decodes in order comes to a block that starts just there.
/// </summary>
internal sealed class GzipChunk
{
    private readonly GzipChunkReader _reader;
    private readonly List<RunSegment> _segments = [];
    private byte[] _bytes;

    internal GzipChunk(GzipChunkReader reader, byte[] bytes)
    {
        _reader = reader;
        _bytes = bytes;
    }

    /// <summary>Of the stretch in the compressed stream.</summary>
    internal long Offset { get; init; }

    /// <summary>Bytes at hand: the stretch, and what follows.</summary>
    internal int Length { get; init; }

    /// <summary>Whether no bytes come behind these.</summary>
    internal bool IsLast { get; init; }

    /// <summary>Where the next stretch starts, in bits of the stream.</summary>
    internal long End { get; init; }

    /// <summary>The bytes, with <see cref="BitInput.Padding"/> zeros behind them.</summary>
    internal byte[] Bytes => _bytes;

    /// <summary>Whether it is worth while to look for blocks in it.</summary>
    internal bool IsForeseeable { get; init; }

    /// <summary>Where the run may start, in bits of the stream: see <see cref="BlockStart"/>. Null where there is no run.</summary>
    internal BlockStart? RunStart { get; set; }

    /// <summary>Where the run's last block ends.</summary>
    internal long RunEnd { get; set; }

    /// <summary>Whether the run's last block is its member's.</summary>
    internal bool RunEndsMember { get; set; }

    /// <summary>Whether the run turned out to be the stream's.</summary>
    internal bool WasForeseen { get; private set; }

    internal Span<RunSegment> Segments => CollectionsMarshal.AsSpan(_segments);

    /// <summary>Room for what is decoded next; its start is for the history.</summary>
    internal byte[] AddSegment(int symbolSize)
    {
        var buffer = _reader.Buffers.Rent();
        _segments.Add(new RunSegment(buffer, symbolSize, OutputWindow.HistorySize * symbolSize));
        return buffer;
    }

    /// <summary>Gives back the segments behind so many.</summary>
    internal void Truncate(int count)
    {
        foreach (var segment in Segments[count..])
        {
            _reader.Buffers.Return(segment.Buffer);
        }

        CollectionsMarshal.SetCount(_segments, count);
    }

    internal void DropRun()
    {
        Truncate(0);
        (RunStart, RunEndsMember) = (null, false);
    }

    /// <summary>The run was read to its end.</summary>
    internal void EndRun()
    {
        DropRun();
        WasForeseen = true;
    }

    /// <summary>Gives back all buffers. For the last who has the chunk.</summary>
    public void Release()
    {
        if (_bytes.Length > 0)
        {
            DropRun();
            _reader.Buffers.Return(_bytes);
            _bytes = [];
            if (IsForeseeable)
            {
                _reader.Learn(WasForeseen);
            }
        }
    }
}

/// <summary>
/// A piece of a run: 32 Ki symbols of history, and behind it what was decoded. Symbols are bytes or, while the history before the
/// run may still show through, words: bytes, or places in that history with <see cref="RunSegment.Marker"/> added.
/// </summary>
/// <param name="Buffer">Of the chunk's store.</param>
/// <param name="SymbolSize">1 or 2 bytes.</param>
/// <param name="End">Index in the buffer behind the last symbol, in bytes.</param>
internal record struct RunSegment(byte[] Buffer, int SymbolSize, int End)
{
    public const ushort Marker = 0x8000;

    public readonly bool HasMarkers => SymbolSize > 1;

    /// <summary>Index of the first symbol behind the history, in bytes.</summary>
    public readonly int Start => OutputWindow.HistorySize * SymbolSize;
}
