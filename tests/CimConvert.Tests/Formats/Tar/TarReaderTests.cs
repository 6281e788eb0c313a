using System.Formats.Tar;
using CimConvert.Formats.Binary;
using CimConvert.TestKit;
using NUnit.Framework;
using static CimConvert.Tests.Formats.Tar.TarReading;
using TarEntryType = CimConvert.Formats.Tar.TarEntryType;
using TarReader = CimConvert.Formats.Tar.TarReader;

namespace CimConvert.Tests.Formats.Tar;

/// <summary>What well-formed archives read as: entries, their data, and the end.</summary>
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
    public void Trailing_bytes_have_a_limit(int more, bool isRead)
    {
        using var tar = new TarReader(new MemoryStream([.. new TarBuilder().Add("a").End().ToArray(), .. new byte[TarReader.MaxTrailingBytes + more]]));
        Assert.That(tar.MoveNext());
        Assert.That(tar.MoveNext(), Is.False);
        Assert.That(
            () => tar.Drain(),
            isRead ? Is.EqualTo(TarReader.MaxTrailingBytes) : Throws.TypeOf<InvalidDataException>().With.Message.Contains("after the archive's end at offset 1536"));
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

    private sealed class Trickle(byte[] bytes) : MemoryStream(bytes)
    {
        public override int Read(byte[] buffer, int offset, int count) => base.Read(buffer, offset, Math.Min(1, count));
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
