using System.Buffers.Binary;
using System.Text;
using CimConvert.Formats.Tar;
using NUnit.Framework;
using static CimConvert.Tests.Formats.Tar.TarReading;

namespace CimConvert.Tests.Formats.Tar;

/// <summary>Headers of every flavour: PAX, GNU, star, and those older than all of them.</summary>
internal sealed class TarHeaderTests
{
    [Test]
    public void Pax_records_replace_what_the_header_says()
    {
        using var tar = new TarReader(new TarBuilder()
            .Pax('x', ("path", "real"), ("linkpath", "unused"), ("size", "3"), ("path", "realer"))
            .Header("placeholder"u8, '0', 0).Data("abc"u8)
            .Add("next")
            .End().ToStream());
        AssertNext(tar, TarEntryType.RegularFile, "realer");
        Assert.That((tar.Size, Text(tar), tar.Records.Count), Is.EqualTo((3L, "abc", 4)));
        AssertNext(tar, TarEntryType.RegularFile, "next");
        Assert.That(tar.Records.Count, Is.Zero);
    }

    [Test]
    public void Empty_pax_records_leave_the_header_in_force()
    {
        using var tar = new TarReader(new TarBuilder().Add("a", '1', link: "b", pax: [("path", ""), ("linkpath", ""), ("size", "")]).End().ToStream());
        AssertNext(tar, TarEntryType.HardLink, "a");
        Assert.That(tar.LinkName, Is.EqualTo("b"));
        Assert.That(tar.TryGetPax("size"u8, out var value) && value.IsEmpty, Is.True);
    }

    [Test]
    public void Global_records_hold_until_replaced_and_yield_to_the_entrys_own()
    {
        using var tar = new TarReader(new TarBuilder()
            .Pax('g', ("mtime", "1"), ("comment", "c"))
            .Add("a")
            .Add("b", pax: [("mtime", "2")])
            .Pax('g', ("mtime", "3"))
            .Add("c")
            .Pax('g', ("mtime", "4"))
            .End().ToStream());
        var seen = new List<string>();
        while (tar.MoveNext())
        {
            seen.Add($"{tar.Name} {Pax(tar, "mtime")} {Pax(tar, "comment")}");
        }

        Assert.That(seen, Is.EqualTo(new[] { "a 1 c", "b 2 c", "c 3 c" }));
    }

    [Test]
    public void Gnu_long_names_and_links_apply_to_one_entry()
    {
        var name = new string('n', 5000);
        using var tar = new TarReader(new TarBuilder()
            .Header("././@LongLink"u8, 'L', name.Length + 1).Data(Encoding.ASCII.GetBytes(name + "\0"))
            .Header("././@LongLink"u8, 'K', 6).Data("target"u8)
            .Add("short", '2', link: "t")
            .Add("next", '2', link: "u")
            .End().ToStream());
        AssertNext(tar, TarEntryType.SymbolicLink, name);
        Assert.That(tar.LinkName, Is.EqualTo("target"));
        AssertNext(tar, TarEntryType.SymbolicLink, "next");
        Assert.That(tar.LinkName, Is.EqualTo("u"));
    }

    [Test]
    public void Old_headers_have_no_prefix_and_mark_directories_with_a_slash()
    {
        using var tar = new TarReader(new TarBuilder()
            .Header("dir/"u8, '\0', 0, change: ToV7)
            .Header("file"u8, '\0', 0, change: ToV7)
            .End().ToStream());
        AssertNext(tar, TarEntryType.Directory, "dir/");
        AssertNext(tar, TarEntryType.RegularFile, "file");

        static void ToV7(byte[] block)
        {
            block.AsSpan(257).Clear();
            "junk"u8.CopyTo(block.AsSpan(345));
        }
    }

    [Test]
    public void Base_256_numbers_read_up_to_their_limits()
    {
        using var tar = new TarReader(new TarBuilder()
            .Header("a"u8, '0', 0, change: block => Base256(block.AsSpan(136, 12), -5))
            .Header("b"u8, '0', 0, change: block => Base256(block.AsSpan(136, 12), long.MaxValue))
            .Header("c"u8, '0', 0, change: block => Base256(block.AsSpan(136, 12), long.MinValue))
            .Header("d"u8, '0', 0, change: block => Base256(block.AsSpan(124, 12), 2)).Data("xy"u8)
            .End().ToStream());
        var seen = new List<long>();
        while (tar.MoveNext())
        {
            seen.Add(tar.Name == "d" ? tar.Size : tar.MtimeSeconds);
        }

        Assert.That(seen, Is.EqualTo(new[] { -5, long.MaxValue, long.MinValue, 2 }));
    }

    [Test]
    public void Both_ways_to_sum_a_header_are_taken()
    {
        using var tar = new TarReader(new TarBuilder()
            .Header("плот"u8, '0', 0)
            .Header("плот"u8, '0', 0, signedSum: true)
            .End().ToStream());
        Assert.That(tar.MoveNext() && tar.MoveNext(), Is.True);
    }

    [Test]
    public void Links_and_directories_have_no_data_whatever_their_size_says()
    {
        using var tar = new TarReader(new TarBuilder().Header("a"u8, '1', 999, "b"u8).Header("d"u8, '5', 999).Add("b").End().ToStream());
        var names = new List<string>();
        while (tar.MoveNext())
        {
            names.Add($"{tar.Name}{tar.Size}");
        }

        Assert.That(names, Is.EqualTo(new[] { "a0", "d0", "b0" }));
    }

    [Test]
    public void Star_headers_have_a_shorter_prefix()
    {
        using var tar = new TarReader(new TarBuilder().Header("n"u8, '0', 0, change: block =>
        {
            block.AsSpan(345, 131).Fill((byte)'p');
            block.AsSpan(476, 20).Fill((byte)'1');
            "tar\0"u8.CopyTo(block.AsSpan(508));
        }).End().ToStream());
        AssertNext(tar, TarEntryType.RegularFile, new string('p', 131) + "/n");
    }

    [Test]
    public void Contiguous_files_are_regular_ones()
    {
        using var tar = new TarReader(new TarBuilder().Add("a", '7', "x"u8.ToArray()).Add("b").End().ToStream());
        AssertNext(tar, TarEntryType.RegularFile, "a");
        Assert.That(Text(tar), Is.EqualTo("x"));
        AssertNext(tar, TarEntryType.RegularFile, "b");
    }

    private static void Base256(Span<byte> field, long value)
    {
        field.Fill(value < 0 ? (byte)0xff : (byte)0);
        BinaryPrimitives.WriteInt64BigEndian(field[4..], value);
        field[0] = value < 0 ? (byte)0xff : (byte)0x80;
    }
}
