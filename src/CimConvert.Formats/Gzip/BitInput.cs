using System.Buffers;
using System.Buffers.Binary;

namespace CimConvert.Formats.Gzip;

/// <summary>
/// Compressed bytes as DEFLATE takes them: bits from each byte's lowest up. Behind the stream's end lie zeros, so that whoever
/// decodes need not look before every bit; <see cref="ThrowIfOverrun"/> tells whether bits that were taken were there.
/// </summary>
/// <remarks>
/// <see cref="Bits"/> holds <see cref="BitCount"/> bits of the bytes before <see cref="Position"/>, and above them bits that
/// a refill will find there again.
/// </remarks>
internal class BitInput : IDisposable
{
    /// <summary>Bits that are at hand after <see cref="Refill"/>: whole bytes that fit beside 7 bits of a byte begun.</summary>
    public const int RefilledBits = 56;

    private const int BufferSize = 64 * 1024;

    /// <summary>Zeros behind the end: more than is read beyond <see cref="PositionLimit"/>, where that is behind the end itself.</summary>
    public const int Padding = sizeof(ulong) + SymbolLoop.MostReadInATurn;

    private readonly Stream? _stream;
    private byte[] _buffer = [];
    private int _end;
    private bool _ended;
    private long _bufferOffset;

    /// <param name="stream">Stays the caller's.</param>
    public BitInput(Stream stream) => (_stream, _buffer) = (stream, ArrayPool<byte>.Shared.Rent(BufferSize));

    /// <summary>Without bytes, until <see cref="Use"/> gives some.</summary>
    protected BitInput()
    {
    }

    public ulong Bits { get; set; }

    public int BitCount { get; set; }

    /// <summary>Index in <see cref="Buffer"/> of the first byte that <see cref="Bits"/> does not hold.</summary>
    public int Position { get; set; }

    public byte[] Buffer => _buffer;

    /// <summary>
    /// The last <see cref="Position"/> from which a turn of the symbol loop may start. Behind the end of the stream that is
    /// where not even the bits held back could be the stream's.
    /// </summary>
    public int PositionLimit => _ended ? _end + sizeof(ulong) - 1 : _end - Padding;

    /// <summary>Whether all bytes were begun, once <see cref="FillBuffer"/> looked for more.</summary>
    public bool IsAtEnd => Position - (BitCount >> 3) == _end;

    /// <summary>Offset in the compressed stream of the byte that the next bit is of.</summary>
    public long Offset => _bufferOffset + Position - ((BitCount + 7) >> 3);

    /// <summary>Offset in the compressed stream of the next bit, in bits.</summary>
    public long BitOffset => ((_bufferOffset + Position) << 3) - BitCount;

    /// <summary>Whether bits were taken that the stream does not have.</summary>
    public bool IsOverrun => Position - (BitCount >> 3) > _end;

    /// <summary>Makes <see cref="RefilledBits"/> bits be at hand.</summary>
    public void Refill()
    {
        FillBuffer();
        ThrowIfOverrun();
        Bits |= BinaryPrimitives.ReadUInt64LittleEndian(_buffer.AsSpan(Position)) << BitCount;
        Position += (63 - BitCount) >> 3;
        BitCount |= RefilledBits;
    }

    /// <summary>The next <paramref name="count"/> bits, which must be at hand.</summary>
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

    /// <summary>Goes on at the next whole byte.</summary>
    public void AlignToByte()
    {
        Position -= BitCount >> 3;
        (Bits, BitCount) = (0, 0);
        ThrowIfOverrun();
    }

    /// <summary>The next bytes at hand, at most <paramref name="count"/> and at least one. Between whole bytes only.</summary>
    /// <exception cref="InvalidDataException">There are none.</exception>
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

    /// <summary>Little-endian, as gzip has all numbers. Between whole bytes only.</summary>
    public uint TakeUInt32()
    {
        Refill();
        var low = Take(16);
        var value = low | (Take(16) << 16);
        AlignToByte();
        return value;
    }

    /// <exception cref="InvalidDataException">Bits were taken that the stream does not have.</exception>
    public void ThrowIfOverrun()
    {
        if (IsOverrun)
        {
            throw EndsTooEarly();
        }
    }

    /// <summary>What is wrong at the next bit; but where bits behind the end were taken for the stream's, that alone is.</summary>
    public InvalidDataException Bad(string what) => IsOverrun ? EndsTooEarly() : new($"{what} at byte {Offset}");

    private InvalidDataException EndsTooEarly() => new($"the stream ends at byte {_bufferOffset + _end}, inside a member");

    /// <summary>Reads on where the buffer runs low, and puts zeros behind the end.</summary>
    public void FillBuffer()
    {
        if (!_ended && _end - Position <= Padding)
        {
            ReadOn();
        }
    }

    /// <summary>Gets more than <see cref="Padding"/> bytes in front of <see cref="Position"/>, or the end.</summary>
    protected virtual void ReadOn()
    {
        // The bits held back came from bytes that stay before Position, so that Offset and AlignToByte can go back to them.
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

    /// <summary>Goes on in another buffer, which stays the caller's. The bits held back, if any, must lie before the position in it too.</summary>
    /// <param name="buffer">With <see cref="Padding"/> zeros behind the bytes.</param>
    /// <param name="position">Index of the next byte.</param>
    /// <param name="end">Where the bytes end.</param>
    /// <param name="offset">Of the buffer's start in the compressed stream.</param>
    /// <param name="isEnd">Whether no more come behind these.</param>
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
