using System.IO.Compression;
using Converter.Core.Compression;
using Converter.Core.Oci;
using Converter.TestKit;
using NUnit.Framework;

namespace Converter.Tests.Compression;

public class DecompressionTests
{
    private static readonly byte[] s_content = SeededContent.Bytes(1, 300_000);

    [Test]
    public void Plain_bytes_pass_through() => Assert.That(Read(s_content, LayerCompression.None), Is.EqualTo(s_content));

    [Test]
    public void Gzip_is_decompressed() => Assert.That(Read(Gzip(s_content), LayerCompression.Gzip), Is.EqualTo(s_content));

    [Test]
    public void Gzip_of_several_members_is_read_to_its_end() =>
        Assert.That(Read([.. Gzip(s_content[..1000]), .. Gzip(s_content[1000..])], LayerCompression.Gzip), Is.EqualTo(s_content));

    /// <summary>The runtime takes all of these for whole streams unless it is told not to.</summary>
    [TestCase(1)]
    [TestCase(4)]
    [TestCase(8)]
    [TestCase(9)]
    [TestCase(1000)]
    [TestCase(200_000)]
    public void Gzip_that_ends_too_early_is_an_error(int missing)
    {
        var whole = Gzip(s_content);
        Assert.That(() => Read(whole[..^missing], LayerCompression.Gzip), Throws.TypeOf<InvalidDataException>());
    }

    [Test]
    public void Gzip_with_a_wrong_checksum_is_an_error()
    {
        var damaged = Gzip(s_content);
        damaged[^6] ^= 1;
        Assert.That(() => Read(damaged, LayerCompression.Gzip), Throws.TypeOf<InvalidDataException>());
    }

    [Test]
    public void Zstd_is_refused_by_name() =>
        Assert.That(() => Read(s_content, LayerCompression.Zstd), Throws.TypeOf<InvalidDataException>().With.Message.Contains("Zstd"));

    [TestCase(new byte[] { 0x1f, 0x8b, 8, 0 }, LayerCompression.Gzip)]
    [TestCase(new byte[] { 0x28, 0xb5, 0x2f, 0xfd }, LayerCompression.Zstd)]
    [TestCase(new byte[] { (byte)'F', (byte)'i', (byte)'l', (byte)'e' }, LayerCompression.None)]
    [TestCase(new byte[] { 0x1f }, LayerCompression.None)]
    [TestCase(new byte[] { }, LayerCompression.None)]
    public void Compression_is_told_by_the_first_bytes(byte[] start, LayerCompression expected) =>
        Assert.That(Decompression.Detect(start), Is.EqualTo(expected));

    private static byte[] Read(byte[] blob, LayerCompression compression)
    {
        using var stream = Decompression.Open(new MemoryStream(blob), compression);
        using var to = new MemoryStream();
        stream.CopyTo(to);
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
