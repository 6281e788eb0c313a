using System.Buffers;

namespace CimConvert.Formats.Gzip;

/// <summary>What was decoded: the history that matches go back to, and behind it, in one piece, what the reader has not taken yet.</summary>
internal sealed class OutputWindow : IDisposable
{
    /// <summary>As far as a distance reaches (RFC 1951, 3.2.5).</summary>
    public const int HistorySize = 32 * 1024;

    /// <summary>History and what is decoded at a time lie in a core's second cache together.</summary>
    private const int Size = 256 * 1024;

    private byte[] _buffer;
    private int _taken;

    public OutputWindow()
        : this(ArrayPool<byte>.Shared.Rent(Size))
    {
    }

    /// <param name="buffer">Pooled, and the window's from now on; or empty, until <see cref="Exchange"/> gives one.</param>
    public OutputWindow(byte[] buffer) => _buffer = buffer;

    public byte[] Buffer => _buffer;

    /// <summary>Where the next byte goes.</summary>
    public int Position { get; set; }

    /// <summary>Where the bytes begin that matches may go back to.</summary>
    public int HistoryStart { get; private set; }

    /// <summary>The last <see cref="Position"/> from which a turn of the symbol loop may start.</summary>
    public int PositionLimit => _buffer.Length - SymbolLoop.MostWrittenInATurn;

    public bool IsFull => Position > PositionLimit;

    public int Available => Position - _taken;

    /// <summary>A new member's matches do not go back into the one before.</summary>
    public void ForgetHistory() => HistoryStart = Position;

    /// <summary>Goes on in another buffer, which has a history at its start; the one before is now the caller's.</summary>
    public byte[] Exchange(byte[] buffer, int historyLength)
    {
        var before = _buffer;
        _buffer = buffer;
        _taken = Position = historyLength;
        HistoryStart = 0;
        return before;
    }

    /// <summary>Moves the history to the front where the window is full and all of it was taken.</summary>
    public void MakeRoom()
    {
        if (!IsFull || Available > 0)
        {
            return;
        }

        var start = Math.Max(HistoryStart, Position - HistorySize);
        _buffer.AsSpan(start..Position).CopyTo(_buffer);
        (HistoryStart, Position) = (0, Position - start);
        _taken = Position;
    }

    /// <summary>How many bytes may be appended.</summary>
    public int Room => Math.Max(0, PositionLimit + 1 - Position);

    public void Append(ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(_buffer.AsSpan(Position));
        Position += bytes.Length;
    }

    public int TakeTo(Span<byte> destination)
    {
        var count = Math.Min(destination.Length, Available);
        _buffer.AsSpan(_taken, count).CopyTo(destination);
        _taken += count;
        return count;
    }

    public void Dispose()
    {
        if (_buffer.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(_buffer);
            (_buffer, _taken, Position, HistoryStart) = ([], 0, 0, 0);
        }
    }
}
