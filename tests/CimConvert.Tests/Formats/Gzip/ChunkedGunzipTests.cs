using System.IO.Compression;
using CimConvert.Formats.Gzip;
using CimConvert.TestKit;
using NUnit.Framework;

namespace CimConvert.Tests.Formats.Gzip;

/// <summary>
/// Chunks decoded ahead give the same bytes as the stream read in order. Every test also checks that chunks decoded ahead were used:
/// otherwise nothing is tested.
/// </summary>
public class ChunkedGunzipTests
{
    private const int Longest = 32_768;

    private static readonly byte[] s_content = GzipFiles.Words(1, 1_500_000);
    private static readonly byte[] s_noise = SeededContent.Bytes(6, 600_000);

    [Test]
    public void Most_of_what_zlib_writes_is_decoded_beforehand([Values(2, 6, 9)] int level, [Values(9_000, 50_000)] int stretch, [Values] bool flushed)
    {
        var gzip = Compress(s_content, new ZLibCompressionOptions { CompressionLevel = level }, flushed ? 10_000 : s_content.Length);
        stretch = flushed ? stretch : 2 * stretch + 30_000;
        var chunked = new ChunkedGzip(gzip, ChunkedGzip.Sizes(stretch, flushed ? 20_000 : 100_000));
        ByteAssert.Equal(s_content, chunked.Read());
        Assert.That(chunked.Foreseen, Is.GreaterThan(0.7 * (chunked.Chunks - 1)).And.LessThan(chunked.Chunks), $"of {chunked.Chunks}");
    }

    [TestCase(false, TestName = "Words_give_way_to_bytes_where_the_history_shows_through_no_more")]
    [TestCase(true, TestName = "Words_stay_as_long_as_the_history_shows_through")]
    public void Symbols(bool repeats)
    {
        // Codes pay, but what repeats by chance is rare.
        byte[] content = [.. s_noise.Concat(s_noise).Select((b, i) => (byte)((b + (i / s_noise.Length)) & 0x7f))];
        for (var at = Longest; repeats && at < content.Length - 300; at += 20_000)
        {
            content.AsSpan(at - 20_000, 300).CopyTo(content.AsSpan(at));
        }

        var chunked = new ChunkedGzip(Compress(content, new ZLibCompressionOptions { CompressionLevel = 9 }), ChunkedGzip.Sizes(150_000));
        ByteAssert.Equal(content, chunked.Read(5000));
        Assert.That(chunked.Foreseen, Is.GreaterThan(3));
        Assert.That(chunked.Segments.Words, Is.GreaterThanOrEqualTo(chunked.Foreseen));
        Assert.That(chunked.Segments.Bytes, repeats ? Is.Zero : Is.GreaterThan(3));
    }

    /// <summary>From the first symbol of every block on, matches go as far back as they can: across the chunk's start and on.</summary>
    [TestCase(Longest)]
    [TestCase(Longest - 1)]
    [TestCase(1)]
    public void Matches_reach_across_every_boundary(int distance)
    {
        var content = s_noise.Take(Longest).ToList();
        var writer = new DeflateWriter().Stored([.. content]);
        var literals = RandomCode.Lengths(3, 286, 286, 12);
        for (var block = 0; block < 150; block++)
        {
            writer.Dynamic(literals, RandomCode.Lengths(block, 30, 30, 12));
            for (var i = 0; i < 40; i++)
            {
                writer.Match(3 + (i * 5), distance).Symbol(i);
                RandomBlocks.AddMatch(content, 3 + (i * 5), distance);
                content.Add((byte)i);
            }

            writer.End();
        }

        var gzip = GzipFiles.Member(writer.Stored([], last: true).ToArray(), [.. content]);
        var chunked = new ChunkedGzip(gzip, ChunkedGzip.Sizes(3000));
        ByteAssert.Equal(content.ToArray(), chunked.Read());
        Assert.That(chunked.Foreseen, Is.GreaterThan(3));
    }

