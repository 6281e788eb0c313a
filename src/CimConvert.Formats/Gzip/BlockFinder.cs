using System.Buffers.Binary;

namespace CimConvert.Formats.Gzip;

/// <summary>
/// Searches the middle of a DEFLATE stream for places where a block may start: a block with dynamic codes, or a stored block, which
/// has a length and its complement. Blocks with the fixed codes have nothing to recognize them by.
/// </summary>
/// <remarks>
/// A table indexed by the next 13 bits tells how far it is to the next place that these bits do not rule out. Most of the others
/// are ruled out because the code of their code lengths is not complete (Knespel and Brunst, "Rapidgzip", 2023, 3.4,
/// https://doi.org/10.1145/3588195.3592992).
/// </remarks>
internal static class BlockFinder
{
    private const int SkipBits = 3 + 5 + 5;
    private const int LengthsAtATime = 4;
    private const int CompleteCode = 1 << 7;

    private static readonly byte[] s_skips = MakeSkips();
    private static readonly ushort[] s_shares = MakeShares();

    /// <param name="data">With at least eleven bytes behind <paramref name="end"/>.</param>
    /// <param name="from">In bits, like all positions here.</param>
    /// <param name="end">Blocks that start here or later are not looked for.</param>
    /// <returns>The block's first bit; <paramref name="end"/> if none is found.</returns>
    public static int NextWithCodes(ReadOnlySpan<byte> data, int from, int end)
    {
        ReadOnlySpan<byte> skips = s_skips;
        for (var at = from; at < end;)
        {
            var skip = skips[(int)(BitsAt(data, at) & ((1 << SkipBits) - 1))];
            if (skip == 0)
            {
                if (IsCode(data, at))
                {
                    return at;
                }

                skip = 1;
            }

            at += skip;
        }

        return end;
    }

    /// <returns>The first bit of the block's length; <paramref name="end"/> if none is found.</returns>
    public static int NextStored(ReadOnlySpan<byte> data, int from, int end)
    {
        // The last three bits of the byte before are the header, or zeros between it and the length.
        for (var at = Math.Max(1, (from + 7) >> 3); at < end >> 3; at++)
        {
            if (IsStored(data, at) && data[at - 1] >> 5 == 0)
            {
                // The length of the longest block, ff ff 00 00, also looks like one from the zero byte before it.
                return (IsStored(data, at + 1) && data[at] == 0 ? at + 1 : at) << 3;
            }
        }

        return end;
    }

    private static bool IsStored(ReadOnlySpan<byte> data, int at) =>
        BinaryPrimitives.ReadUInt32LittleEndian(data[at..]) is var lengths && (ushort)~lengths == lengths >> 16;

    /// <summary>Whether the code that the code lengths are written in is complete, as compressors make it.</summary>
    private static bool IsCode(ReadOnlySpan<byte> data, int at)
    {
        var count = 4 + (int)((BitsAt(data, at) >> SkipBits) & 15);
        var lengths = BitsAt(data, at + SkipBits + 4) & ((1ul << (3 * count)) - 1);
        var shares = 0;
        for (; lengths != 0; lengths >>= 3 * LengthsAtATime)
        {
            shares += s_shares[(int)lengths & (s_shares.Length - 1)];
        }

        return shares == CompleteCode;
    }

    /// <summary>At least 57 bits: enough for all 19 lengths.</summary>
    private static ulong BitsAt(ReadOnlySpan<byte> data, int bit) => BinaryPrimitives.ReadUInt64LittleEndian(data[(bit >> 3)..]) >> (bit & 7);

    private static byte[] MakeSkips()
    {
        var skips = new byte[1 << SkipBits];
        for (var bits = 0; bits < skips.Length; bits++)
        {
            while (!MayStart(bits >> skips[bits], SkipBits - skips[bits]))
            {
                skips[bits]++;
            }
        }

        return skips;
    }

    /// <summary>Whether these bits may start a block of type 2 that is not the last, with possible numbers of literal and distance codes.</summary>
    private static bool MayStart(int bits, int known)
    {
        var typeMask = (1 << Math.Min(known, 3)) - 1;
        return (bits & typeMask) == (0b100 & typeMask)
            && (known < 8 || ((bits >> 3) & 31) < 30)
            && (known < SkipBits || ((bits >> 8) & 31) < 30);
    }

    /// <summary>The share that four lengths take of all codes of 7 bits.</summary>
    private static ushort[] MakeShares()
    {
        var shares = new ushort[1 << (3 * LengthsAtATime)];
        for (var lengths = 0; lengths < shares.Length; lengths++)
        {
            for (var left = lengths; left != 0; left >>= 3)
            {
                shares[lengths] += (ushort)((left & 7) == 0 ? 0 : CompleteCode >> (left & 7));
            }
        }

        return shares;
    }
}
