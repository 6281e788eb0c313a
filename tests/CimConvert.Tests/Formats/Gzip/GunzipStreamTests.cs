using System.Buffers.Binary;
using System.IO.Compression;
using CimConvert.Formats.Gzip;
using CimConvert.TestKit;
using NUnit.Framework;

namespace CimConvert.Tests.Formats.Gzip;

/// <summary>Members, their headers and trailers, and how the bytes come and go.</summary>
public class GunzipStreamTests
{
    private static readonly byte[] s_content = GzipFiles.Compressible(1, 300_000);
    private static readonly byte[] s_text = "some text, some more text"u8.ToArray();

    [Test]
    public void What_the_runtime_compresses_is_read([Values] CompressionLevel level, [Values(1, 65_536, 1_000_000)] int length)
    {
        var content = GzipFiles.Compressible(2, length);
        ByteAssert.Equal(content, GzipFiles.Read(GzipFiles.Compress(content, level)));
    }

    [Test]
    public void Pieces_of_any_size_come_in_and_go_out([Values(1, 2, 7, 63, 64, 65, 4096, 65_537)] int pieceSize, [Values(1, 33, 4095, 262_144)] int bufferSize)
    {
        var content = s_content[..40_000];
        byte[] gzip = [.. GzipFiles.Compress(content), .. GzipFiles.Empty, .. GzipFiles.Compress(content, CompressionLevel.NoCompression)];
        ByteAssert.Equal((byte[])[.. content, .. content], GzipFiles.Read(new PiecewiseStream(gzip, pieceSize), bufferSize));
    }

    [Test]
    public void A_member_may_be_empty() => Assert.That(GzipFiles.Read(GzipFiles.Empty), Is.Empty);

    [Test]
    public void An_empty_buffer_takes_nothing()
    {
        using var stream = new GunzipStream(new MemoryStream(GzipFiles.Compress(s_text)));
        Assert.That(stream.Read([]), Is.Zero);
        Assert.That(stream.Read(new byte[100]), Is.EqualTo(s_text.Length));
    }

    [Test]
    public void Many_members_are_one_stream()
    {
        var members = Enumerable.Range(0, 500).Select(i => s_content[(i * 600)..((i * 600) + 1 + (i % 7 * 100))]).ToArray();
        byte[] gzip = [.. members.SelectMany(m => (byte[])[.. GzipFiles.Compress(m), .. GzipFiles.Empty])];
        ByteAssert.Equal(members.SelectMany(m => m).ToArray(), GzipFiles.Read(gzip));
    }

    [Test]
    public void A_match_does_not_reach_into_the_member_before()
    {
        byte[] gzip = [.. GzipFiles.Compress(s_text), .. GzipFiles.Member(new DeflateWriter().Fixed(last: true).Match(5, 4).End().ToArray(), s_text[..5])];
        Refused(gzip, "a distance beyond the start of the data");
    }

    private static IEnumerable<TestCaseData> Garbage()
    {
        yield return new TestCaseData(new byte[] { 0 }) { TestName = "A_zero_after_the_end" };
        yield return new TestCaseData(new byte[512]) { TestName = "Padding_after_the_end" };
        yield return new TestCaseData("PK\u0003\u0004"u8.ToArray()) { TestName = "Another_format_after_the_end" };
        yield return new TestCaseData(new byte[] { 0x1f, 0x8a, 8, 0 }) { TestName = "Nearly_a_member_after_the_end" };
        yield return new TestCaseData(SeededContent.Bytes(1, 200_000)) { TestName = "Much_after_the_end" };
    }

    [TestCaseSource(nameof(Garbage))]
    public void What_follows_the_last_member_is_refused(byte[] garbage)
    {
        var gzip = GzipFiles.Compress(s_text);
        Refused([.. gzip, .. garbage], $"bytes that are no gzip follow the last member, at byte {gzip.Length}");
    }

    [Test]
    public void Nothing_is_no_gzip() => Refused([], "the stream ends at byte 0, inside a member");

    [Test]
    public void Another_format_is_no_gzip() => Refused("not gzip at all"u8.ToArray(), "no gzip starts at byte 0");

    [Test]
    public void Every_truncation_is_found()
    {
        var first = GzipFiles.Compress(s_text);
        byte[] gzip = [.. first, .. GzipFiles.Member(DeflatedText(), s_text, Header(0x1e, "\u0005\0extra"u8, "name\0"u8, "comment\0"u8, checksum: true))];
        for (var length = 0; length < gzip.Length; length++)
        {
            if (length != first.Length)
            {
                Refused(gzip[..length], $"the stream ends at byte {length}, inside a member");
            }
        }

        Assert.That(GzipFiles.Read(gzip), Is.EqualTo((byte[])[.. s_text, .. s_text]));
    }

    /// <summary>Of the header's time, system and the like nothing depends, nor of the bits between the data and the next byte.</summary>
    [Test]
    public void Every_flipped_bit_is_found_or_says_nothing()
    {
        const int MayChange = 1 + (6 * 8) + 7;
        var gzip = GzipFiles.Compress(s_text);
        var taken = 0;
        for (var bit = 0; bit < gzip.Length * 8; bit++)
        {
            var damaged = gzip.ToArray();
            damaged[bit / 8] ^= (byte)(1 << (bit % 8));
            try
            {
                Assert.That(GzipFiles.Read(damaged), Is.EqualTo(s_text), $"bit {bit}");
                taken++;
            }
            catch (InvalidDataException)
            {
            }
        }

        Assert.That(taken, Is.InRange(MayChange - 7, MayChange));
    }

