using CimConvert.Formats.Binary;
using CimConvert.TestKit;
using CimConvert.Tests.Formats.BlockFile;
using NUnit.Framework;

namespace CimConvert.Tests.Formats.Binary;

internal sealed class ReadersTests
{
    [TestCase(0, 8, 0)]
    [TestCase(1, 8, 8)]
    [TestCase(8, 8, 8)]
    [TestCase(4097, 4096, 8192)]
    public void Rounding_goes_up(long value, int alignment, long expected) =>
        Assert.That(Align.Up(value, alignment), Is.EqualTo(expected));

    [TestCase(-1, 1)]
    [TestCase(10, 1)]
    [TestCase(9, 2)]
    [TestCase(11, 0)]
    [TestCase(0, 11)]
    [TestCase(long.MaxValue, 1)]
    public void Ranges_outside_are_refused(long offset, int count) =>
        Assert.That(() => new MemoryReader(new byte[10]).ReadAt(offset, new byte[count]), Throws.TypeOf<InvalidDataException>());

    [Test]
    public void Fields_end_where_the_bytes_do()
    {
        var reader = new SpanReader([1, 2, 3]);
        Assert.That(reader.U16(), Is.EqualTo(0x0201));
        Assert.That(() => new SpanReader([3]).U16(), Throws.TypeOf<InvalidDataException>());
        Assert.That(() => new SpanReader([3]).Bytes(-1).Length, Throws.TypeOf<InvalidDataException>());
    }

    [Test]
    public void A_cache_gives_what_is_below_it()
    {
        var bytes = SeededContent.Bytes(1, (300 * ChunkCache.ChunkSize) + 77);
        using var cache = new ChunkCache(new MemoryReader(bytes));
        var random = new Random(1);
        for (var i = 0; i < 3000; i++)
        {
            var at = random.Next(bytes.Length);
            var read = new byte[Math.Min(random.Next(100_000), bytes.Length - at)];
            cache.ReadAt(at, read);
            Assert.That(read.AsSpan().SequenceEqual(bytes.AsSpan(at, read.Length)), Is.True, $"{read.Length} bytes at {at}");
        }
    }

    [Test]
    public void A_read_that_failed_leaves_no_wrong_chunk_behind()
    {
        var bytes = SeededContent.Bytes(1, (ChunkCache.MaxChunks + 1) * ChunkCache.ChunkSize);
        using var cache = new ChunkCache(new FailingReader(bytes, ChunkCache.MaxChunks * ChunkCache.ChunkSize));
        var one = new byte[1];

        // All chunks in, then the oldest again, so that it is the one at hand when its array is taken for the chunk that fails.
        for (var chunk = 0; chunk < ChunkCache.MaxChunks; chunk++)
        {
            cache.ReadAt(chunk * ChunkCache.ChunkSize, one);
        }

        cache.ReadAt(0, one);
        Assert.That(() => cache.ReadAt(ChunkCache.MaxChunks * ChunkCache.ChunkSize, new byte[1]), Throws.TypeOf<InvalidDataException>());
        cache.ReadAt(0, one);
        Assert.That(one[0], Is.EqualTo(bytes[0]));
    }

    /// <summary>Fills what it is given with something else before it fails, as a checked reader may.</summary>
    private sealed class FailingReader(byte[] bytes, long failsAt) : IRandomReader
    {
        public long Length => bytes.Length;

        public void ReadAt(long offset, Span<byte> destination)
        {
            if (offset == failsAt)
            {
                destination.Fill((byte)~bytes[0]);
                throw new InvalidDataException("damaged");
            }

            bytes.AsSpan((int)offset, destination.Length).CopyTo(destination);
        }

        public void Dispose()
        {
        }
    }
}
