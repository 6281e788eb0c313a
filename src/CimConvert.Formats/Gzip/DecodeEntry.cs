namespace CimConvert.Formats.Gzip;

/// <summary>
/// An entry of a decode table, 32 bits:
/// <code>
/// bits 0-5    bits to consume: the code and, for a length or distance, its extra bits
/// bits 8-11   bits of the code alone; for a subtable, bits of its index
/// bit 12      the code is longer than the table's index: see a subtable
/// bit 13      neither length nor distance: the end of the block, or an invalid code
/// bits 14-21  a literal, which a second literal or a length may follow
/// bits 22-29  that literal; or a length less 3, without extra bits
/// bits 16-31  a distance without extra bits; where a subtable starts
/// bits 30-31  as many of them are set as there are literals; bit 31 only if no length follows
/// </code>
/// The symbol loop shifts by an entry as it is (processors use the low six bits of a shift count), and finds the extra bits between
/// the two counts.
/// </summary>
internal static class DecodeEntry
{
    public const int CodeLengthShift = 8;
    public const uint CodeLengthMask = 15;
    public const uint Subtable = 1u << 12;
    public const uint Special = 1u << 13;
    public const uint NotInTable = Subtable | Special;
    public const int LiteralsShift = 14;
    public const int ValueShift = 16;
    public const int LengthShift = 22;
    public const int CountShift = 30;

    /// <summary>Adds one literal before what an entry already stands for.</summary>
    public const uint OneMore = 1u << CountShift;

    /// <summary>Literals only, no length.</summary>
    public const uint Literal = 1u << 31;

    public const uint ShortestLength = 3;

    public const uint EndOfBlock = Special | (1u << ValueShift);

    /// <summary>An invalid code. It has a length like every code, so that decoding always advances.</summary>
    public const uint Invalid = Special;

    /// <summary>Added to an entry for each bit of its code.</summary>
    public const uint CodeBit = 1u | (1u << CodeLengthShift);

    /// <summary>Entries of the literal, length and end-of-block symbols (RFC 1951, 3.2.5), before the length of the code is added.</summary>
    public static ReadOnlySpan<uint> LiteralsAndLengths => s_literalsAndLengths;

    /// <summary>Entries of the distance symbols.</summary>
    public static ReadOnlySpan<uint> Distances => s_distances;

    /// <summary>Entries of the code length symbols: their own numbers.</summary>
    public static ReadOnlySpan<uint> CodeLengths => s_codeLengths;

    private const int FirstLength = 257;
    private const uint LongestLength = 258;

    private static readonly uint[] s_literalsAndLengths = MakeLiteralsAndLengths();
    private static readonly uint[] s_distances = MakeDistances();
    private static readonly uint[] s_codeLengths = [.. Enumerable.Range(0, 19).Select(n => (uint)n << ValueShift)];

    private static uint[] MakeLiteralsAndLengths()
    {
        var entries = new uint[288];
        for (var literal = 0u; literal < 256; literal++)
        {
            entries[literal] = Literal | (literal << LiteralsShift);
        }

        entries[256] = EndOfBlock;
        var length = ShortestLength;
        for (var i = 0; i < 28; i++)
        {
            var extra = i < 8 ? 0 : (i / 4) - 1;
            entries[FirstLength + i] = ((length - ShortestLength) << LengthShift) | (uint)extra;
            length += 1u << extra;
        }

        entries[285] = (LongestLength - ShortestLength) << LengthShift;
        entries[286] = entries[287] = Invalid;
        return entries;
    }

    private static uint[] MakeDistances()
    {
        var entries = new uint[32];
        var distance = 1u;
        for (var i = 0; i < 30; i++)
        {
            var extra = i < 4 ? 0 : (i / 2) - 1;
            entries[i] = (distance << ValueShift) | (uint)extra;
            distance += 1u << extra;
        }

        entries[30] = entries[31] = Invalid;
        return entries;
    }
}
