using System.Text;
using CimConvert.Formats.Tar;
using NUnit.Framework;

namespace CimConvert.Tests.Formats.Tar;

/// <summary>Every way an archive can be wrong ends in one error that says where; limits hold on both sides.</summary>
internal sealed class TarReaderHostileTests
{
    [Test]
    public void A_wrong_checksum_names_the_offset()
    {
        var tar = new TarBuilder().Add("a", data: new byte[1]).Add("b").End().ToArray();
        tar[1024] ^= 1;
        Assert.That(Fails(tar), Does.StartWith("tar header at offset 1024: a wrong header checksum"));
    }

    [TestCase(100, "inside a header")]
    [TestCase(511, "inside a header")]
    [TestCase(513, "bytes before the end of the entry's data")]
    [TestCase(1000, "bytes before the end of the entry's data")]
    [TestCase(1536, "bytes before the end of the entry's data", Description = "in the padding")]
    [TestCase(2047, "bytes before the end of the entry's data", Description = "in the padding")]
    public void A_cut_stream_is_an_error(int length, string expected) =>
        Assert.That(Fails(new TarBuilder().Add("a", data: new byte[1024 + 1]).ToArray()[..length]), Does.Contain(expected));

    [TestCase('S', "sparse")]
    [TestCase('M', "unknown type 'M'")]
    [TestCase('V', "unknown type 'V'")]
    [TestCase('X', "unknown type 'X'")]
    [TestCase('\x01', "unknown type 0x01")]
    public void Types_that_are_not_supported_are_named(char type, string expected) =>
        Assert.That(Fails(new TarBuilder().Add("a").Add("b", type)), Does.Contain("at offset 512").And.Contain(expected));

    [Test]
    public void Sparse_files_in_pax_clothes_are_refused() =>
        Assert.That(Fails(new TarBuilder().Add("a", pax: [("GNU.sparse.major", "1")])), Does.Contain("sparse"));

    [TestCase("5 a=\n", null)]
    [TestCase("6 a=b\n", null)]
    [TestCase("7 a=b\n", "wrong length")]
    [TestCase("5 a=b\n", "not 'keyword=value'")]
    [TestCase("6 =ab\n", "not 'keyword=value'")]
    [TestCase("6 abc\n", "not 'keyword=value'")]
    [TestCase("6 a=bc", "not 'keyword=value'")]
    [TestCase("-6 a=b\n", "wrong length")]
    [TestCase("+6 a=b\n", "wrong length")]
    [TestCase(" 6 a=b\n", "wrong length")]
    [TestCase("0 a=b\n", "wrong length")]
    [TestCase("2 a=b\n", "wrong length")]
    [TestCase("3 \n", "wrong length")]
    [TestCase("99999999999999999999 a=b\n", "wrong length")]
    [TestCase("6", "wrong length")]
    [TestCase("6 a=b\n\0", "wrong length")]
    public void Pax_records_keep_to_their_form(string records, string? wrong)
    {
        var tar = new TarBuilder().Pax('x', records).Add("a").End();
        AssertReads(tar, wrong);
    }

    [TestCase(PaxRecords.MaxBytes, true)]
    [TestCase(PaxRecords.MaxBytes + 1, false)]
    public void Pax_headers_have_a_largest_size(int size, bool fits)
    {
        var value = new string('v', size - "1048576 k=\n".Length);
        var tar = new TarBuilder().Pax('x', ("k", value)).Add("a").End();
        AssertReads(tar, fits ? null : $"{size} bytes, more than {PaxRecords.MaxBytes}");
    }

    [Test]
    public void Global_headers_share_one_limit()
    {
        var half = ("k", new string('v', PaxRecords.MaxBytes / 2));
        Assert.That(Fails(new TarBuilder().Pax('g', half).Add("a").Pax('g', half).Add("b")), Does.Contain("an extended header of"));
    }

