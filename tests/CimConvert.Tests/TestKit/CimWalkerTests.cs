using System.Security.Cryptography;
using CimConvert.TestKit;
using CimConvert.TestKit.Oracles;
using CimConvert.TestKit.Oracles.Cim;
using NUnit.Framework;

namespace CimConvert.Tests.TestKit;

/// <summary>The walker reads a set laid by hand, and refuses each way of breaking it by the message that names it.</summary>
public class CimWalkerTests
{
    private static readonly TinyCim Tiny = new();

    [Test]
    public void Everything_in_a_good_set_is_found()
    {
        using TempFolder folder = new();
        Tiny.Write(folder);

        WalkedCim cim = CimWalker.Walk(folder.Path, "tiny");

        Assert.That(
            cim.Entries.Select(entry => (entry.Path, entry.FileId, entry.ParentFileId, entry.Flags, entry.IsDirectory)),
            Is.EqualTo(new[] { ("A", 2u, 1u, (ushort)2, true), (@"A\big", 3u, 2u, (ushort)8, false), ("b", 4u, 1u, (ushort)0x108, false), ("C", 4u, 1u, (ushort)0x108, false) }));
        WalkedEntry b = cim.Entries[2];
        using (Assert.EnterMultipleScope())
        {
            Assert.That(cim.Entries[1].Data, Is.EqualTo(new WalkedStream("", 5000, false, false, Hash(TinyCim.Big))));
            Assert.That(b.Data, Is.EqualTo(new WalkedStream("", 5, false, false, Hash(TinyCim.Small))));
            Assert.That(b.AlternateStreams, Is.EqualTo(new[] { new WalkedStream("s", 7, false, false, Hash(TinyCim.Stream)) }));
            Assert.That(b.SecurityDescriptor, Is.EqualTo(TinyCim.Descriptor));
            Assert.That(b.ExtendedAttributes, Is.EqualTo(TinyCim.Ea));
            Assert.That((b.ReparseTag, Convert.ToHexString(b.Reparse)), Is.EqualTo((0xA000000Cu, "0102030405060708")));
            Assert.That((b.CreationTime, b.LastWriteTime, b.ChangeTime, b.LastAccessTime), Is.EqualTo((101L, 102L, 103L, 104L)));
            Assert.That((cim.FileTableLength, cim.ObjectIds, cim.UnreachedFiles.Count), Is.EqualTo((4, 3, 0)));
            Assert.That(cim.RegionSets, Is.EqualTo(new[] { new WalkedRegionSet(TinyCim.SetId, 3) }));
        }
    }

    [Test]
    public void A_forks_parent_regions_may_lie_elsewhere()
    {
        using TempFolder folder = new();
        Tiny.WriteFork(folder, "fork.cim", "parent");

        WalkedCim cim = CimWalker.Walk(folder.Path, "fork.cim", folder["parent"]);

        Assert.That((cim.Entries.Count, cim.RegionSets.Count), Is.EqualTo((4, 2)));
        Assert.That(() => CimWalker.Walk(folder.Path, "fork.cim"), Throws.TypeOf<CimWalkException>().With.Message.Contains("there is no file region_"));
    }

    [Test]
    public void A_sparse_stream_reads_as_zeros_and_a_pe_image_through_its_mappings()
    {
        using TempFolder folder = new();
        Tiny.Write(folder);
        int bigStream = Tiny.FilesAt + (2 * 96) + 40;
        // Sparse: bit 56 of the length word.
        Patch(folder, TinyCim.RegionName(0), bigStream + 15, [1]);
        string sparse = CimWalker.Walk(folder.Path, "tiny").Entries[1].Data!.Sha256;
        // PE: a header at the end of the metadata region; bytes 0-99 as they lie, from 100 on 16 bytes further.
        string region = folder[TinyCim.RegionName(0)];
        long at = new FileInfo(region).Length;
        using (FileStream append = new(region, FileMode.Append))
        {
            append.Write([.. Number((1L << 48) | 4096, 8), .. Number(5000, 8), .. Number(0, 4), .. Number(1, 2), .. Number(0, 2), .. Number(100, 4), .. Number(16, 4)]);
        }

        Patch(folder, TinyCim.RegionName(0), bigStream, [.. Number(at, 8), .. Number(4900 | (2L << 48), 8)]);
        WalkedStream image = CimWalker.Walk(folder.Path, "tiny").Entries[1].Data!;

        using (Assert.EnterMultipleScope())
        {
            Assert.That(sparse, Is.EqualTo(Hash(new byte[5000])));
            Assert.That(image.IsPeImage);
            Assert.That(image.Sha256, Is.EqualTo(Hash([.. TinyCim.Big[..100], .. TinyCim.Big[116..4916]])));
        }
    }

