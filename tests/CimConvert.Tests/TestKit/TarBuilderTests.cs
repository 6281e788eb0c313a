using System.Formats.Tar;
using CimConvert.TestKit;
using CimConvert.TestKit.Layers;
using NUnit.Framework;

namespace CimConvert.Tests.TestKit;

/// <summary>The framework's own reader, and the system's tar, must find what the builder was told to write.</summary>
public class TarBuilderTests
{
    [Test]
    public void The_framework_reads_names_types_sizes_and_records()
    {
        byte[] tar = new LayerBuilder { DefaultSecurityDescriptor = Descriptors.Administrators }
            .Directory("Files")
            .File("Files/a.txt", "hello", new EntryOptions
            {
                Attributes = FileAttributes.Hidden | FileAttributes.System,
                Times = new EntryTimes("-1.5", "2.25", null, "3"),
                ExtendedAttributes = [new ExtendedAttribute("$KERNEL", [1, 2, 3])],
            })
            .AlternateStream("Files/a.txt", "zone", [1, 2])
            .MountPoint("Files/Documents and Settings", @"C:\Users")
            .Symlink("Files/плот", "a.txt")
            .HardLink("Files/b.txt", "Files/a.txt")
            .Whiteout("Files/gone")
            .OpaqueWhiteout("Files/dir")
            .ToArray();

        List<PaxOrUstar> entries = Read(tar);

        Assert.That(
            entries.Select(entry => (entry.Type, entry.Name)),
            Is.EqualTo(new[]
            {
                (TarEntryType.Directory, "Files/"),
                (TarEntryType.RegularFile, "Files/a.txt"),
                (TarEntryType.RegularFile, "Files/a.txt:zone:$DATA"),
                (TarEntryType.SymbolicLink, "Files/Documents and Settings"),
                (TarEntryType.SymbolicLink, "Files/плот"),
                (TarEntryType.HardLink, "Files/b.txt"),
                (TarEntryType.RegularFile, "Files/.wh.gone"),
                (TarEntryType.RegularFile, "Files/dir/.wh..wh..opq"),
            }));
        IReadOnlyDictionary<string, string> file = entries[1].Pax;
        using (Assert.EnterMultipleScope())
        {
            Assert.That(entries[1].Content, Is.EqualTo("hello"u8.ToArray()));
            Assert.That(file["mtime"], Is.EqualTo("-1.5"));
            Assert.That(file["atime"], Is.EqualTo("2.25"));
            Assert.That(file, Does.Not.ContainKey("ctime"));
            Assert.That(file["LIBARCHIVE.creationtime"], Is.EqualTo("3"));
            Assert.That(file["MSWINDOWS.fileattr"], Is.EqualTo("6"));
            Assert.That(file["MSWINDOWS.rawsd"], Is.EqualTo(Convert.ToBase64String(Descriptors.Administrators)));
            Assert.That(file["MSWINDOWS.xattr.$KERNEL"], Is.EqualTo("AQID"));
            Assert.That(entries[3].LinkName, Is.EqualTo(@"C:\Users"));
            Assert.That(entries[3].Pax["MSWINDOWS.mountpoint"], Is.EqualTo("1"));
            Assert.That(entries[3].Pax["MSWINDOWS.fileattr"], Is.EqualTo("1040"));
            Assert.That(entries[6].Pax.Keys.Where(key => key.StartsWith("MSWINDOWS", StringComparison.Ordinal)), Is.Empty);
        }
    }

    [TestCase(LongNames.Pax)]
    [TestCase(LongNames.Gnu)]
    public void Long_names_come_back_whole(LongNames how)
    {
        string name = "Files/" + new string('n', 150) + "/" + new string('m', 150);
        string target = "Files/" + new string('t', 200);
        byte[] tar = new LayerBuilder()
            .File(name, "x", new EntryOptions { LongNames = how, Plain = how == LongNames.Gnu })
            .HardLink(name + "2", target, new EntryOptions { LongNames = how, Plain = how == LongNames.Gnu })
            .ToArray();

        List<PaxOrUstar> entries = Read(tar);

        using (Assert.EnterMultipleScope())
        {
            Assert.That(entries[0].Name, Is.EqualTo(name));
            Assert.That(entries[1].Name, Is.EqualTo(name + "2"));
            Assert.That(entries[1].LinkName, Is.EqualTo(target));
        }
    }

