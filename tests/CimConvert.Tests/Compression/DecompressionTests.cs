using System.IO.Compression;
using CimConvert.Compression;
using CimConvert.Oci;
using CimConvert.TestKit;
using CimConvert.TestKit.Servers;
using NUnit.Framework;

namespace CimConvert.Tests.Compression;

internal sealed class DecompressionTests
{
    private static readonly byte[] s_content = SeededContent.Bytes(1, 300_000);

    [Test]
    public void Plain_bytes_pass_through() => Assert.That(Read(s_content, LayerCompression.None), Is.EqualTo(s_content));

    [Test]
    public void Gzip_is_decompressed() => Assert.That(Read(Gzip(s_content), LayerCompression.Gzip), Is.EqualTo(s_content));

    [Test]
    public void Gzip_of_several_members_is_read_to_its_end() =>
        Assert.That(Read([.. Gzip(s_content[..1000]), .. Gzip(s_content[1000..])], LayerCompression.Gzip), Is.EqualTo(s_content));

    [Test]
    public void Gzip_that_ends_too_early_is_said_to_in_a_users_words()
    {
        var cut = Gzip(s_content)[..^9];
        Assert.That(
            () => Decompression.Read(new MemoryStream(cut), LayerCompression.Gzip, stream => stream.CopyTo(Stream.Null)),
            Throws.TypeOf<InvalidDataException>().With.Message.EqualTo(
                $"its gzip data is damaged or ends too early: the stream ends at byte {cut.Length}, inside a member"));
    }

    [Test]
    public void Bytes_after_the_gzip_are_an_error()
    {
        byte[] followed = [.. Gzip(s_content), 0];
        Assert.That(
            () => Decompression.Read(new MemoryStream(followed), LayerCompression.Gzip, stream => stream.CopyTo(Stream.Null)),
            Throws.TypeOf<InvalidDataException>().With.Message.Contains($"bytes that are no gzip follow the last member, at byte {followed.Length - 1}"));
    }

    [Test]
    [Category(Categories.Process), Category(Categories.Tools)]
    public void Zstd_is_decompressed() => Assert.That(Read(Zstd.Compress(s_content), LayerCompression.Zstd), Is.EqualTo(s_content));

    /// <summary>pzstd and "zstd:chunked" layers have many, and skippable ones between them.</summary>
    [Test]
    [Category(Categories.Process), Category(Categories.Tools)]
    public void Zstd_of_several_frames_is_read_to_its_end()
    {
        byte[] skippable = [0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3];
        byte[] blob = [.. skippable, .. Zstd.Compress(s_content[..1000]), .. skippable, .. Zstd.Compress([]), .. Zstd.Compress(s_content[1000..]), .. skippable];
        Assert.That(Read(blob, LayerCompression.Zstd), Is.EqualTo(s_content));
        Assert.That(Read(blob, LayerCompression.Zstd, bufferSize: 7), Is.EqualTo(s_content));
    }

    [TestCase(1)]
    [TestCase(4)]
    [TestCase(5)]
    [TestCase(1000)]
    [TestCase(200_000)]
    [Category(Categories.Process), Category(Categories.Tools)]
    public void Zstd_that_ends_too_early_is_an_error(int missing)
    {
        var whole = Zstd.Compress(s_content);
        Assert.That(() => Read(whole[..^missing], LayerCompression.Zstd), Throws.TypeOf<InvalidDataException>().With.Message.Contains("within a frame"));
    }

    [Test]
    public void Nothing_at_all_is_no_zstd() => Assert.That(() => Read([], LayerCompression.Zstd), Throws.TypeOf<InvalidDataException>());

    [TestCase(1)]
    [TestCase(3)]
    [TestCase(4)]
    [TestCase(100)]
    [Category(Categories.Process), Category(Categories.Tools)]
    public void Zstd_followed_by_anything_else_is_an_error(int garbage) => Assert.That(
        () => Read([.. Zstd.Compress(s_content), .. new byte[garbage]], LayerCompression.Zstd), Throws.TypeOf<InvalidDataException>());

    [Test]
    [Category(Categories.Process), Category(Categories.Tools)]
    public void Zstd_with_a_wrong_checksum_is_an_error()
    {
        var damaged = Zstd.Compress(s_content);
        damaged[^1] ^= 1;
        Assert.That(() => Read(damaged, LayerCompression.Zstd), Throws.TypeOf<InvalidDataException>().With.Message.Contains("checksum"));
    }

    /// <summary>A frame may ask for a window of up to 3.75 TiB (RFC 8878, 3.1.1.1.2); what it gets is bounded.</summary>
    [Test]
    public void Zstd_that_asks_for_a_huge_window_is_an_error()
    {
        byte[] frame = [0x28, 0xb5, 0x2f, 0xfd, 0x00, 18 << 3, 1, 0, 0];
        Assert.That(() => Read(frame, LayerCompression.Zstd), Throws.TypeOf<InvalidDataException>().With.Message.Contains("memory"));
    }

    [TestCase(new byte[] { 0x1f, 0x8b, 8, 0 }, LayerCompression.Gzip)]
    [TestCase(new byte[] { 0x28, 0xb5, 0x2f, 0xfd }, LayerCompression.Zstd)]
    [TestCase(new byte[] { (byte)'F', (byte)'i', (byte)'l', (byte)'e' }, LayerCompression.None)]
    [TestCase(new byte[] { 0x1f }, LayerCompression.None)]
    [TestCase(new byte[] { }, LayerCompression.None)]
    public void Compression_is_told_by_the_first_bytes(byte[] start, LayerCompression expected) =>
        Assert.That(Decompression.Detect(start), Is.EqualTo(expected));

    private static byte[] Read(byte[] blob, LayerCompression compression, int bufferSize = 81920)
    {
        using var stream = Decompression.Open(new MemoryStream(blob), compression);
        using var to = new MemoryStream();
        stream.CopyTo(to, bufferSize);
        return to.ToArray();
    }

    private static byte[] Gzip(byte[] content)
    {
        using var compressed = new MemoryStream();
        using (var gzip = new GZipStream(compressed, CompressionLevel.Fastest, leaveOpen: true))
        {
            gzip.Write(content);
        }

        return compressed.ToArray();
    }
}