    [TestCase(PaxRecords.MaxCount, true)]
    [TestCase(PaxRecords.MaxCount + 1, false)]
    public void Pax_headers_have_a_largest_count(int count, bool fits)
    {
        var tar = new TarBuilder().Pax('x', string.Concat(Enumerable.Repeat("6 a=b\n", count))).Add("a").End();
        AssertReads(tar, fits ? null : $"more than {PaxRecords.MaxCount} PAX records");
    }

    [TestCase(TarReader.MaxLongNameBytes, true)]
    [TestCase(TarReader.MaxLongNameBytes + 1, false)]
    public void Gnu_long_names_have_a_largest_size(int size, bool fits)
    {
        var tar = new TarBuilder().Header("l"u8, 'L', size).Data(Encoding.ASCII.GetBytes(new string('n', size))).Add("a").End();
        AssertReads(tar, fits ? null : "an extended header of");
    }

    [Test]
    public void A_huge_stated_extension_is_refused_before_any_memory_is_taken() =>
        Assert.That(Fails(new TarBuilder().Header("x"u8, 'x', 8_000_000_000)), Does.Contain("8000000000 bytes"));

    [TestCase("path")]
    [TestCase("linkpath")]
    [TestCase("size")]
    public void Global_headers_may_not_name_or_measure_entries(string keyword) =>
        Assert.That(Fails(new TarBuilder().Pax('g', (keyword, "1")).Add("a")), Does.Contain("global extended header"));

    [Test]
    public void Extended_headers_need_their_entry()
    {
        Assert.That(Fails(new TarBuilder().Pax('x', ("a", "b")).End()), Does.Contain("without the entry"));
        Assert.That(Fails(new TarBuilder().Pax('x', ("a", "b"))), Does.Contain("without the entry"));
        Assert.That(Fails(new TarBuilder().Header("l"u8, 'L', 1).Data("n"u8)), Does.Contain("without the entry"));
        Assert.That(Fails(new TarBuilder().Pax('x', ("a", "b")).Pax('x', ("a", "b")).Add("a")), Does.Contain("a second extended header"));
        var twice = new TarBuilder().Header("l"u8, 'K', 1).Data("n"u8).Header("l"u8, 'K', 1).Data("n"u8).Add("a");
        Assert.That(Fails(twice), Does.Contain("a second long name"));
    }

    [TestCase("path", "a\0b", "NUL")]
    [TestCase("size", "-1", "PAX size")]
    [TestCase("size", "9223372036854775808", "PAX size")]
    [TestCase("size", "1x", "PAX size")]
    public void Pax_values_the_reader_needs_are_checked(string keyword, string value, string wrong) =>
        Assert.That(Fails(new TarBuilder().Add("a", pax: [(keyword, value)])), Does.Contain(wrong));

    [Test]
    public void Names_must_be_utf8()
    {
        Assert.That(Fails(new TarBuilder().Header([(byte)'a', 0xff], '0', 0)), Does.Contain("a name that is not UTF-8"));
        Assert.That(Fails(new TarBuilder().Header("a"u8, '2', 0, [0xc0, 0x80])), Does.Contain("a link name that is not UTF-8"));
        Assert.That(Fails(new TarBuilder().Header("l"u8, 'L', 1).Data([0x80]).Add("a")), Does.Contain("a long name that is not UTF-8"));
        byte[] record = [.. "12 path=a"u8, 0xed, 0xa0, (byte)'\n'];
        Assert.That(Fails(new TarBuilder().Header("x"u8, 'x', record.Length).Data(record).Add("a")), Does.Contain("a PAX name that is not UTF-8"));
    }

