using System.Numerics;
using CimConvert.Formats.Gzip;
using CimConvert.TestKit;
using NUnit.Framework;

namespace CimConvert.Tests.Formats.Gzip;

public class BlockFinderTests
{
    private const int Slack = 16;

    private static readonly byte[] s_noise = SeededContent.Bytes(11, 60_000);

    /// <summary>Bit by bit, by the definition: not the last block, of type 2, no more symbols than there are, code lengths' code complete.</summary>
    [Test]
    public void What_is_found_is_what_the_definition_says()
    {
        var end = (s_noise.Length - Slack) * 8;
        List<int> expected = [.. Enumerable.Range(0, end).Where(bit => MayBeBlock(s_noise, bit))];
        List<int> found = [];
        for (var at = BlockFinder.NextWithCodes(s_noise, 0, end); at < end; at = BlockFinder.NextWithCodes(s_noise, at + 1, end))
        {
            found.Add(at);
        }

        Assert.That(expected, Has.Count.GreaterThan(50));
        Assert.That(found, Is.EqualTo(expected));
    }

    [Test]
    public void A_block_is_found_at_any_bit([Range(0, 16)] int before)
    {
        var writer = new DeflateWriter().Bits(-1, before).Dynamic(RandomCode.Lengths(before, 286, 200, 12), RandomCode.Lengths(before, 30, 30, 9));
        byte[] data = [.. writer.End().ToArray(), .. new byte[Slack]];
        Assert.That(BlockFinder.NextWithCodes(data, 0, 100), Is.EqualTo(before));
        Assert.That(BlockFinder.NextWithCodes(data, 0, before), Is.EqualTo(before), "the end where there is none");
    }

    [Test]
    public void A_stored_block_is_found_by_its_length([Range(0, 16)] int before, [Values(0, 1, 65_535)] int length)
    {
        byte[] data = [.. new DeflateWriter().Bits(-1, before).Stored(new byte[length]).ToArray(), .. Enumerable.Repeat((byte)0x55, Slack)];
        var expected = (before + 3 + 7) / 8 * 8;
        Assert.That(BlockFinder.NextStored(data, 0, 80), Is.EqualTo(expected));
        Assert.That(BlockFinder.NextStored(data, expected, 80), Is.EqualTo(expected));
        Assert.That(BlockFinder.NextStored(data, expected + 1, 80), Is.EqualTo(80));
        data[expected / 8] ^= 4;
        Assert.That(BlockFinder.NextStored(data, 0, 80), Is.EqualTo(80));
    }

    [Test]
    public void Markers_become_what_the_history_has([Values(0, 1, 31, 32, 33, 100)] int length, [Values(0, 1, 2, 50)] int every)
    {
        var meanings = new byte[1 << 16];
        for (var symbol = 0; symbol < meanings.Length; symbol++)
        {
            meanings[symbol] = symbol < RunSegment.Marker ? (byte)symbol : s_noise[symbol - RunSegment.Marker];
        }

        var symbols = new ushort[length];
        for (var i = 0; i < length; i++)
        {
            symbols[i] = every > 0 && i % every == every - 1 ? (ushort)(RunSegment.Marker + (i * 331)) : s_noise[i];
        }

        var to = new byte[length];
        RunReader.Resolve(symbols, meanings, to);
        Assert.That(to, Is.EqualTo(symbols.Select(s => meanings[s]).ToArray()));
    }

    private static bool MayBeBlock(byte[] data, int bit)
    {
        var bits = new BigInteger(data.AsSpan(bit / 8, Slack), isUnsigned: true) >> (bit % 8);
        if (Next(3) != 0b100 || Next(5) > 29 || Next(5) > 29)
        {
            return false;
        }

        var share = 0.0;
        for (var count = 4 + Next(4); count > 0; count--)
        {
            share += Next(3) is var length and > 0 ? Math.Pow(2, -length) : 0;
        }

        return share == 1;

        int Next(int count)
        {
            var value = (int)(bits & ((1 << count) - 1));
            bits >>= count;
            return value;
        }
    }
}
