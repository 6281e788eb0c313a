using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace CimConvert.Formats.Gzip;

/// <summary>
/// Reads the runs of chunks. A run is used only if decoding in order arrives at a block exactly where the run starts: then it is what
/// would be decoded next, however its start was found.
/// </summary>
internal sealed class RunReader(ChunkInput input, OutputWindow window, Inflater inflater)
{
    /// <summary>The byte for each symbol of a run: itself, or for a marker the byte at that index of the history before the run.</summary>
    private readonly byte[] _meanings = [.. Enumerable.Range(0, 1 << 16).Select(s => (byte)s)];

    private int _segment;
    private int _at;

    /// <summary>Whether a run is being read.</summary>
    public bool IsOpen { get; private set; }

    /// <summary>Starts reading the run that begins at the input's next bit, if there is one.</summary>
    public bool TryOpen()
    {
        // Fill now, so that IsAt below does not advance to another chunk.
        input.FillBuffer();
        while (input.BitOffset >= input.Chunk.End)
        {
            input.Advance();
            input.FillBuffer();
        }

        // Within the first 32 KiB of a member, a run's matches could refer to bytes before the member.
        var start = window.Position - OutputWindow.HistorySize;
        if (start < window.HistoryStart || input.Chunk.RunStart is not { } runStart || !runStart.IsAt(input))
        {
            return false;
        }

        window.Buffer.AsSpan(start, OutputWindow.HistorySize).CopyTo(_meanings.AsSpan(RunSegment.Marker));
        (IsOpen, _segment, _at) = (true, 0, input.Chunk.Segments[0].Start);
        return true;
    }

    /// <summary>Where to try again if no run could be opened, in bits: at the next run's start, or at the chunk's end.</summary>
    public long NextStop() => input.Chunk.RunStart is not { } start || input.BitOffset >= start.Last ? input.Chunk.End
        : Math.Max(start.First, input.BitOffset + 1);

    /// <returns>Number of bytes taken; 0 at the run's end, when the input is behind the run and the window holds its history.</returns>
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

    /// <summary>Most vectors have no markers, and are only narrowed.</summary>
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
