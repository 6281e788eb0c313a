namespace CimConvert.Formats.Gzip;

/// <summary>
/// Fills tables that decode a prefix code: indexed by the next bits of the stream, with subtables behind the table for codes
/// longer than its index.
/// </summary>
internal static class DecodeTable
{
    public const int MaxCodeLength = 15;

    /// <param name="lengths">Bits of each symbol's code, 0 where it has none.</param>
    /// <param name="symbols">Each symbol's entry.</param>
    /// <param name="indexBits">The table's index.</param>
    /// <param name="table">Room for the table and its subtables.</param>
    /// <returns>
    /// Whether the lengths make a code: not more codes than there can be, and not fewer, but that there may be none, or one of one bit.
    /// </returns>
    public static bool TryFill(ReadOnlySpan<byte> lengths, ReadOnlySpan<uint> symbols, int indexBits, Span<uint> table)
    {
        Span<int> counts = stackalloc int[MaxCodeLength + 1];
        counts.Clear();
        foreach (var length in lengths)
        {
            counts[length]++;
        }

        var used = lengths.Length - counts[0];
        counts[0] = 0;
        var unused = 1;
        for (var length = 1; length <= MaxCodeLength; length++)
        {
            unused = (unused << 1) - counts[length];
            if (unused < 0)
            {
                return false;
            }
        }

        if (unused > 0)
        {
            // zlib takes these two, and so must we: a block without matches, or with one distance, is written so (RFC 1951, 3.2.7).
            if (used > counts[1])
            {
                return false;
            }

            table[..(1 << indexBits)].Fill(DecodeEntry.Invalid | 1);
        }

        Span<ushort> sorted = stackalloc ushort[lengths.Length];
        Sort(lengths, counts, sorted);
        Fill(counts, sorted[..used], symbols, indexBits, table);
        return true;
    }

    /// <summary>The symbols in the order of their codes.</summary>
    private static void Sort(ReadOnlySpan<byte> lengths, ReadOnlySpan<int> counts, Span<ushort> sorted)
    {
        Span<int> next = stackalloc int[MaxCodeLength + 1];
        next[0] = next[1] = 0;
        for (var length = 1; length < MaxCodeLength; length++)
        {
            next[length + 1] = next[length] + counts[length];
        }

        for (var symbol = 0; symbol < lengths.Length; symbol++)
        {
            if (lengths[symbol] is var length and not 0)
            {
                sorted[next[length]++] = (ushort)symbol;
            }
        }
    }

    private static void Fill(Span<int> counts, ReadOnlySpan<ushort> sorted, ReadOnlySpan<uint> symbols, int indexBits, Span<uint> table)
    {
        // Codes are kept bit-reversed, as they lie in the stream. A table for one bit more is the table twice; what is copied
        // from where no code was yet is overwritten by the longer codes that lie there.
        var code = 0u;
        var size = 1;
        var placed = 0;
        for (var length = 1; length <= indexBits; length++)
        {
            table[..size].CopyTo(table[size..]);
            size <<= 1;
            for (var end = placed + counts[length]; placed < end; placed++)
            {
                table[(int)code] = symbols[sorted[placed]] + ((uint)length * DecodeEntry.CodeBit);
                code = Next(code, length);
            }
        }

        var free = size;
        while (placed < sorted.Length)
        {
            (free, placed, code) = FillSubtable(counts, sorted, placed, code, symbols, indexBits, free, table);
        }
    }

    /// <summary>Places all codes that begin as the one at <paramref name="placed"/> does.</summary>
    private static (int Free, int Placed, uint Code) FillSubtable(
        Span<int> counts, ReadOnlySpan<ushort> sorted, int placed, uint code, ReadOnlySpan<uint> symbols, int indexBits, int start, Span<uint> table)
    {
        var prefix = code & ((1u << indexBits) - 1);
        var length = indexBits + 1;
        while (counts[length] == 0)
        {
            length++;
        }

        // As many bits as the codes that lie here need: those left of each length, until they take all the room.
        var bits = length - indexBits;
        for (var room = (1 << bits) - counts[length]; room > 0; room = (room << 1) - counts[indexBits + bits])
        {
            bits++;
        }

        table[(int)prefix] = DecodeEntry.Subtable | ((uint)bits << DecodeEntry.CodeLengthShift) | ((uint)start << DecodeEntry.ValueShift);
        var subtable = table.Slice(start, 1 << bits);
        while (placed < sorted.Length && (code & ((1u << indexBits) - 1)) == prefix)
        {
            while (counts[length] == 0)
            {
                length++;
            }

            var entry = symbols[sorted[placed++]] + ((uint)length * DecodeEntry.CodeBit);
            for (var at = (int)(code >> indexBits); at < subtable.Length; at += 1 << (length - indexBits))
            {
                subtable[at] = entry;
            }

            counts[length]--;
            code = Next(code, length);
        }

        return (start + subtable.Length, placed, code);
    }

    /// <summary>The code after this one of the same length: a count upwards, with the bits in the stream's order.</summary>
    private static uint Next(uint code, int length)
    {
        var bit = 1u << (length - 1);
        while ((code & bit) != 0)
        {
            code ^= bit;
            bit >>= 1;
        }

        return code | bit;
    }
}
