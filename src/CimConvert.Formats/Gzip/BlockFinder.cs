using System.Buffers.Binary;

namespace CimConvert.Formats.Gzip;

/// <summary>
/// Looks for what may be the start of a block in the midst of a DEFLATE stream: blocks that bring their codes, and stored ones,
/// which have a length and its complement. Blocks with the fixed code show nothing to be found by.
/// </summary>
/// <remarks>
/// Most places are passed by a table that knows, of the next 13 bits, how far on the next place is that they do not rule out;
/// most that remain by the sum of the code lengths' code (Knespel and Brunst, "Rapidgzip", 2023, 3.4).
/// </remarks>
internal static class BlockFinder
{
    private const int SkipBits = 3 + 5 + 5;
    private const int LengthsAtATime = 4;
    private const int CompleteCode = 1 << 7;

    private static readonly byte[] s_skips = MakeSkips();
    private static readonly ushort[] s_shares = MakeShares();

    /// <param name="data">With eleven bytes behind <paramref name="end"/> at least.</param>
    /// <param name="from">In bits, as all here.</param>
    /// <param name="end">Before which the block starts.</param>
    /// <returns><paramref name="end"/> where there is none.</returns>
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

    /// <returns>The first bit of the block's length; <paramref name="end"/> where there is none.</returns>
    public static int NextStored(ReadOnlySpan<byte> data, int from, int end)
    {
        // The last bits of the byte before are the end of the header, or zeros behind it.
        for (var at = Math.Max(1, (from + 7) >> 3); at < end >> 3; at++)
        {
            if (IsStored(data, at) && data[at - 1] >> 5 == 0)
            {
                // Of a longest block, 00 ff ff 00 00, the zero before looks like a part of a length too.
                return (IsStored(data, at + 1) && data[at] == 0 ? at + 1 : at) << 3;
            }
        }

        return end;
    }

    private static bool IsStored(ReadOnlySpan<byte> data, int at) =>
        BinaryPrimitives.ReadUInt32LittleEndian(data[at..]) is var lengths && (ushort)~lengths == lengths >> 16;

    /// <summary>Whether the lengths of the code that code lengths are written in leave no code unused, as compressors write it.</summary>
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

    /// <summary>57 bits at least: enough for all 19 lengths.</summary>
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

    /// <summary>Whether these bits may start a block that is not the last, of type 2, with at most 30 too many symbols of both kinds.</summary>
    private static bool MayStart(int bits, int known)
    {
        var typeMask = (1 << Math.Min(known, 3)) - 1;
        return (bits & typeMask) == (0b100 & typeMask)
            && (known < 8 || ((bits >> 3) & 31) < 30)
            && (known < SkipBits || ((bits >> 8) & 31) < 30);
    }

    /// <summary>What four lengths take of all codes of 7 bits.</summary>
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