    [Test]
    public void Stored_blocks_are_found_by_their_lengths([Values(100, 5000, 65_535)] int size)
    {
        var writer = new DeflateWriter();
        var length = 0;
        for (; length < s_noise.Length - size; length += size)
        {
            // In between, a block that leaves the next header at any bit of a byte.
            writer.Stored(s_noise.AsSpan(length, size)).Fixed().Match(3 + (length % 7), 1 + (length % 100)).End();
        }

        var deflate = writer.Fixed(last: true).End().ToArray();
        var content = Deflates.TryReadByZlib(deflate)!;
        var chunked = new ChunkedGzip(GzipFiles.Member(deflate, content), ChunkedGzip.Sizes(70_000, ahead: 140_000));
        ByteAssert.Equal(content, chunked.Read());
        Assert.That(chunked.Foreseen, Is.GreaterThan(chunked.Chunks / 2));
    }

    /// <summary>Blocks within are found, decode without fault, and are not the stream's.</summary>
    [Test]
    public void Gzip_within_stored_blocks_is_data()
    {
        var within = Compress(s_content, new ZLibCompressionOptions { CompressionLevel = 6 });
        var writer = new DeflateWriter();
        foreach (var piece in within.Chunk(60_000))
        {
            writer.Stored(piece);
        }

        var chunked = new ChunkedGzip(GzipFiles.Member(writer.Fixed(last: true).End().ToArray(), within), ChunkedGzip.Sizes(25_000));
        ByteAssert.Equal(within, chunked.Read());
        Assert.That(chunked.Found - chunked.Foreseen, Is.GreaterThan(3));
    }

    [Test]
    public void Where_no_block_shows_fewer_are_looked_for_until_one_is_found()
    {
        var start = s_content.AsSpan(0, 400_000).ToArray();
        var fixedCode = Compress(start, new ZLibCompressionOptions { CompressionLevel = 6, CompressionStrategy = ZLibCompressionStrategy.Fixed }, piece: 400_000);
        var ownCodes = Compress(s_content, new ZLibCompressionOptions { CompressionLevel = 6 });
        var chunked = new ChunkedGzip(fixedCode, ChunkedGzip.Sizes(3000));
        ByteAssert.Equal(start, chunked.Read());
        Assert.That(chunked.Foreseen, Is.AtMost(1), "the empty stored block at the end");
        Assert.That(chunked.Looked, Is.InRange(4, 4 + 1 + (chunked.Chunks / 8)).And.LessThan(chunked.Chunks / 2));

        chunked = new ChunkedGzip([.. fixedCode, .. ownCodes], ChunkedGzip.Sizes(5000));
        ByteAssert.Equal((byte[])[.. start, .. s_content], chunked.Read());
        Assert.That(chunked.Foreseen, Is.GreaterThan(ownCodes.Length / 5000 / 2));
    }

    [Test]
    [Category(Categories.Slow)]
    public void A_run_that_grows_too_long_ends_before([Values(1, 2, 3)] int maxSegments)
    {
        // A chunk of noise in codes, and then what comes to hundreds of times its size.
        byte[] content = [.. s_content.AsSpan(0, 300_000), .. new byte[30_000_000], .. s_content.AsSpan(300_000, 300_000)];
        var gzip = Compress(content, new ZLibCompressionOptions { CompressionLevel = 6 });
        var chunked = new ChunkedGzip(gzip, ChunkedGzip.Sizes(20_000, maxSegments: maxSegments));
        ByteAssert.Equal(content, chunked.Read(1_000_000));
        Assert.That(chunked.Foreseen, Is.GreaterThan(2));
        Assert.That(chunked.Segments.Words + chunked.Segments.Bytes, Is.LessThanOrEqualTo(chunked.Found * maxSegments));
    }

    [Test]
    [Category(Categories.Slow)]
    public void A_block_may_span_many_chunks()
    {
        var literals = RandomCode.Lengths(5, 286, 286, 11);
        var distances = RandomCode.Lengths(5, 30, 30, 9);
        var writer = new DeflateWriter();
        var content = new List<byte>();
        for (var block = 0; block < 6; block++)
        {
            writer.Dynamic(literals, distances).Literals(s_noise.AsSpan(block * 40_000, block == 2 ? 1000 : 40_000)).End();
            content.AddRange(s_noise.AsSpan(block * 40_000, block == 2 ? 1000 : 40_000));
        }

        var gzip = GzipFiles.Member(writer.Fixed(last: true).End().ToArray(), [.. content]);
        foreach (var ahead in (int[])[GzipChunkSizes.MinAhead, 100_000])
        {
            var chunked = new ChunkedGzip(gzip, ChunkedGzip.Sizes(9000, ahead));
            ByteAssert.Equal(content.ToArray(), chunked.Read());
            Assert.That(chunked.Foreseen, ahead < 100_000 ? Is.Zero : Is.Positive, $"{ahead} ahead");
        }
    }

