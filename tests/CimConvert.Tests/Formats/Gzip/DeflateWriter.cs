using NUnit.Framework;

namespace CimConvert.Tests.Formats.Gzip;

/// <summary>Writes DEFLATE bit by bit (RFC 1951), as its user says and not as one should: for streams that no compressor makes.</summary>
internal sealed class DeflateWriter
{
    public const int EndOfBlock = 256;

    private static readonly int[] s_lengthBase = [3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258];
    private static readonly int[] s_lengthExtra = [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0];
    private static readonly int[] s_distanceBase =
        [1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537, 2049, 3073, 4097, 6145, 8193, 12289, 16385, 24577];

    private static readonly int[] s_distanceExtra =
        [0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13];

    /// <summary>1 to 13 in four bits, the others in five: 13/16 + 6/32 is one.</summary>
    private static readonly byte[] s_lengthCode = [.. Enumerable.Range(0, 19).Select(s => (byte)(s is >= 1 and <= 13 ? 4 : 5))];

    private readonly List<byte> _bytes = [];
    private int _free;
    private byte[] _literalLengths = [];
    private byte[] _distanceLengths = [];

    /// <summary>Lengths of the fixed block's codes.</summary>
    public static byte[] FixedLiterals { get; } =
        [.. Enumerable.Range(0, 288).Select(s => (byte)(s < 144 ? 8 : s < 256 ? 9 : s < 280 ? 7 : 8))];

    public static byte[] FixedDistances { get; } = [.. Enumerable.Repeat((byte)5, 32)];

    public byte[] ToArray() => [.. _bytes];

    /// <summary>The lowest bits first, as all numbers but codes are written.</summary>
    public DeflateWriter Bits(int value, int count)
    {
        for (var bit = 0; bit < count; bit++)
        {
            if (_free == 0)
            {
                _bytes.Add(0);
                _free = 8;
            }

            _bytes[^1] |= (byte)(((value >> bit) & 1) << (8 - _free));
            _free--;
        }

        return this;
    }

    public DeflateWriter Bytes(ReadOnlySpan<byte> bytes)
    {
        _free = 0;
        _bytes.AddRange(bytes);
        return this;
    }

    public DeflateWriter Stored(ReadOnlySpan<byte> bytes, bool last = false)
    {
        Bits(last ? 1 : 0, 3);
        _free = 0;
        return Bits(bytes.Length, 16).Bits(~bytes.Length, 16).Bytes(bytes);
    }

    public DeflateWriter Fixed(bool last = false)
    {
        (_literalLengths, _distanceLengths) = (FixedLiterals, FixedDistances);
        return Bits(last ? 1 : 0, 1).Bits(1, 2);
    }

    /// <summary>A block with codes of these lengths, of which each is written out.</summary>
    public DeflateWriter Dynamic(byte[] literalLengths, byte[] distanceLengths, bool last = false)
    {
        DynamicHeader(literalLengths.Length, distanceLengths.Length, last);
        foreach (var length in literalLengths.Concat(distanceLengths))
        {
            LengthSymbol(length);
        }

        (_literalLengths, _distanceLengths) = (literalLengths, distanceLengths);
        return this;
    }

    /// <summary>All up to the code lengths, which are to follow as <see cref="LengthSymbol"/>.</summary>
    public DeflateWriter DynamicHeader(int literals, int distances, bool last = false)
    {
        Bits(last ? 1 : 0, 1).Bits(2, 2).Bits(literals - 257, 5).Bits(distances - 1, 5).Bits(19 - 4, 4);
        foreach (var symbol in (int[])[16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15])
        {
            Bits(s_lengthCode[symbol], 3);
        }

        return this;
    }

    public DeflateWriter LengthSymbol(int symbol) => Code(s_lengthCode, symbol);

    public DeflateWriter Symbol(int literalOrLength) => Code(_literalLengths, literalOrLength);

    public DeflateWriter DistanceSymbol(int symbol) => Code(_distanceLengths, symbol);

    public DeflateWriter Literals(ReadOnlySpan<byte> bytes)
    {
        foreach (var literal in bytes)
        {
            Symbol(literal);
        }

        return this;
    }

    public DeflateWriter Match(int length, int distance)
    {
        var l = LengthSymbolOf(length);
        var d = DistanceSymbolOf(distance);
        Symbol(257 + l).Bits(length - s_lengthBase[l], s_lengthExtra[l]);
        return DistanceSymbol(d).Bits(distance - s_distanceBase[d], s_distanceExtra[d]);
    }

    public DeflateWriter End() => Symbol(EndOfBlock);

    public static int LengthSymbolOf(int length) => Array.FindLastIndex(s_lengthBase, b => b <= length);

    public static int DistanceSymbolOf(int distance) => Array.FindLastIndex(s_distanceBase, b => b <= distance);

    /// <summary>Codes in order of length, then of symbol (RFC 1951, 3.2.2); their highest bit first.</summary>
    private DeflateWriter Code(byte[] lengths, int symbol)
    {
        var length = lengths[symbol];
        Assert.That(length, Is.Positive, $"symbol {symbol} has no code");
        var code = 0;
        for (var shorter = 1; shorter <= length; shorter++)
        {
            code <<= 1;
            for (var other = 0; other < lengths.Length; other++)
            {
                if (lengths[other] == shorter && (shorter < length || other < symbol))
                {
                    code++;
                }
            }
        }

        for (var bit = length - 1; bit >= 0; bit--)
        {
            Bits(code >> bit, 1);
        }

        return this;
    }
}
