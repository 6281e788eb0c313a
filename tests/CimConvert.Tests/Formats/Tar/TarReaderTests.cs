using System.Buffers.Binary;
using System.Formats.Tar;
using System.Text;
using CimConvert.Formats.Binary;
using CimConvert.TestKit;
using NUnit.Framework;
using TarEntryType = CimConvert.Formats.Tar.TarEntryType;
using TarReader = CimConvert.Formats.Tar.TarReader;

namespace CimConvert.Tests.Formats.Tar;

/// <summary>What well-formed archives of every flavour read as.</summary>
internal sealed class TarReaderTests
{

    [Test]
    public void Entries_come_in_order_with_their_fields_and_data()
    {
        using var tar = new TarReader(new TarBuilder()
            .Add("dir/", '5', mtime: 7)
            .Add("dir/file", data: "hello"u8.ToArray(), mtime: 1_700_000_000)
            .Add("dir/link", '2', link: "file")
            .Add("dir/hard", '1', link: "dir/file")
            .End().ToStream());

        AssertNext(tar, TarEntryType.Directory, "dir/", offset: 0);
        Assert.That(tar.MtimeSeconds, Is.EqualTo(7));
        AssertNext(tar, TarEntryType.RegularFile, "dir/file", offset: 512);
        Assert.That((tar.Size, tar.MtimeSeconds, Text(tar)), Is.EqualTo((5L, 1_700_000_000L, "hello")));
        AssertNext(tar, TarEntryType.SymbolicLink, "dir/link", offset: 1536);
        Assert.That(tar.LinkName, Is.EqualTo("file"));
        AssertNext(tar, TarEntryType.HardLink, "dir/hard", offset: 2048);
        Assert.That(tar.LinkName, Is.EqualTo("dir/file"));
        Assert.That(tar.MoveNext(), Is.False);
        Assert.That(tar.MoveNext(), Is.False, "asked again");
    }

    [TestCase(1)]
    [TestCase(511)]
    [TestCase(512)]
    [TestCase(513)]
    [TestCase(5000)]
    public void Unread_and_half_read_data_is_passed_over(int size)
    {
        using var tar = new TarReader(new TarBuilder().Add("a", data: new byte[size]).Add("b", data: "B"u8.ToArray()).End().ToStream(), 512);
        Assert.That(tar.MoveNext(), Is.True);
        Assert.That(tar.TryReadData(out _), Is.True);
        Assert.That(tar.MoveNext(), Is.True);
        Assert.That((tar.Name, Text(tar)), Is.EqualTo(("b", "B")));
    }

    /// <summary>Cut anywhere, inside headers too; and what was handed out before is gone with the next slice.</summary>
    [TestCase(1)]
    [TestCase(511)]
    [TestCase(512)]
    [TestCase(700)]
    [TestCase(1 << 20)]
    public void Slices_of_any_size_read_the_same(int size)
    {
        var data = SeededContent.Bytes(size, 3000);
        var bytes = new TarBuilder().Add("a", data: data, pax: [("mtime", "1.5")]).Add("b").Add("c", data: data).End().ToArray();
        using var slices = new Slices(bytes, size);
        using var tar = new TarReader(slices);
        Assert.That(tar.MoveNext(), Is.True);
        Assert.That(Pax(tar, "mtime"), Is.EqualTo("1.5"));
        Assert.That(Data(tar), Is.EqualTo(data));
        AssertNext(tar, TarEntryType.RegularFile, "b");
        AssertNext(tar, TarEntryType.RegularFile, "c");
        Assert.That(Data(tar), Is.EqualTo(data));
        Assert.That(tar.MoveNext(), Is.False);
        tar.Drain();
        Assert.That(slices.Next().IsEmpty);
    }

    [Test]
    public void A_stream_that_gives_one_byte_at_a_time_reads_the_same()
    {
        var bytes = new TarBuilder().Add("a", data: "one"u8.ToArray(), pax: [("mtime", "1.5")]).Add("b").End().ToArray();
        using var tar = new TarReader(new Trickle(bytes), 512);
        Assert.That(tar.MoveNext(), Is.True);
        Assert.That(Pax(tar, "mtime"), Is.EqualTo("1.5"));
        Assert.That(Text(tar), Is.EqualTo("one"));
        AssertNext(tar, TarEntryType.RegularFile, "b");
        Assert.That(tar.MoveNext(), Is.False);
    }