    [Test]
    public void A_wrong_checksum_and_a_wrong_length_are_named()
    {
        var gzip = GzipFiles.Compress(s_text);
        gzip[^8] ^= 1;
        Refused(gzip, "a checksum of ");
        gzip[^8] ^= 1;
        gzip[^1] = 1;
        Refused(gzip, $"a length of {s_text.Length + (1 << 24)} where the data has {s_text.Length} at byte {gzip.Length}");
    }

    [TestCase(0)]
    [TestCase(1)]
    [TestCase(0x04)]
    [TestCase(0x08)]
    [TestCase(0x10)]
    [TestCase(0x02)]
    [TestCase(0x1f)]
    public void All_header_fields_are_read(int flags)
    {
        var header = Header(flags, "\u0005\0extra"u8, "name\0"u8, "comment\0"u8, checksum: true);
        Assert.That(GzipFiles.Read(GzipFiles.Member(DeflatedText(), s_text, header)), Is.EqualTo(s_text));
    }

    [TestCase(0x20)]
    [TestCase(0x40)]
    [TestCase(0x80)]
    public void Reserved_flags_are_refused(int flag) =>
        Refused(GzipFiles.Member(DeflatedText(), s_text, Header(flag, [], [], [], checksum: false)), $"reserved flags (0x{flag:x2})");

    [Test]
    public void Another_method_is_refused()
    {
        var gzip = GzipFiles.Compress(s_text);
        gzip[2] = 7;
        Refused(gzip, "the unknown compression method 7");
    }

    [Test]
    public void A_wrong_header_checksum_is_refused()
    {
        var header = Header(0x02, [], [], [], checksum: true);
        header[^1] ^= 1;
        Refused(GzipFiles.Member(DeflatedText(), s_text, header), "a header checksum of ");
    }

    [TestCase(0x08, "name")]
    [TestCase(0x10, "comment")]
    public void Header_text_has_a_bound(int flag, string what)
    {
        byte[] text = [.. Enumerable.Repeat((byte)'x', MemberHeader.MaxTextBytes), 0];
        Assert.That(GzipFiles.Read(GzipFiles.Member(DeflatedText(), s_text, Header(flag, [], text, text, checksum: false))), Is.EqualTo(s_text));
        text = [(byte)'x', .. text];
        Refused(
            GzipFiles.Member(DeflatedText(), s_text, Header(flag, [], text, text, checksum: false)),
            $"a {what} longer than {MemberHeader.MaxTextBytes} bytes");
    }

    [Test]
    public void An_extra_field_may_be_as_long_as_its_length_says()
    {
        byte[] extra = [0xff, 0xff, .. new byte[0xffff]];
        Assert.That(GzipFiles.Read(GzipFiles.Member(DeflatedText(), s_text, Header(0x04, extra, [], [], checksum: false))), Is.EqualTo(s_text));
    }

    [Test]
    public void What_was_damaged_stays_damaged()
    {
        var gzip = GzipFiles.Compress(s_content);
        gzip[^5] ^= 1;
        using var stream = new GunzipStream(new MemoryStream(gzip));
        var first = Assert.Throws<InvalidDataException>(() => stream.CopyTo(Stream.Null));
        Assert.That(() => stream.Read(new byte[10]), Throws.TypeOf<InvalidDataException>().With.Message.EqualTo(first!.Message));
    }

    [Test]
    public void The_end_stays_the_end()
    {
        using var stream = new GunzipStream(new MemoryStream(GzipFiles.Compress(s_text)));
        stream.CopyTo(Stream.Null);
        Assert.That(stream.Read(new byte[10]), Is.Zero);
    }

    [Test]
    public void A_closed_stream_says_so_and_leaves_the_compressed_one_open()
    {
        using var compressed = new MemoryStream(GzipFiles.Compress(s_text));
        var stream = new GunzipStream(compressed);
        stream.Dispose();
        stream.Dispose();
        Assert.That(() => stream.Read(new byte[10]), Throws.TypeOf<ObjectDisposedException>());
        Assert.That(compressed.CanRead, Is.True);
    }

    [Test]
    public void Reading_allocates_nothing()
    {
        var gzip = GzipFiles.Compress(s_content);
        using var stream = new GunzipStream(new MemoryStream([.. gzip, .. gzip, .. gzip, .. gzip]));
        var buffer = new byte[1000];
        stream.ReadExactly(buffer);
        var before = GC.GetAllocatedBytesForCurrentThread();
        while (stream.Read(buffer) > 0)
        {
        }

        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.LessThan(1000));
    }

    private static byte[] DeflatedText() => Deflates.Compress(s_text, new ZLibCompressionOptions { CompressionLevel = 6 });

    /// <summary>A header with those of the fields that the flags announce.</summary>
    private static byte[] Header(int flags, ReadOnlySpan<byte> extra, ReadOnlySpan<byte> name, ReadOnlySpan<byte> comment, bool checksum)
    {
        List<byte> header = [0x1f, 0x8b, 8, (byte)flags, 1, 2, 3, 4, 2, 3];
        header.AddRange((flags & 0x04) != 0 ? extra : []);
        header.AddRange((flags & 0x08) != 0 ? name : []);
        header.AddRange((flags & 0x10) != 0 ? comment : []);
        if (checksum && (flags & 0x02) != 0)
        {
            var field = new byte[2];
            BinaryPrimitives.WriteUInt16LittleEndian(field, (ushort)GzipFiles.Crc32([.. header]));
            header.AddRange(field);
        }

        return [.. header];
    }

    private static void Refused(byte[] gzip, string message) =>
        Assert.That(() => GzipFiles.Read(gzip), Throws.TypeOf<InvalidDataException>().With.Message.Contain(message));
}