    [Test]
    public void Numbers_that_make_no_size_are_refused()
    {
        Assert.That(Fails(WithSize("0000000008\0"u8)), Does.Contain("an unreadable size"));
        Assert.That(Fails(WithSize([0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff])), Does.Contain("an unreadable size"));
        Assert.That(Fails(WithSize([0x80, 0, 0, 0, 0x80, 0, 0, 0, 0, 0, 0, 0])), Does.Contain("an unreadable size"));
        // The largest size there is: nothing overflows, the stream is merely too short for it.
        Assert.That(Fails(WithSize([0x80, 0, 0, 0, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff])), Does.Contain("the stream ends"));

        static TarBuilder WithSize(ReadOnlySpan<byte> field)
        {
            var bytes = field.ToArray();
            return new TarBuilder().Header("a"u8, '0', 0, change: block =>
            {
                block.AsSpan(124, 12).Clear();
                bytes.CopyTo(block, 124);
            });
        }
    }

    [Test]
    public void A_zero_block_between_headers_is_refused() =>
        Assert.That(Fails(new TarBuilder().Add("a").Raw(new byte[512]).Add("b").End()), Does.Contain("a single zero block"));

    [Test]
    public void Mutated_archives_read_or_fail_with_the_one_error()
    {
        var good = new TarBuilder()
            .Pax('g', ("comment", "c"))
            .Add("Files/", '5', pax: [("mtime", "1.5"), ("MSWINDOWS.fileattr", "16")])
            .Header("l"u8, 'L', 300).Data(Encoding.ASCII.GetBytes(new string('n', 300)))
            .Add("Files/a", data: new byte[1500], pax: [("MSWINDOWS.rawsd", Convert.ToBase64String(new byte[20]))])
            .Add("Files/b", '1', link: "Files/a")
            .End().ToArray();
        var random = new Random(20261122);
        for (var round = 0; round < 4000; round++)
        {
            var bad = good.AsSpan(0, random.Next(4) == 0 ? random.Next(good.Length) : good.Length).ToArray();
            for (var change = random.Next(1, 12); change > 0 && bad.Length > 0; change--)
            {
                bad[random.Next(bad.Length)] = random.Next(3) == 0 ? (byte)random.Next('0', '9' + 1) : (byte)random.Next(256);
            }

            if (random.Next(2) == 0)
            {
                FixChecksums(bad);
            }

            try
            {
                Assert.That(Reads(bad), Is.LessThan(100));
            }
            catch (InvalidDataException wrong)
            {
                Assert.That(wrong.Message, Does.StartWith("tar header at offset "));
            }
        }
    }

    /// <summary>Else nearly all mutations die on the first check and nothing behind it is tried.</summary>
    private static void FixChecksums(byte[] tar)
    {
        for (var start = 0; start + 512 <= tar.Length; start += 512)
        {
            var block = tar.AsSpan(start, 512);
            if (block[257..].StartsWith("ustar"u8))
            {
                block.Slice(148, 8).Fill((byte)' ');
                var sum = 0;
                foreach (var value in block)
                {
                    sum += value;
                }

                Encoding.ASCII.GetBytes(Convert.ToString(sum, 8).PadLeft(6, '0') + "\0 ").CopyTo(block[148..]);
            }
        }
    }

    private static void AssertReads(TarBuilder tar, string? wrong)
    {
        if (wrong is null)
        {
            Assert.That(Reads(tar), Is.EqualTo(1));
        }
        else
        {
            Assert.That(Fails(tar), Does.Contain(wrong));
        }
    }

    private static string Fails(TarBuilder tar) => Fails(tar.ToArray());

    private static string Fails(byte[] tar) => Assert.Throws<InvalidDataException>(() => Reads(tar))!.Message;

    private static int Reads(TarBuilder tar) => Reads(tar.ToArray());

    private static int Reads(byte[] bytes)
    {
        using var tar = new TarReader(new MemoryStream(bytes), 1024);
        var entries = 0;
        while (tar.MoveNext())
        {
            entries++;
            while (tar.TryReadData(out var slice))
            {
                Assert.That(slice.Length, Is.GreaterThan(0));
            }
        }

        return entries;
    }
}