    [TestCase(TarEntryFormat.V7)]
    [TestCase(TarEntryFormat.Ustar)]
    [TestCase(TarEntryFormat.Gnu)]
    [TestCase(TarEntryFormat.Pax)]
    public void What_the_framework_writes_reads_back(TarEntryFormat format)
    {
        var name = format switch
        {
            TarEntryFormat.V7 => "short",
            TarEntryFormat.Ustar => new string('p', 120) + "/" + new string('n', 90),
            _ => new string('x', 300) + "/плот",
        };
        var stream = new MemoryStream();
        using (var writer = new TarWriter(stream, format, leaveOpen: true))
        {
            var type = format == TarEntryFormat.V7 ? System.Formats.Tar.TarEntryType.V7RegularFile : System.Formats.Tar.TarEntryType.RegularFile;
            TarEntry file = format switch
            {
                TarEntryFormat.V7 => new V7TarEntry(type, name),
                TarEntryFormat.Ustar => new UstarTarEntry(type, name),
                TarEntryFormat.Gnu => new GnuTarEntry(type, name),
                _ => new PaxTarEntry(type, name),
            };
            file.DataStream = new MemoryStream("data"u8.ToArray());
            file.ModificationTime = DateTimeOffset.FromUnixTimeSeconds(12345);
            writer.WriteEntry(file);
            TarEntry link = format switch
            {
                TarEntryFormat.V7 => new V7TarEntry(System.Formats.Tar.TarEntryType.HardLink, "l"),
                TarEntryFormat.Ustar => new UstarTarEntry(System.Formats.Tar.TarEntryType.HardLink, "l"),
                TarEntryFormat.Gnu => new GnuTarEntry(System.Formats.Tar.TarEntryType.HardLink, "l"),
                _ => new PaxTarEntry(System.Formats.Tar.TarEntryType.HardLink, "l"),
            };
            link.LinkName = format == TarEntryFormat.Ustar ? "short" : name;
            writer.WriteEntry(link);
        }

        stream.Position = 0;
        using var tar = new TarReader(stream);
        AssertNext(tar, TarEntryType.RegularFile, name);
        Assert.That((tar.MtimeSeconds, Text(tar)), Is.EqualTo((12345L, "data")));
        AssertNext(tar, TarEntryType.HardLink, "l");
        Assert.That(tar.LinkName, Is.EqualTo(format == TarEntryFormat.Ustar ? "short" : name));
        Assert.That(tar.MoveNext(), Is.False);
    }

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

    [TestCase(0)]
    [TestCase(1)]
    [TestCase(2)]
    [TestCase(20)]
    public void The_archive_may_end_with_any_number_of_zero_blocks(int blocks)
    {
        using var tar = new TarReader(new TarBuilder().Add("a").Raw(new byte[blocks * 512]).ToStream());
        Assert.That(tar.MoveNext(), Is.True);
        Assert.That(tar.MoveNext(), Is.False);
    }

    [TestCase(0, true)]
    [TestCase(1, false)]
    public void Filling_has_a_limit(int more, bool isRead)
    {
        using var tar = new TarReader(new MemoryStream([.. new TarBuilder().Add("a").End().ToArray(), .. new byte[TarReader.MaxFilling + more]]));
        Assert.That(tar.MoveNext());
        Assert.That(tar.MoveNext(), Is.False);
        Assert.That(
            () => tar.Drain(),
            isRead ? Is.EqualTo(TarReader.MaxFilling) : Throws.TypeOf<InvalidDataException>().With.Message.Contains("after the archive's end at offset 1536"));
    }

    [Test]
    public void Draining_reads_what_follows_the_end_marker()
    {
        var stream = new TarBuilder().Add("a", data: new byte[700]).End().Raw(new byte[10_000]).ToStream();
        using var tar = new TarReader(stream, 512);
        while (tar.MoveNext())
        {
        }

        Assert.That(tar.Drain(), Is.EqualTo(10_000));
        Assert.That(stream.Position, Is.EqualTo(stream.Length));
        Assert.That(tar.MoveNext(), Is.False);
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

    [Test]
    public void The_slices_are_the_readers_own_buffer()
    {
        using var tar = new TarReader(new TarBuilder().Add("a", data: new byte[100_000]).Add("b").End().ToStream(), 64 * 1024);
        Assert.That(tar.MoveNext(), Is.True);
        var before = GC.GetAllocatedBytesForCurrentThread();
        var total = 0;
        while (tar.TryReadData(out var slice))
        {
            total += slice.Length;
        }

        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.LessThan(1024));
        Assert.That(total, Is.EqualTo(100_000));
        Assert.That(tar.MoveNext(), Is.True);
    }

    private static void Base256(Span<byte> field, long value)
    {
        field.Fill(value < 0 ? (byte)0xff : (byte)0);
        BinaryPrimitives.WriteInt64BigEndian(field[4..], value);
        field[0] = value < 0 ? (byte)0xff : (byte)0x80;
    }

    private static void AssertNext(TarReader tar, TarEntryType type, string name, long? offset = null)
    {
        Assert.That(tar.MoveNext(), Is.True, $"an entry '{name}' was expected");
        Assert.That((tar.Type, tar.Name), Is.EqualTo((type, name)));
        Assert.That(tar.HeaderOffset, Is.EqualTo(offset ?? tar.HeaderOffset));
    }

    private static string Text(TarReader tar)
    {
        var text = new StringBuilder();
        while (tar.TryReadData(out var slice))
        {
            text.Append(Encoding.UTF8.GetString(slice));
        }

        return text.ToString();
    }

    private static string? Pax(TarReader tar, string keyword) =>
        tar.TryGetPax(Encoding.UTF8.GetBytes(keyword), out var value) ? Encoding.UTF8.GetString(value) : null;

    private sealed class Trickle(byte[] bytes) : MemoryStream(bytes)
    {
        public override int Read(byte[] buffer, int offset, int count) => base.Read(buffer, offset, Math.Min(1, count));
    }

    private static byte[] Data(TarReader tar)
    {
        using var to = new MemoryStream();
        while (tar.TryReadData(out var slice))
        {
            to.Write(slice);
        }

        return to.ToArray();
    }

    private sealed class Slices(byte[] content, int size) : ForwardStream, ISliceSource
    {
        private byte[] _slice = [];
        private int _position;

        public ReadOnlyMemory<byte> Next()
        {
            Array.Fill(_slice, (byte)0xee);
            _slice = content.AsSpan(_position, Math.Min(size, content.Length - _position)).ToArray();
            _position += _slice.Length;
            return _slice;
        }

        public override int Read(Span<byte> buffer) => throw new NotSupportedException("slices are there to be taken");
    }
}
