namespace CimConvert.Formats.Gzip;

/// <summary>Reads a block's header (RFC 1951, 3.2.3 to 3.2.7) and holds the decode tables made from it.</summary>
internal sealed class BlockHeader(BitInput input)
{
    private const int MaxLiteralSymbols = 286;
    private const int MaxDistanceSymbols = 30;
    private const int LengthCodeBits = 7;

    private readonly DecodeTables _own = new();
    private readonly uint[] _lengthCode = new uint[1 << LengthCodeBits];

    /// <summary>Decode the block's symbols; null for a stored block.</summary>
    public DecodeTables? Tables { get; private set; }

    /// <summary>Number of bytes of a stored block, which follow the header.</summary>
    public int StoredLength { get; private set; }

    public bool IsLast { get; private set; }

    private static ReadOnlySpan<byte> LengthCodeOrder => [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

    /// <returns>What is wrong with the header, at the input's next bit; null if nothing is. Not an exception: a search for blocks meets many bad headers.</returns>
    public string? Read()
    {
        input.Refill();
        IsLast = input.Take(1) != 0;
        (Tables, StoredLength) = (null, 0);
        switch (input.Take(2))
        {
            case 0:
                return ReadStored();
            case 1:
                Tables = DecodeTables.Fixed;
                return null;
            case 2:
                Tables = _own;
                return ReadTables();
            default:
                return "a block of the reserved type";
        }
    }

    private string? ReadStored()
    {
        input.AlignToByte();
        var lengths = input.TakeUInt32();
        StoredLength = (ushort)lengths;
        return (ushort)~lengths == lengths >> 16 ? null : "a stored block whose length is not confirmed";
    }

    private string? ReadTables()
    {
        input.Refill();
        var literals = (int)input.Take(5) + 257;
        var distances = (int)input.Take(5) + 1;
        if (literals > MaxLiteralSymbols || distances > MaxDistanceSymbols)
        {
            return "more symbols than there are";
        }

        if (!TryReadLengthCode((int)input.Take(4) + 4))
        {
            return "code lengths of code lengths that make no code";
        }

        Span<byte> lengths = stackalloc byte[MaxLiteralSymbols + MaxDistanceSymbols];
        lengths = lengths[..(literals + distances)];
        if (ReadLengths(lengths) is { } wrong)
        {
            return wrong;
        }

        return lengths[256] == 0 ? "a block without a code for its end"
            : !_own.TryFillLiterals(lengths[..literals]) ? "literal code lengths that make no code"
            : !_own.TryFillDistances(lengths[literals..]) ? "distance code lengths that make no code"
            : null;
    }

    private bool TryReadLengthCode(int count)
    {
        Span<byte> lengths = stackalloc byte[LengthCodeOrder.Length];
        lengths.Clear();
        for (var i = 0; i < count; i++)
        {
            input.Refill();
            lengths[LengthCodeOrder[i]] = (byte)input.Take(3);
        }

        return DecodeTable.TryFill(lengths, DecodeEntry.CodeLengths, LengthCodeBits, _lengthCode);
    }

    private string? ReadLengths(Span<byte> lengths)
    {
        for (var i = 0; i < lengths.Length;)
        {
            input.Refill();
            var entry = _lengthCode[input.Bits & ((1 << LengthCodeBits) - 1)];
            input.Skip((int)(entry & 0x3f));
            if ((entry & DecodeEntry.Special) != 0)
            {
                return "a code that stands for no code length";
            }

            var symbol = entry >> DecodeEntry.ValueShift;
            if (symbol < 16)
            {
                lengths[i++] = (byte)symbol;
                continue;
            }

            if (symbol == 16 && i == 0)
            {
                return "a first code length that repeats the one before";
            }

            var times = symbol switch
            {
                16 => 3 + input.Take(2),
                17 => 3 + input.Take(3),
                _ => 11 + input.Take(7),
            };
            if (times > lengths.Length - i)
            {
                return "more code lengths than symbols";
            }

            lengths.Slice(i, (int)times).Fill(symbol == 16 ? lengths[i - 1] : (byte)0);
            i += (int)times;
        }

        return null;
    }
}
