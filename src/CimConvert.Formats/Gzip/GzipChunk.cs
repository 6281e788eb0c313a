using System.Runtime.InteropServices;

namespace CimConvert.Formats.Gzip;

/// <summary>
/// A stretch of a gzip stream and some bytes behind it, with what a <see cref="GzipChunkDecoder"/> decoded speculatively: a run of
/// whole blocks, from one that seems to start in the stretch to one that ends at or behind the stretch's end. The run is correct if
/// decoding in order arrives at a block that starts at the same bit.
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

    /// <summary>Offset of the stretch in the compressed stream.</summary>
    internal long Offset { get; init; }

    /// <summary>Number of bytes: the stretch and those behind it.</summary>
    internal int Length { get; init; }

    /// <summary>Whether the stream ends with these bytes.</summary>
    internal bool IsLast { get; init; }

    /// <summary>Start of the next stretch, in bits of the stream.</summary>
    internal long End { get; init; }

    /// <summary>The bytes, with <see cref="BitInput.Padding"/> zeros behind them.</summary>
    internal byte[] Bytes => _bytes;

    /// <summary>Whether to search it for blocks.</summary>
    internal bool IsForeseeable { get; init; }

    /// <summary>Where the run may start, in bits of the stream; null if there is no run.</summary>
    internal BlockStart? RunStart { get; set; }

    /// <summary>End of the run's last block, in bits of the stream.</summary>
    internal long RunEnd { get; set; }

    /// <summary>Whether the run's last block is the last of its member.</summary>
    internal bool RunEndsMember { get; set; }

    /// <summary>Whether the run turned out to be correct.</summary>
    internal bool WasForeseen { get; private set; }

    internal Span<RunSegment> Segments => CollectionsMarshal.AsSpan(_segments);

    /// <summary>A buffer for what is decoded next; the history is copied to its start.</summary>
    internal byte[] AddSegment(int symbolSize)
    {
        var buffer = _reader.Buffers.Rent();
        _segments.Add(new RunSegment(buffer, symbolSize, OutputWindow.HistorySize * symbolSize));
        return buffer;
    }

    /// <summary>Returns all segments but the first <paramref name="count"/> to the store.</summary>
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

    /// <summary>Called when the run was read to its end.</summary>
    internal void EndRun()
    {
        DropRun();
        WasForeseen = true;
    }

    /// <summary>Returns all buffers to the store. Called by the chunk's last user.</summary>
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
/// A piece of a run: 32 Ki symbols of history, then what was decoded. Symbols are bytes or, while matches may still reach back to
/// before the run, words: a byte, or an index into the unknown history with <see cref="RunSegment.Marker"/> added.
/// </summary>
/// <param name="Buffer">From the chunk's store.</param>
/// <param name="SymbolSize">1 or 2 bytes.</param>
/// <param name="End">End of the last symbol in the buffer, in bytes.</param>
internal record struct RunSegment(byte[] Buffer, int SymbolSize, int End)
{
    public const ushort Marker = 0x8000;

    public readonly bool HasMarkers => SymbolSize > 1;

    /// <summary>Start of the first symbol behind the history, in bytes.</summary>
    public readonly int Start => OutputWindow.HistorySize * SymbolSize;
}
