using System.Buffers;

namespace CimConvert.Formats.Gzip;

/// <summary>Decoded bytes: the history that matches refer to, directly followed by what the reader has not taken yet.</summary>
internal sealed class OutputWindow : IDisposable
{
    /// <summary>The largest distance (RFC 1951, 3.2.5).</summary>
    public const int HistorySize = 32 * 1024;

    /// <summary>The history and what is decoded at a time fit in the L2 cache together.</summary>
    private const int Size = 256 * 1024;

    private byte[] _buffer;
    private int _taken;

    public OutputWindow()
        : this(ArrayPool<byte>.Shared.Rent(Size))
    {
    }

    /// <param name="buffer">Rented from the pool, and returned by the window; or empty until <see cref="Exchange"/> supplies one.</param>
    public OutputWindow(byte[] buffer) => _buffer = buffer;

    public byte[] Buffer => _buffer;

    /// <summary>Index of the next byte to write.</summary>
    public int Position { get; set; }

    /// <summary>Index of the first byte that matches may refer to.</summary>
    public int HistoryStart { get; private set; }

    /// <summary>The last <see cref="Position"/> at which the symbol loop may start a turn.</summary>
    public int PositionLimit => _buffer.Length - SymbolLoop.MostWrittenInATurn;

    public bool IsFull => Position > PositionLimit;

    public int Available => Position - _taken;

    /// <summary>Called for a new member, whose matches cannot refer to the previous one.</summary>
    public void ForgetHistory() => HistoryStart = Position;

    /// <summary>Continues in another buffer, which starts with the history; returns the previous one to the caller.</summary>
    public byte[] Exchange(byte[] buffer, int historyLength)
    {
        var before = _buffer;
        _buffer = buffer;
        _taken = Position = historyLength;
        HistoryStart = 0;
        return before;
    }

    /// <summary>Moves the history to the front, if the window is full and everything was taken.</summary>
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

    /// <summary>Number of bytes that may be appended.</summary>
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
