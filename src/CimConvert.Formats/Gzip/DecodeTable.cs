namespace CimConvert.Formats.Gzip;

/// <summary>
/// Fills tables that decode a prefix code. A table is indexed by the next bits of the stream; subtables behind it hold the codes
/// that are longer than its index.
/// </summary>
internal static class DecodeTable
{
    public const int MaxCodeLength = 15;

    /// <param name="lengths">Length of each symbol's code in bits, 0 if it has none.</param>
    /// <param name="symbols">Each symbol's entry.</param>
    /// <param name="indexBits">Bits of the table's index.</param>
    /// <param name="table">Room for the table and its subtables.</param>
    /// <returns>
    /// Whether the lengths make a complete code. No code at all, and a single code of one bit, are also valid.
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
            // A block without matches, or with a single distance, is written like this (RFC 1951, 3.2.7). zlib accepts the same.
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

    /// <summary>Sorts the symbols by their codes.</summary>
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
        // Codes are kept bit-reversed, as in the stream. For one more bit the table is doubled; copies of entries that have no
        // code yet are overwritten by the longer codes.
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

    /// <summary>Places all codes with the same prefix as the one at <paramref name="placed"/>.</summary>
    private static (int Free, int Placed, uint Code) FillSubtable(
        Span<int> counts, ReadOnlySpan<ushort> sorted, int placed, uint code, ReadOnlySpan<uint> symbols, int indexBits, int start, Span<uint> table)
    {
        var prefix = code & ((1u << indexBits) - 1);
        var length = indexBits + 1;
        while (counts[length] == 0)
        {
            length++;
        }

        // Adds bits until the remaining codes of each length fill the subtable.
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

    /// <summary>The next code of the same length: counts up, with the bits reversed.</summary>
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