    [Test]
    public void Free_and_unreached_files_are_told_apart()
    {
        using TempFolder folder = new();
        Tiny.Write(folder);
        // "A" leads to file 4 now, so the folder and its file are left without a name.
        Patch(folder, TinyCim.RegionName(0), Tiny.RootTableAt + 8, Number(4, 4));
        WalkedCim orphans = CimWalker.Walk(folder.Path, "tiny");
        Patch(folder, TinyCim.RegionName(0), Tiny.FilesAt + 96, new byte[96]);
        WalkedCim freed = CimWalker.Walk(folder.Path, "tiny");

        using (Assert.EnterMultipleScope())
        {
            Assert.That(orphans.UnreachedFiles, Is.EqualTo(new uint[] { 2, 3 }));
            Assert.That(freed.UnreachedFiles, Is.EqualTo(new uint[] { 3 }));
        }
    }

    [Test]
    public void What_was_walked_can_be_compared_as_a_listing()
    {
        using TempFolder folder = new();
        Tiny.Write(folder);
        Patch(folder, TinyCim.RegionName(0), Tiny.FilesAt + (3 * 96), Number(0x1f, 2));

        IReadOnlyList<ListedEntry> lines = WalkedListing.Of(CimWalker.Walk(folder.Path, "tiny"));

        Assert.That(
            lines.Select(line => (line.Path, line.Type, line.Attributes, line.Size)),
            Is.EqualTo(new[] { ("A", "directory", 0x12u, 0L), (@"A\big", "file", 0x20u, 5000L), ("b", "symlink", 0x627u, 5L), ("C", "symlink", 0x627u, 5L) }));
        Patch(folder, TinyCim.RegionName(0), Tiny.FilesAt + (3 * 96), Number(0x108, 2));
        Assert.That(() => WalkedListing.Of(CimWalker.Walk(folder.Path, "tiny")), Throws.TypeOf<CimWalkException>());
    }

    private static IEnumerable<TestCaseData> Breakages()
    {
        TestCaseData Case(string name, string file, int at, byte[] bytes, string message) =>
            new TestCaseData(file, at, bytes, message).SetArgDisplayNames(name);
        string meta = TinyCim.RegionName(0);
        int files = Tiny.FilesAt;
        int root = Tiny.RootTableAt;
        yield return Case("magic", "tiny.cim", 0, [0], "no magic");
        yield return Case("type", "tiny.cim", 12, [1], "is of type 1");
        yield return Case("header length", "tiny.cim", 8, [71], "71 bytes");
        yield return Case("version", "tiny.cim", 16, [4], "version 4.0");
        yield return Case("file system nowhere", "tiny.cim", 56, new byte[8], "filesystem object is at 0:0");
        yield return Case("region count", "tiny.cim", 48, [4], "there is no file region_");
        yield return Case("region magic", meta, 3, [0], "no magic");
        yield return Case("region index", TinyCim.RegionName(1), 32, [0], "says it is region 0");
        yield return Case("region type", TinyCim.RegionName(2), 34, [3], "region type 3");
        yield return Case("region header length", TinyCim.RegionName(2), 8, [32], "32 bytes");
        yield return Case("object ID type", TinyCim.ObjectIdName(1), 34, [2], "another region type");
        yield return Case("object ID digest", TinyCim.ObjectIdName(1), 56, [0], "another digest");
        yield return Case("object ID count", TinyCim.ObjectIdName(2), 44, [3], "object ID table");
        yield return Case("object ID length", TinyCim.ObjectIdName(1), 49, [0xff], "the object of");
        yield return Case("object ID region", TinyCim.ObjectIdName(1), 48 + 32 + 6, [9], "has an object at 9:");
        yield return Case("data under an object ID", TinyCim.RegionName(2), 40, [0], "another digest");
        yield return Case("file table count", meta, Tiny.FileDirectoryAt + 8, Number(0, 2), "has 0 files");
        yield return Case("file table entry size", meta, Tiny.FileDirectoryAt + 10, Number(97, 2), "97 bytes");
        yield return Case("file table offset", meta, Tiny.FileDirectoryAt + 4, [1], "file table of 384 bytes");
        yield return Case("directory of tables too long", meta, Tiny.FileSystemAt + 19, [0x7f], "file table directory");
        yield return Case("root id", meta, Tiny.FileSystemAt + 20, [5], "there is no file 5");
        yield return Case("root is a file", meta, Tiny.FileSystemAt + 20, [3], "the root is no directory");
        yield return Case("names out of order", meta, NameAt(root, 0), "Z"u8.ToArray(), "has 'b' after 'Z'");
        yield return Case("names equal after upcase", meta, NameAt(root, 2), "B"u8.ToArray(), "has 'B' after 'b'");
        yield return Case("name with a backslash", meta, NameAt(root, 1), "\\"u8.ToArray(), "has the name");
        yield return Case("name outside", meta, root + 8 + 12, [0xff], "a name at 255");
        yield return Case("name inside the head", meta, root + 8 + 12, [4], "a name at 4");
        yield return Case("empty name", meta, NameAt(root, 0) - 2, [0], "a name of 0 units");
        yield return Case("too many links", meta, root + 4, [50], "50 links");
        yield return Case("table of another length", meta, files + 48, [1], "the root has 1 bytes");
        yield return Case("link to no file", meta, root + 8, Number(9, 4), "there is no file 9");
        yield return Case("link to file 0", meta, root + 8, Number(0, 4), "there is no file 0");
        yield return Case("cycle to the root", meta, Tiny.FolderTableAt + 8, Number(1, 4), "has another name already");
        yield return Case("cycle to itself", meta, Tiny.FolderTableAt + 8, Number(2, 4), "has another name already");
        yield return Case("parent", meta, files + (3 * 96) + 88, Number(2, 4), "gives file 2 as its parent");
        yield return Case("page alignment", meta, files + (2 * 96) + 40, Number(4088, 2), "is not 4096-aligned");
        yield return Case("small alignment", meta, files + (3 * 96) + 40, Number(41, 2), "is not 8-aligned");
        yield return Case("data past the end", meta, files + (2 * 96) + 40 + 8, Number(5001, 2), "data of A\\big of 5001 bytes");
        yield return Case("data in no region", meta, files + (2 * 96) + 40 + 6, Number(3, 2), "there are 3 regions");
        yield return Case("empty data nowhere", meta, files + (3 * 96) + 40, new byte[16], "data of b is at 0:0");
        yield return Case("data in a header", meta, files + (3 * 96) + 40, Number(32, 2), "inside the region's header");
        yield return Case("stream type", meta, files + (3 * 96) + 40 + 14, [3], "type and flags 0x3");
        yield return Case("descriptor past the end", meta, files + (3 * 96) + 56, Number(Tiny.FileSystemAt + 23, 4), "security descriptor of b");
        yield return Case("EA length without EAs", meta, files + (2 * 96) + 2, [4], "extended attributes at 0:0");
        yield return Case("stream table", meta, Tiny.StreamTableAt + 4, [2], "link table of b");
    }