    [TestCase(SizeField.Octal)]
    [TestCase(SizeField.Base256)]
    [TestCase(SizeField.Pax)]
    public void Sizes_come_back_from_every_place_they_can_stand_in(SizeField where)
    {
        byte[] content = SeededContent.Bytes(3, 1000);
        byte[] tar = new LayerBuilder()
            .File("a", content, new EntryOptions { SizeField = where })
            .File("b", "after")
            .ToArray();

        List<PaxOrUstar> entries = Read(tar);

        using (Assert.EnterMultipleScope())
        {
            Assert.That(entries[0].Content, Is.EqualTo(content));
            Assert.That(entries[1].Content, Is.EqualTo("after"u8.ToArray()));
        }
    }

    [TestCase(8)]
    [TestCase(94)]
    [TestCase(95)]
    [TestCase(96)]
    [TestCase(992)]
    [TestCase(993)]
    public void A_record_counts_the_digits_of_its_own_length(int valueLength)
    {
        string value = new('v', valueLength);
        byte[] tar = new LayerBuilder().File("a", "x", new EntryOptions { Pax = [KeyValuePair.Create("k", value)] }).ToArray();

        Assert.That(Read(tar)[0].Pax["k"], Is.EqualTo(value));
    }

    [Test]
    public void Building_twice_gives_the_same_bytes_and_one_time_per_entry()
    {
        static byte[] Build() => new LayerBuilder().Directory("Files").BaseHives().File("Files/a", 70_000, () => SeededContent.Stream(1, 70_000)).ToArray();

        byte[] first = Build();

        ByteAssert.Equal(first, Build());
        List<PaxOrUstar> entries = Read(first);
        Assert.That(entries.Select(entry => entry.Pax["mtime"]), Is.Unique);
        ByteAssert.Equal(SeededContent.Bytes(1, 70_000), entries[^1].Content);
    }

    [Test]
    public void A_layer_larger_than_memory_allows_is_written_without_it()
    {
        const long Size = 3L << 30;
        long before = GC.GetAllocatedBytesForCurrentThread();
        using CountingStream sink = new();

        new LayerBuilder().File("big", Size, () => SparseStream.Of(Size)).WriteTo(sink);

        using (Assert.EnterMultipleScope())
        {
            Assert.That(sink.Count, Is.GreaterThan(Size));
            Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.LessThan(1 << 20));
        }
    }

    [Test]
    public void The_end_marker_can_be_left_out()
    {
        byte[] whole = new LayerBuilder().File("a", "x").ToArray();
        byte[] open = new LayerBuilder().File("a", "x").WithoutEndMarker().ToArray();

        ByteAssert.Equal(whole.AsSpan(..^1024), open);
    }

    private static List<PaxOrUstar> Read(byte[] tar)
    {
        List<PaxOrUstar> entries = [];
        using TarReader reader = new(new MemoryStream(tar));
        while (reader.GetNextEntry(copyData: true) is TarEntry entry)
        {
            using MemoryStream content = new();
            entry.DataStream?.CopyTo(content);
            IReadOnlyDictionary<string, string> pax = entry is PaxTarEntry { ExtendedAttributes: var records }
                ? records
                : new Dictionary<string, string>(StringComparer.Ordinal);
            entries.Add(new PaxOrUstar(entry.EntryType, entry.Name, entry.LinkName, content.ToArray(), pax));
        }

        return entries;
    }

    private sealed record PaxOrUstar(
        TarEntryType Type,
        string Name,
        string LinkName,
        byte[] Content,
        IReadOnlyDictionary<string, string> Pax);
}
