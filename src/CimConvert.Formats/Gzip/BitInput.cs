using System.Buffers;
using System.Buffers.Binary;

namespace CimConvert.Formats.Gzip;

/// <summary>
/// Reads a compressed stream bit by bit, each byte from its lowest bit (RFC 1951, 3.1.1). Zeros follow the end of the stream, so
/// that decoding need not check before every bit: <see cref="ThrowIfOverrun"/> checks afterwards that the bits taken were there.
/// </summary>
/// <remarks>
/// The low <see cref="BitCount"/> bits of <see cref="Bits"/> come from bytes before <see cref="Position"/>; the bits above them
/// are read again by the next refill.
/// </remarks>
internal class BitInput : IDisposable
{
    /// <summary>Bits available after <see cref="Refill"/>: the whole bytes that fit beside 7 bits of a partly used byte.</summary>
    public const int RefilledBits = 56;

    private const int BufferSize = 64 * 1024;

    /// <summary>Zeros behind the end of the stream: enough for what is read beyond <see cref="PositionLimit"/>.</summary>
    public const int Padding = sizeof(ulong) + SymbolLoop.MostReadInATurn;

    private readonly Stream? _stream;
    private byte[] _buffer = [];
    private int _end;
    private bool _ended;
    private long _bufferOffset;

    /// <param name="stream">Not disposed.</param>
    public BitInput(Stream stream) => (_stream, _buffer) = (stream, ArrayPool<byte>.Shared.Rent(BufferSize));

    /// <summary>Empty until <see cref="Use"/> supplies bytes.</summary>
    protected BitInput()
    {
    }

    public ulong Bits { get; set; }

    public int BitCount { get; set; }

    /// <summary>Index in <see cref="Buffer"/> of the first byte that is not in <see cref="Bits"/>.</summary>
    public int Position { get; set; }

    public byte[] Buffer => _buffer;

    /// <summary>
    /// The last <see cref="Position"/> at which the symbol loop may start a turn. Once the stream has ended, it lies where even the
    /// bits held back would all be behind the end.
    /// </summary>
    public int PositionLimit => _ended ? _end + sizeof(ulong) - 1 : _end - Padding;

    /// <summary>Whether every byte was at least partly taken. Valid after <see cref="FillBuffer"/>.</summary>
    public bool IsAtEnd => Position - (BitCount >> 3) == _end;

    /// <summary>Offset in the compressed stream of the byte with the next bit.</summary>
    public long Offset => _bufferOffset + Position - ((BitCount + 7) >> 3);

    /// <summary>Offset in the compressed stream of the next bit, in bits.</summary>
    public long BitOffset => ((_bufferOffset + Position) << 3) - BitCount;

    /// <summary>Whether bits behind the end of the stream were taken.</summary>
    public bool IsOverrun => Position - (BitCount >> 3) > _end;

    /// <summary>Makes <see cref="RefilledBits"/> bits available.</summary>
    public void Refill()
    {
        FillBuffer();
        ThrowIfOverrun();
        Bits |= BinaryPrimitives.ReadUInt64LittleEndian(_buffer.AsSpan(Position)) << BitCount;
        Position += (63 - BitCount) >> 3;
        BitCount |= RefilledBits;
    }

    /// <summary>The next <paramref name="count"/> bits, which must be available.</summary>
    public uint Take(int count)
    {
        var value = (uint)Bits & ((1u << count) - 1);
        Skip(count);
        return value;
    }

    public void Skip(int count)
    {
        Bits >>= count;
        BitCount -= count;
    }

    /// <summary>Continues at the next whole byte.</summary>
    public void AlignToByte()
    {
        Position -= BitCount >> 3;
        (Bits, BitCount) = (0, 0);
        ThrowIfOverrun();
    }

    /// <summary>The next bytes of the buffer: at least one, at most <paramref name="count"/>. Only between whole bytes.</summary>
    /// <exception cref="InvalidDataException">The stream has ended.</exception>
    public ReadOnlySpan<byte> TakeBytes(int count)
    {
        FillBuffer();
        if (Position == _end)
        {
            throw EndsTooEarly();
        }

        var taken = _buffer.AsSpan(Position, Math.Min(count, _end - Position));
        Position += taken.Length;
        return taken;
    }

    /// <summary>Little-endian, like all numbers in gzip. Only between whole bytes.</summary>
    public uint TakeUInt32()
    {
        Refill();
        var low = Take(16);
        var value = low | (Take(16) << 16);
        AlignToByte();
        return value;
    }

    /// <exception cref="InvalidDataException">Bits behind the end of the stream were taken.</exception>
    public void ThrowIfOverrun()
    {
        if (IsOverrun)
        {
            throw EndsTooEarly();
        }
    }

    /// <summary>An error at the next bit. Where bits behind the end were taken, the error is that the stream ends too early.</summary>
    public InvalidDataException Bad(string what) => IsOverrun ? EndsTooEarly() : new($"{what} at byte {Offset}");

    private InvalidDataException EndsTooEarly() => new($"the stream ends at byte {_bufferOffset + _end}, inside a member");

    /// <summary>Reads more where the buffer runs low, and puts zeros behind the end.</summary>
    public void FillBuffer()
    {
        if (!_ended && _end - Position <= Padding)
        {
            ReadOn();
        }
    }

    /// <summary>Reads until more than <see cref="Padding"/> bytes follow <see cref="Position"/>, or the stream ends.</summary>
    protected virtual void ReadOn()
    {
        // Keeps the bytes that the bits held back came from: Offset and AlignToByte go back to them.
        var kept = Math.Max(0, Position - sizeof(ulong));
        _buffer.AsSpan(kept, _end - kept).CopyTo(_buffer);
        (Position, _end) = (Position - kept, _end - kept);
        _bufferOffset += kept;
        while (_end - Position <= Padding && !_ended)
        {
            var read = _stream!.Read(_buffer, _end, _buffer.Length - Padding - _end);
            _end += read;
            _ended = read == 0;
        }

        if (_ended)
        {
            _buffer.AsSpan(_end, Padding).Clear();
        }
    }

    /// <summary>Continues in another buffer, which the caller keeps. Bits held back must come from the bytes before the position in it, too.</summary>
    /// <param name="buffer">With <see cref="Padding"/> zeros behind the bytes.</param>
    /// <param name="position">Index of the next byte.</param>
    /// <param name="end">End of the bytes in the buffer.</param>
    /// <param name="offset">Offset of the buffer's start in the compressed stream.</param>
    /// <param name="isEnd">Whether the stream ends with these bytes.</param>
    protected void Use(byte[] buffer, int position, int end, long offset, bool isEnd)
    {
        (_buffer, _end, _ended, _bufferOffset) = (buffer, end, isEnd, offset);
        Position = position;
    }

    public virtual void Dispose()
    {
        if (_stream is not null && _buffer.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(_buffer);
            Use([], 0, 0, 0, isEnd: true);
        }
    }
}
