using System.Runtime.Intrinsics.X86;
using CimConvert.Formats.Gzip;
using NUnit.Framework;

namespace CimConvert.Tests.Formats.Gzip;

public class EntryPairsTests
{
    /// <summary>Codes of text, of a few symbols, of evenly spread bytes, and with many too long for the table.</summary>
    private static IEnumerable<byte[]> Codes()
    {
        yield return DeflateWriter.FixedLiterals;
        yield return RandomCode.Lengths(1, 286, 286, 15);
        yield return RandomCode.Lengths(2, 286, 40, 12);
        yield return RandomCode.Lengths(3, 286, 4, 3);
        yield return [.. Enumerable.Repeat((byte)0, 256), 1];
    }

    [TestCaseSource(nameof(Codes))]
    public void Eight_at_a_time_join_as_one_by_one(byte[] lengths)
    {
        if (!Avx2.IsSupported)
        {
            Assert.Ignore("this processor has no AVX2");
        }

        var (each, wide) = (Table(lengths), Table(lengths));
        EntryPairs.JoinEach(each.AsSpan(0, 1 << DecodeTables.LiteralBits));
        EntryPairs.JoinWide(wide.AsSpan(0, 1 << DecodeTables.LiteralBits));
        Assert.That(wide, Is.EqualTo(each));
    }

    /// <summary>Followed literal by literal or length, a joined entry's bits say the same as the entries it was made of.</summary>
    [TestCaseSource(nameof(Codes))]
    public void A_joined_entry_says_what_its_parts_say(byte[] lengths)
    {
        var (plain, joined) = (Table(lengths), Table(lengths));
        EntryPairs.JoinEach(joined.AsSpan(0, 1 << DecodeTables.LiteralBits));
        for (var index = 0; index < 1 << DecodeTables.LiteralBits; index++)
        {
            var first = plain[index];
            var expected = first;
            if (IsLiteral(first))
            {
                var used = (int)(first & 15);
                var second = plain[index >> used];
                var both = used + (int)((second >> 8) & 15);
                if ((second & DecodeEntry.NotInTable) == 0 && both <= DecodeTables.LiteralBits)
                {
                    Assert.That((joined[index] >> 14) & 0xff, Is.EqualTo((first >> 14) & 0xff), $"first literal at {index}");
                    Assert.That((joined[index] >> 22) & 0xff, Is.EqualTo((second >> (IsLiteral(second) ? 14 : 22)) & 0xff), $"second at {index}");
                    Assert.That(joined[index] & 0x3f, Is.EqualTo(used + (second & 0x3f)), $"bits at {index}");
                    Assert.That(IsLiteral(joined[index]), Is.EqualTo(IsLiteral(second)), $"kind at {index}");
                    continue;
                }
            }

            Assert.That(joined[index], Is.EqualTo(expected), $"at {index}");
        }
    }

    private static bool IsLiteral(uint entry) => (entry & DecodeEntry.Literal) != 0;

    private static uint[] Table(byte[] lengths)
    {
        var table = new uint[1 << 14];
        Assert.That(DecodeTable.TryFill(lengths, DecodeEntry.LiteralsAndLengths, DecodeTables.LiteralBits, table), Is.True);
        return table;
    }
}
