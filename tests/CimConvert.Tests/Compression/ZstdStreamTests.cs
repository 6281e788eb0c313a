using CimConvert.Compression;
using CimConvert.Interop;
using CimConvert.TestKit;
using CimConvert.TestKit.Servers;
using CimConvert.Tests.Formats.Gzip;
using NUnit.Framework;

namespace CimConvert.Tests.Compression;

/// <summary>The same cases for every decoder; for the system's libzstd where the machine has it.</summary>
[TestFixture(nameof(LibzstdDecoder))]
[TestFixture(nameof(ZstdSharpDecoder))]
internal sealed class ZstdStreamTests(string decoder)
{
    private static readonly byte[] s_content = [.. SeededContent.Bytes(1, 300_000), .. GzipFiles.Words(1, 700_000)];
    private static readonly byte[] s_skippable = [0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3];

    /// <summary>Made of a raw block (RFC 8878, 3.1.1).</summary>
    private static readonly byte[] s_fourBytes = [0x28, 0xb5, 0x2f, 0xfd, 0x20, 4, (4 << 3) | 1, 0, 0, 1, 2, 3, 4];

    [SetUp]
    public void RequireLibzstd()
    {
        if (decoder == nameof(LibzstdDecoder) && !Libzstd.IsPresent)
        {
            Assert.Ignore("this machine has no libzstd");
        }
    }

    [Test]
    [Category(Categories.Process), Category(Categories.Tools)]
    public void A_frame_is_decompressed() => ByteAssert.Equal(s_content, Read(Zstd.Compress(s_content)));

    [Test]
    [Category(Categories.Process), Category(Categories.Tools)]
    public void Small_reads_get_the_same([Values(1, 7, 4096)] int size) =>
        ByteAssert.Equal(s_content, GzipFiles.ReadAll(Open(new MemoryStream(Zstd.Compress(s_content))), size));

    [Test]
    [Category(Categories.Process), Category(Categories.Tools)]
    public void Small_pieces_of_input_make_the_same([Values(1, 7, 4096)] int size) =>
        ByteAssert.Equal(s_content, GzipFiles.ReadAll(Open(new PiecewiseStream(Zstd.Compress(s_content), size)), 100_000));

    /// <summary>pzstd and "zstd:chunked" layers have many, and skippable ones between them.</summary>
    [Test]
    [Category(Categories.Process), Category(Categories.Tools)]
    public void Several_frames_are_read_to_the_end()
    {
        byte[] blob =
        [
            .. s_skippable, .. Zstd.Compress(s_content[..1000]), .. s_skippable, .. Zstd.Compress([]), .. Zstd.Compress(s_content[1000..]), .. s_skippable,
        ];
        ByteAssert.Equal(s_content, Read(blob));
        ByteAssert.Equal(s_content, GzipFiles.ReadAll(Open(new PiecewiseStream(blob, 3)), 7));
    }

    [Test]
    public void Skippable_frames_alone_are_no_bytes() => Assert.That(Read([.. s_skippable, .. s_skippable]), Is.Empty);

    [TestCase(1)]
    [TestCase(4)]
    [TestCase(5)]
    [TestCase(1000)]
    [TestCase(200_000)]
    [Category(Categories.Process), Category(Categories.Tools)]
    public void A_truncated_frame_is_refused(int missing)
    {
        var whole = Zstd.Compress(s_content);
        AssertRefused(whole[..^missing], $"it ends after {whole.Length - missing} bytes, within a frame");
    }

    [Test]
    public void A_truncated_skippable_frame_is_refused() => AssertRefused([.. s_fourBytes, .. s_skippable[..^1]], "it ends after 23 bytes, within a frame");

    [Test]
    public void Nothing_at_all_is_refused() => AssertRefused([], "it ends after 0 bytes, within a frame");

    [Test]
    public void Anything_else_behind_a_frame_is_refused([Values(1, 3, 4, 100)] int zeros) =>
        Assert.That(() => Read([.. s_fourBytes, .. new byte[zeros]]), Throws.TypeOf<InvalidDataException>());

    [Test]
    [Category(Categories.Process), Category(Categories.Tools)]
    public void A_wrong_checksum_is_refused()
    {
        var damaged = Zstd.Compress(s_content);
        damaged[^1] ^= 1;
        Assert.That(() => Read(damaged), Throws.TypeOf<InvalidDataException>().With.Message.StartsWith("Restored data doesn't match checksum at or after byte "));
    }

    [Test]
    public void A_block_of_the_reserved_type_is_refused() =>
        AssertRefused([0x28, 0xb5, 0x2f, 0xfd, 0x20, 4, (4 << 3) | 7, 0, 0, 1, 2, 3, 4], "Data corruption detected at or after byte 0");

    /// <summary>A frame may ask for a window of up to 3.75 TiB (RFC 8878, 3.1.1.1.2); up to 128 MiB are granted.</summary>
    [TestCase(17 << 3, true)]
    [TestCase((17 << 3) | 1, false)]
    [TestCase(18 << 3, false)]
    [TestCase(255, false)]
    public void The_window_is_limited(byte window, bool isGranted)
    {
        byte[] frame = [0x28, 0xb5, 0x2f, 0xfd, 0x00, window, 1, 0, 0];
        if (isGranted)
        {
            Assert.That(Read(frame), Is.Empty);
        }
        else
        {
            AssertRefused(frame, "Frame requires too much memory for decoding at or after byte 0");
        }
    }

    [Test]
    public void After_disposal_nothing_is_read()
    {
        var stream = Open(new MemoryStream(s_fourBytes));
        stream.Dispose();
        stream.Dispose();
        Assert.That(() => stream.ReadByte(), Throws.TypeOf<ObjectDisposedException>());
    }

    private void AssertRefused(byte[] blob, string error) => Assert.That(() => Read(blob), Throws.TypeOf<InvalidDataException>().With.Message.EqualTo(error));

    private byte[] Read(byte[] blob)
    {
        using var stream = Open(new MemoryStream(blob));
        return GzipFiles.ReadAll(stream, 100_000);
    }

    private ZstdStream Open(Stream blob) => new(blob, decoder == nameof(LibzstdDecoder) ? new LibzstdDecoder() : new ZstdSharpDecoder());
}
