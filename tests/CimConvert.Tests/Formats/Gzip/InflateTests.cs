using System.IO.Compression;
using CimConvert.TestKit;
using NUnit.Framework;

namespace CimConvert.Tests.Formats.Gzip;

/// <summary>What is well-formed is read, however it is written.</summary>
public class InflateTests
{
    [Test]
    public void What_zlib_writes_is_read(
        [Values(0, 1, 2, 3, 4, 5, 6, 7, 8, 9)] int level, [Values] ZLibCompressionStrategy strategy, [Values(1, 70_000)] int length)
    {
        var content = GzipFiles.Compressible(level + length, length);
        var deflate = Deflates.Compress(content, new ZLibCompressionOptions { CompressionLevel = level, CompressionStrategy = strategy });
        ByteAssert.Equal(content, Deflates.Read(deflate));
    }

    [Test]
    public void More_than_a_window_of_any_content_is_read([Range(1, 8)] int seed)
    {
        var content = GzipFiles.Compressible(seed, 900_000);
        ByteAssert.Equal(content, Deflates.Read(Deflates.Compress(content, new ZLibCompressionOptions { CompressionLevel = 6 })));
    }

    [Test]
    public void Any_codes_and_any_matches_are_read([Range(1, 60)] int seed)
    {
        var choices = new Choices(seed);
        var writer = new DeflateWriter();
        var content = new List<byte>();
        var blocks = 1 + choices.Next(6);
        for (var block = 1; block <= blocks; block++)
        {
            RandomBlocks.Add(writer, choices, content, seed, block == blocks);
        }

        ByteAssert.Equal(content.ToArray(), Deflates.TryReadByZlib(writer.ToArray()), "zlib: the writer is wrong");
        ByteAssert.Equal(content.ToArray(), Deflates.Read(writer.ToArray()));
    }

    [Test]
    public void Every_distance_repeats_for_every_length()
    {
        var writer = new DeflateWriter().Fixed();
        var content = new List<byte>();
        for (var distance = 1; distance <= 40; distance++)
        {
            foreach (var length in (int[])[3, 4, 15, 16, 17, 31, 32, 33, 34, 47, 48, 49, 63, 64, 65, 257, 258])
            {
                byte[] start = [.. Enumerable.Range(0, distance).Select(i => (byte)(distance + (7 * i) + length))];
                writer.Literals(start).Match(length, distance);
                content.AddRange(start);
                RandomBlocks.AddMatch(content, length, distance);
            }
        }

        ByteAssert.Equal(content.ToArray(), Deflates.Read(writer.End().Stored([], last: true).ToArray()));
    }

    [TestCase(32_768)]
    [TestCase(32_767)]
    public void The_longest_distances_reach_through_every_place_of_the_window(int distance)
    {
        var content = new List<byte>(GzipFiles.Compressible(9, 32_768));
        var writer = new DeflateWriter().Stored([.. content]).Fixed();
        for (var i = 0; i < 3000; i++)
        {
            writer.Match(3 + (i % 256), distance).Symbol(i & 0xff);
            RandomBlocks.AddMatch(content, 3 + (i % 256), distance);
            content.Add((byte)i);
        }

        ByteAssert.Equal(content.ToArray(), Deflates.Read(writer.End().Stored([], last: true).ToArray()));
    }

    [Test]
    public void Blocks_may_be_as_small_as_they_like()
    {
        var writer = new DeflateWriter();
        var content = new List<byte>();
        for (var i = 0; i < 2000; i++)
        {
            writer.Stored([]).Fixed().End().Fixed().Symbol(i & 0xff).End().Stored([(byte)i]);
            content.AddRange([(byte)i, (byte)i]);
        }

        ByteAssert.Equal(content.ToArray(), Deflates.Read(writer.Fixed(last: true).End().ToArray()));
    }

    [Test]
    public void A_longest_stored_block_is_read()
    {
        var content = GzipFiles.Compressible(4, 65_535);
        Assert.That(Deflates.Read(new DeflateWriter().Stored(content).Stored(content, last: true).ToArray()), Is.EqualTo((byte[])[.. content, .. content]));
    }

    /// <summary>Incomplete, but what compressors write for one distance, and zlib reads (RFC 1951, 3.2.7).</summary>
    [Test]
    public void A_single_distance_code_of_one_bit_is_read()
    {
        var literals = RandomCode.Lengths(1, 286, 286, 15);
        var writer = new DeflateWriter().Dynamic(literals, [0, 0, 0, 1], last: true).Literals("abcd"u8).Match(9, 4).End();
        Assert.That(Deflates.Read(writer.ToArray()), Is.EqualTo("abcdabcdabcda"u8.ToArray()));
    }

    [Test]
    public void A_block_without_distances_is_read()
    {
        var literals = RandomCode.Lengths(1, 286, 286, 15);
        Assert.That(Deflates.Read(new DeflateWriter().Dynamic(literals, [0], last: true).Literals("abcd"u8).End().ToArray()), Is.EqualTo("abcd"u8.ToArray()));
    }

    [Test]
    public void A_block_of_nothing_but_its_end_is_read() =>
        Assert.That(Deflates.Read(new DeflateWriter().Dynamic([.. new byte[256], 1], [0], last: true).End().ToArray()), Is.Empty);

    [Test]
    public void A_million_zeros_a_kilobyte_come_out_in_pieces()
    {
        var content = new byte[20_000_000];
        ByteAssert.Equal(content, Deflates.Read(Deflates.Compress(content, new ZLibCompressionOptions { CompressionLevel = 9 })));
    }
}