    [TestCaseSource(nameof(Breakages))]
    public void A_broken_set_is_refused(string file, int at, byte[] bytes, string message)
    {
        using TempFolder folder = new();
        Tiny.Write(folder);
        Patch(folder, file, at, bytes);

        Assert.That(() => CimWalker.Walk(folder.Path, "tiny"), Throws.TypeOf<CimWalkException>().With.Message.Contains(message));
    }

    [Test]
    public void Missing_and_cut_files_are_refused()
    {
        foreach (int index in new[] { 0, 1, 2 })
        {
            foreach (string name in new[] { TinyCim.RegionName(index), TinyCim.ObjectIdName(index) })
            {
                using TempFolder folder = new();
                Tiny.Write(folder);
                string path = folder[name];
                File.WriteAllBytes(path, File.ReadAllBytes(path)[..^1]);
                Assert.That(() => CimWalker.Walk(folder.Path, "tiny"), Throws.TypeOf<CimWalkException>(), "cut " + name);
                File.Delete(path);
                Assert.That(() => CimWalker.Walk(folder.Path, "tiny"), Throws.TypeOf<CimWalkException>().With.Message.Contains(name));
            }
        }
    }

    [Test]
    [Category(Categories.Slow)]
    public void Random_damage_ends_in_a_refusal_or_a_result()
    {
        for (int seed = 0; seed < 300; seed++)
        {
            using TempFolder folder = new();
            Tiny.Write(folder);
            Corrupter corrupter = new(seed);
            string[] files = Directory.GetFiles(folder.Path).Order(StringComparer.Ordinal).ToArray();
            string file = files[seed % files.Length];
            _ = (seed / files.Length % 3) switch
            {
                0 => corrupter.FlipByte(file),
                1 => corrupter.Truncate(file),
                _ => corrupter.ZeroRange(file, 64),
            };
            Assert.That(Outcome(folder.Path), Is.Null.Or.TypeOf<CimWalkException>(), $"seed {seed}");
        }

        static Exception? Outcome(string directory)
        {
            try
            {
                CimWalker.Walk(directory, "tiny");
                return null;
            }
            catch (Exception failure)
            {
                return failure;
            }
        }
    }

    private static int NameAt(int table, int index) => table + 8 + (3 * 8) + (index * 4) + 2;

    private static byte[] Number(long value, int length) => TinyCim.Number(value, length);

    private static string Hash(byte[] bytes) => Convert.ToHexStringLower(SHA256.HashData(bytes));

    private static void Patch(TempFolder folder, string name, int at, byte[] bytes)
    {
        using FileStream file = new(folder[name], FileMode.Open);
        file.Position = at;
        file.Write(bytes);
    }
}
