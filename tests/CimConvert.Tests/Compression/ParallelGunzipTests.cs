using CimConvert.Compression;
using CimConvert.Formats.Binary;
using CimConvert.TestKit;
using CimConvert.Tests.Formats.Gzip;
using NUnit.Framework;

namespace CimConvert.Tests.Compression;

public class ParallelGunzipTests
{
    private static readonly byte[] s_content = GzipFiles.Words(1, 3_000_000);
    private static readonly byte[] s_gzip = GzipFiles.Compress(s_content, System.IO.Compression.CompressionLevel.Optimal);

    [Test]
    public void Any_number_of_threads_reads_the_same([Values(1, 2, 5)] int workers)
    {
        byte[]? content = null;
        Read(new MemoryStream(s_gzip), workers, stream => content = GzipFiles.ReadAll(stream, 50_000));
        ByteAssert.Equal(s_content, content);
    }

    [Test]
    public void Damage_is_refused_as_by_one_thread([Values(1, 3)] int workers)
    {
        var gzip = s_gzip.ToArray();
        gzip[gzip.Length / 2] ^= 0x10;
        var expected = Assert.Throws<InvalidDataException>(() => GzipFiles.Read(gzip))!.Message;
        Assert.That(
            () => Read(new MemoryStream(gzip), workers, stream => stream.CopyTo(Stream.Null)),
            Throws.TypeOf<InvalidDataException>().With.Message.EqualTo(expected));
    }

    [Test]
    public void What_fails_below_comes_through()
    {
        var read = 0L;
        Assert.That(
            () => Read(new FailingStream(s_gzip, s_gzip.Length / 2), 2, stream => Count(stream, ref read)),
            Throws.TypeOf<IOException>().With.Message.EqualTo("the line broke"));
        Assert.That(read, Is.GreaterThan(100_000));
    }

    [Test]
    public void A_reader_that_gives_up_ends_it()
    {
        using var compressed = new MemoryStream(s_gzip);
        Read(compressed, 2, stream => stream.ReadExactly(new byte[1000]));
        Assert.That(compressed.Position, Is.LessThan(s_gzip.Length), "no more than a few chunks ahead");
    }

    [Test]
    public void Cancelling_ends_the_wait_for_bytes()
    {
        using var cancel = new CancellationTokenSource();
        using var waits = new WaitingStream(cancel.Token);
        cancel.CancelAfter(10);
        Assert.That(
            () => ParallelGunzip.Read(waits, 2, ChunkedGzip.Sizes(30_000), stream => stream.ReadByte(), cancel.Token),
            Throws.InstanceOf<OperationCanceledException>());
    }

    [TestCase(1L << 30, 8, 1, 6)]
    [TestCase(1L << 30, 4, 1, 3)]
    [TestCase(1L << 30, 4, 2, 0)]
    [TestCase(1L << 30, 3, 1, 0)]
    [TestCase(1L << 30, 2, 1, 0)]
    [TestCase(1L << 30, 64, 1, 6)]
    [TestCase(1L << 30, 64, 6, 6)]
    [TestCase(1L << 30, 16, 6, 2)]
    [TestCase(ParallelGunzip.MinCompressedSize, 8, 1, 6)]
    [TestCase(ParallelGunzip.MinCompressedSize - 1, 8, 1, 0)]
    public void Workers_are_as_many_as_cores_are_free(long size, int processors, int layers, int workers) =>
        Assert.That(ParallelGunzip.WorkersFor(size, processors, layers), Is.EqualTo(workers));

    private static void Read(Stream compressed, int workers, Action<Stream> read) =>
        ParallelGunzip.Read(compressed, workers, ChunkedGzip.Sizes(100_000, 100_000), read, CancellationToken.None);

    private static void Count(Stream stream, ref long total)
    {
        var buffer = new byte[10_000];
        for (int count; (count = stream.Read(buffer)) > 0;)
        {
            total += count;
        }
    }

    private sealed class FailingStream(byte[] bytes, int length) : ForwardStream
    {
        private int _at;

        public override int Read(Span<byte> buffer)
        {
            var count = Math.Min(buffer.Length, length - _at);
            if (count == 0)
            {
                throw new IOException("the line broke");
            }

            bytes.AsSpan(_at, count).CopyTo(buffer);
            _at += count;
            return count;
        }
    }

    /// <summary>As a download's channel: ends with the cancellation, and not before.</summary>
    private sealed class WaitingStream(CancellationToken cancellationToken) : ForwardStream
    {
        public override int Read(Span<byte> buffer)
        {
            cancellationToken.WaitHandle.WaitOne();
            throw new OperationCanceledException(cancellationToken);
        }
    }
}
