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

    [Test]
    [Category(Categories.Process), Category(Categories.Tools)]
    public void Zstd_that_ends_too_early_is_said_to_in_a_users_words()
    {
        var whole = Zstd.Compress(s_content);
        Assert.That(
            () => Decompression.Read(new MemoryStream(whole[..^1]), LayerCompression.Zstd, stream => stream.CopyTo(Stream.Null)),
            Throws.TypeOf<InvalidDataException>().With.Message.EqualTo(
                $"its zstd data is damaged or ends too early: it ends after {whole.Length - 1} bytes, within a frame"));
    }

    [TestCase(new byte[] { 0x1f, 0x8b, 8, 0 }, LayerCompression.Gzip)]
    [TestCase(new byte[] { 0x28, 0xb5, 0x2f, 0xfd }, LayerCompression.Zstd)]
    [TestCase(new byte[] { (byte)'F', (byte)'i', (byte)'l', (byte)'e' }, LayerCompression.None)]
    [TestCase(new byte[] { 0x1f }, LayerCompression.None)]
    [TestCase(new byte[] { }, LayerCompression.None)]
    public void Compression_is_told_by_the_first_bytes(byte[] start, LayerCompression expected) =>
        Assert.That(Decompression.Detect(start), Is.EqualTo(expected));

    private static byte[] Read(byte[] blob, LayerCompression compression)
    {
        using var to = new MemoryStream();
        Decompression.Read(new MemoryStream(blob), compression, stream => stream.CopyTo(to));
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