    [Test]
    public void Members_begin_and_end_anywhere([Range(0, 7)] int seed)
    {
        var choices = new Choices(seed);
        List<byte> gzip = [];
        List<byte> content = [];
        while (content.Count < 1_500_000)
        {
            var from = choices.Next(s_content.Length);
            var member = s_content.AsSpan(from, Math.Min(s_content.Length - from, choices.Next(seed % 2 == 0 ? 400_000 : 40_000))).ToArray();
            byte[] named = [0x1f, 0x8b, 8, 0x0c, 0, 0, 0, 0, 0, 3, 4, 0, 0x1f, 0x8b, 8, 0, (byte)'n', 0];
            gzip.AddRange(GzipFiles.Member(Deflate(member, new ZLibCompressionOptions { CompressionLevel = 6 }, 9000), member, choices.Next(2) == 0 ? named : null));
            gzip.AddRange(choices.Next(3) == 0 ? GzipFiles.Empty : []);
            content.AddRange(member);
        }

        var chunked = new ChunkedGzip([.. gzip], ChunkedGzip.Sizes(5000 + choices.Next(10_000)));
        ByteAssert.Equal(content.ToArray(), chunked.Read());
        Assert.That(chunked.Foreseen, Is.GreaterThan(seed % 2 == 0 ? 10 : -1), "members of many chunks");
    }

    [Test]
    [Category(Categories.Slow)]
    public void Tiny_blocks_are_read()
    {
        var writer = new DeflateWriter().Stored(s_noise.AsSpan(0, Longest));
        var content = s_noise.Take(Longest).ToList();
        var literals = RandomCode.Lengths(1, 286, 286, 15);
        for (var i = 0; i < 1500; i++)
        {
            writer.Stored([]).Dynamic(literals, RandomCode.Lengths(i, 30, 30, 15)).Symbol(i & 0xff).End().Fixed().End().Stored([(byte)i]);
            content.AddRange([(byte)i, (byte)i]);
        }

        var chunked = new ChunkedGzip(GzipFiles.Member(writer.Fixed(last: true).End().ToArray(), [.. content]), ChunkedGzip.Sizes(2000));
        ByteAssert.Equal(content.ToArray(), chunked.Read());
        Assert.That(chunked.Foreseen, Is.GreaterThan(chunked.Chunks / 2));
    }

    [Test]
    [Category(Categories.Slow)]
    public void Any_stream_in_any_chunks_is_read([Range(1, 40)] int seed)
    {
        var (gzip, content) = AnyStream(seed);
        var choices = new Choices(seed + 1000);
        var sizes = ChunkedGzip.Sizes(100 + choices.Next(20_000), GzipChunkSizes.MinAhead + choices.Next(5000), 1 + choices.Next(4));
        ByteAssert.Equal(content, new ChunkedGzip(gzip, sizes).Read(1 + choices.Next(100_000)));
        ByteAssert.Equal(content, GzipFiles.Read(gzip), "the one decoder");
    }

    [Test]
    [Category(Categories.Slow)]
    public void Damage_is_called_what_the_one_decoder_calls_it([Range(1, 12)] int seed)
    {
        var (gzip, _) = AnyStream(seed);
        var choices = new Choices(seed + 2000);
        for (var i = 0; i < 15; i++)
        {
            var damaged = gzip.ToArray();
            damaged[choices.Next(gzip.Length)] ^= (byte)(1 << choices.Next(8));
            damaged = i % 3 == 0 ? damaged[..choices.Next(gzip.Length)] : damaged;
            AssertSame(damaged, ChunkedGzip.Sizes(500 + choices.Next(20_000), GzipChunkSizes.MinAhead + choices.Next(30_000)));
        }
    }

    [Test]
    [Category(Categories.Slow)]
    public void Every_end_too_early_is_called_that()
    {
        var gzip = Compress(GzipFiles.Words(3, 120_000), new ZLibCompressionOptions { CompressionLevel = 6 });
        var sizes = ChunkedGzip.Sizes(4096, 4096);
        for (var length = gzip.Length; length > 0; length -= length > gzip.Length - 40 || length % 4096 < 20 ? 1 : 97)
        {
            AssertSame(gzip[..length], sizes);
        }

        AssertSame([.. gzip, 0], sizes);
        AssertSame([], sizes);
    }

