using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace CimConvert.Formats.Gzip;

/// <summary>
/// Takes chunks' runs in where they belong. A run is only taken where the decoding in order stands before a block just where the
/// run starts: then the run is what would be decoded next, however its start was guessed.
/// </summary>
internal sealed class RunReader(ChunkInput input, OutputWindow window, Inflater inflater)
{
    /// <summary>What each symbol of a run stands for: a byte for itself, a marker for what the history before the run has there.</summary>
    private readonly byte[] _meanings = [.. Enumerable.Range(0, 1 << 16).Select(s => (byte)s)];

    private int _segment;
    private int _at;

    /// <summary>Whether bytes are to be taken from a run.</summary>
    public bool IsOpen { get; private set; }

    /// <summary>Begins the run that starts at the block the input stands before, if there is one.</summary>
    public bool TryOpen()
    {
        // Looking at bits further down shall not go on to another chunk.
        input.FillBuffer();
        while (input.BitOffset >= input.Chunk.End)
        {
            input.Advance();
            input.FillBuffer();
        }

        // In a member's first bytes a run may reach to before them, where there is nothing.
        var start = window.Position - OutputWindow.HistorySize;
        if (start < window.HistoryStart || input.Chunk.RunStart is not { } runStart || !runStart.IsAt(input))
        {
            return false;
        }

        window.Buffer.AsSpan(start, OutputWindow.HistorySize).CopyTo(_meanings.AsSpan(RunSegment.Marker));
        (IsOpen, _segment, _at) = (true, 0, input.Chunk.Segments[0].Start);
        return true;
    }

    /// <summary>Where to look next, once there is no run to open: in bits, and behind the one that comes next.</summary>
    public long NextStop() => input.Chunk.RunStart is not { } start || input.BitOffset >= start.Last ? input.Chunk.End
        : Math.Max(start.First, input.BitOffset + 1);

    /// <returns>Bytes taken. None at the run's end; then the input stands behind it, with its last bytes for history.</returns>
    public int TakeTo(Span<byte> buffer)
    {
        var segments = input.Chunk.Segments;
        while (true)
        {
            var segment = segments[_segment];
            var count = Math.Min(buffer.Length, (segment.End - _at) / segment.SymbolSize);
            if (count > 0)
            {
                Take(segment, _at, buffer[..count]);
                _at += count * segment.SymbolSize;
                return count;
            }

            if (++_segment == segments.Length)
            {
                Close(segment);
                return 0;
            }

            _at = segments[_segment].Start;
        }
    }

    private void Close(RunSegment last)
    {
        IsOpen = false;
        Take(last, last.End - last.Start, window.Buffer.AsSpan(0, OutputWindow.HistorySize));
        window.Exchange(window.Buffer, OutputWindow.HistorySize);
        var (end, endsMember) = (input.Chunk.RunEnd, input.Chunk.RunEndsMember);
        input.Chunk.EndRun();
        input.MoveTo(end);
        inflater.GoOn(endsMember);
    }

    private void Take(RunSegment segment, int at, Span<byte> to)
    {
        var symbols = segment.Buffer.AsSpan(at, to.Length * segment.SymbolSize);
        if (segment.HasMarkers)
        {
            Resolve(MemoryMarshal.Cast<byte, ushort>(symbols), _meanings, to);
        }
        else
        {
            symbols.CopyTo(to);
        }
    }

    /// <summary>Most stretches have no markers left, and are narrowed as they are.</summary>
    internal static void Resolve(ReadOnlySpan<ushort> symbols, ReadOnlySpan<byte> meanings, Span<byte> to)
    {
        var step = Vector256<byte>.Count;
        for (; symbols.Length >= step; symbols = symbols[step..], to = to[step..])
        {
            var low = Vector256.Create(symbols);
            var high = Vector256.Create(symbols[Vector256<ushort>.Count..]);
            if (((low | high) & Vector256.Create(RunSegment.Marker)) == Vector256<ushort>.Zero)
            {
                Vector256.Narrow(low, high).CopyTo(to);
            }
            else
            {
                ResolveEach(symbols[..step], meanings, to);
            }
        }

        ResolveEach(symbols, meanings, to);
    }

    private static void ResolveEach(ReadOnlySpan<ushort> symbols, ReadOnlySpan<byte> meanings, Span<byte> to)
    {
        for (var i = 0; i < symbols.Length; i++)
        {
            to[i] = meanings[symbols[i]];
        }
    }
}
