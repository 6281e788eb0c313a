using System.Text;
using CimConvert.Formats.Gzip;
using CimConvert.TestKit;
using NUnit.Framework;

namespace CimConvert.Tests.Formats.Gzip;

public class Crc32Tests
{
    private static readonly byte[] s_content = SeededContent.Bytes(3, 1000);

    /// <summary>The check value that catalogues of checksums give.</summary>
    [Test]
    public void The_known_value_comes_out() =>
        Assert.That(Crc32.Append(0, Encoding.ASCII.GetBytes("123456789")), Is.EqualTo(0xcbf43926));

    [Test]
    public void Every_length_and_start_agrees_with_the_definition([Values(0, 1, 7)] int start)
    {
        for (var length = 0; length <= 300; length++)
        {
            var data = s_content.AsSpan(start, length);
            var expected = BitByBit(data);
            Assert.That(Crc32.BySlices(0, data), Is.EqualTo(expected), $"slices of {length}");
            Assert.That(Crc32.Append(0, data), Is.EqualTo(expected), $"{length}");
        }
    }

    [Test]
    public void Folding_agrees_with_the_definition()
    {
        if (!Crc32.CanFold)
        {
            Assert.Ignore("this processor has no carry-less multiplication");
        }

        for (var length = 64; length <= 300; length++)
        {
            Assert.That(Crc32.Fold(0x12345678, s_content.AsSpan(5, length)), Is.EqualTo(BitByBit(s_content.AsSpan(5, length), 0x12345678)), $"{length}");
        }
    }

    [Test]
    public void Pieces_make_the_same_checksum_as_the_whole()
    {
        var whole = Crc32.Append(0, s_content);
        for (var cut = 0; cut <= s_content.Length; cut += 37)
        {
            Assert.That(Crc32.Append(Crc32.Append(0, s_content.AsSpan(0, cut)), s_content.AsSpan(cut)), Is.EqualTo(whole), $"cut at {cut}");
        }
    }

    /// <summary>The definition: division by the polynomial, bit by bit (RFC 1952, 8).</summary>
    internal static uint BitByBit(ReadOnlySpan<byte> data, uint crc = 0)
    {
        crc = ~crc;
        foreach (var value in data)
        {
            crc ^= value;
            for (var bit = 0; bit < 8; bit++)
            {
                crc = (crc & 1) != 0 ? (crc >> 1) ^ 0xedb88320 : crc >> 1;
            }
        }

        return ~crc;
    }
}
