namespace CimConvert.Formats.Gzip;

/// <summary>The two tables that decode a block's symbols.</summary>
internal sealed class DecodeTables
{
    /// <summary>Most codes of real data fit, and the table fits in the L1 cache.</summary>
    public const int LiteralBits = 12;

    public const int DistanceBits = 9;
    public const ulong LiteralMask = (1 << LiteralBits) - 1;
    public const ulong DistanceMask = (1 << DistanceBits) - 1;

    /// <summary>Start of the distances in <see cref="Entries"/>.</summary>
    public const uint DistancesStart = LiteralEntries;

    /// <summary>
    /// A subtable of 2^k entries holds at least k+1 codes (of 1, 2, … k, k further bits): 288 symbols need at most 288/4 subtables
    /// of 8 entries, and 32 symbols at most 32/7 of 64.
    /// </summary>
    private const int LiteralEntries = (1 << LiteralBits) + (288 / 4 * 8);

    private const int DistanceEntries = (1 << DistanceBits) + (32 * 64 / 7);

    /// <summary>For blocks with the fixed codes (RFC 1951, 3.2.6).</summary>
    public static DecodeTables Fixed { get; } = MakeFixed();

    /// <summary>Both tables, one behind the other, so that the symbol loop needs one pointer.</summary>
    public uint[] Entries { get; } = new uint[LiteralEntries + DistanceEntries];

    private Span<uint> Literals => Entries.AsSpan(0, LiteralEntries);

    private Span<uint> Distances => Entries.AsSpan(LiteralEntries);

    public bool TryFillLiterals(ReadOnlySpan<byte> lengths)
    {
        if (!DecodeTable.TryFill(lengths, DecodeEntry.LiteralsAndLengths, LiteralBits, Literals))
        {
            return false;
        }

        EntryPairs.Join(Literals[..(1 << LiteralBits)]);
        return true;
    }

    public bool TryFillDistances(ReadOnlySpan<byte> lengths) => DecodeTable.TryFill(lengths, DecodeEntry.Distances, DistanceBits, Distances);

    private static DecodeTables MakeFixed()
    {
        Span<byte> lengths = stackalloc byte[288];
        lengths[..144].Fill(8);
        lengths[144..256].Fill(9);
        lengths[256..280].Fill(7);
        lengths[280..].Fill(8);
        var tables = new DecodeTables();
        tables.TryFillLiterals(lengths);
        lengths[..32].Fill(5);
        tables.TryFillDistances(lengths[..32]);
        return tables;
    }
}