    [Test]
    public void Chunks_take_no_more_memory_the_more_there_are()
    {
        var gzip = Compress(s_content, new ZLibCompressionOptions { CompressionLevel = 6 });
        var sizes = ChunkedGzip.Sizes(9000);
        using var reader = new GzipChunkReader(new MemoryStream(gzip), sizes);
        using var decoder = new GzipChunkDecoder(sizes);
        using var stream = new GunzipStream(() => reader.Next() is { } chunk && Decode(chunk) ? chunk : null);
        var buffer = new byte[10_000];
        stream.ReadExactly(new byte[s_content.Length / 3]);
        var before = GC.GetAllocatedBytesForCurrentThread();
        while (stream.Read(buffer) > 0)
        {
        }

        Assert.That((GC.GetAllocatedBytesForCurrentThread() - before) / (gzip.Length * 2 / 3 / 9000), Is.LessThan(2000), "bytes a chunk");

        bool Decode(GzipChunk chunk)
        {
            decoder.Decode(chunk);
            return true;
        }
    }

    private static void AssertSame(byte[] gzip, GzipChunkSizes sizes)
    {
        var (expected, error) = Outcome(() => GzipFiles.Read(gzip));
        var (actual, chunkedError) = Outcome(() => new ChunkedGzip(gzip, sizes).Read());
        Assert.That(chunkedError, Is.EqualTo(error));
        ByteAssert.Equal(expected, actual);
    }

    private static (byte[] Content, string? Error) Outcome(Func<byte[]> read)
    {
        try
        {
            return (read(), null);
        }
        catch (InvalidDataException e)
        {
            return ([], e.Message);
        }
    }

    /// <summary>Members of zlib's at any setting, of blocks by chance, flushed and not, one within another.</summary>
    private static (byte[] Gzip, byte[] Content) AnyStream(int seed)
    {
        var choices = new Choices(seed);
        List<byte> gzip = [];
        List<byte> content = [];
        for (var member = choices.Next(4); member >= 0; member--)
        {
            var (deflate, data) = choices.Next(3) == 0 ? AnyBlocks(seed + member, choices) : Zlib(seed + member, choices);
            gzip.AddRange(GzipFiles.Member(deflate, data));
            content.AddRange(data);
        }

        return ([.. gzip], [.. content]);
    }

    private static (byte[] Deflate, byte[] Content) AnyBlocks(int seed, Choices choices)
    {
        var writer = new DeflateWriter();
        var content = new List<byte>();
        for (var block = choices.Next(12); block >= 0; block--)
        {
            RandomBlocks.Add(writer, choices, content, seed, last: block == 0);
        }

        return (writer.ToArray(), [.. content]);
    }

    private static (byte[] Deflate, byte[] Content) Zlib(int seed, Choices choices)
    {
        var length = choices.Next(400_000);
        var content = choices.Next(2) == 0 ? GzipFiles.Words(seed, length) : GzipFiles.Compressible(seed, length);
        content = choices.Next(4) == 0 ? GzipFiles.Compress(content) : content;
        var options = new ZLibCompressionOptions { CompressionLevel = choices.Next(10), CompressionStrategy = (ZLibCompressionStrategy)choices.Next(5) };
        return (Deflate(content, options, choices.Next(3) > 0 ? 1 + choices.Next(30_000) : content.Length + 1), content);
    }

    private static byte[] Compress(byte[] content, ZLibCompressionOptions options, int piece = 10_000) =>
        GzipFiles.Member(Deflate(content, options, piece), content);

    /// <summary>A block or more for each piece: left alone, zlib makes blocks that are longer than these tests' chunks.</summary>
    private static byte[] Deflate(byte[] content, ZLibCompressionOptions options, int piece)
    {
        using var to = new MemoryStream();
        using (var deflate = new DeflateStream(to, options, leaveOpen: true))
        {
            foreach (var part in content.Chunk(piece))
            {
                deflate.Write(part);
                deflate.Flush();
            }
        }

        return to.ToArray();
    }
}
