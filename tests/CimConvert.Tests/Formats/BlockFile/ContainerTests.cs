using CimConvert.Cims;
using CimConvert.Formats.BlockFile;
using CimConvert.TestKit;
using CimConvert.Tests.Formats.Cim;
using NUnit.Framework;

namespace CimConvert.Tests.Formats.BlockFile;

/// <summary>Sets, files and extents of a container, and what its root digest stands for.</summary>
internal sealed class ContainerTests
{
    private readonly CimLab _lab = new();

    [TearDown]
    public void RemoveFiles() => _lab.Dispose();

    [Test]
    public void Several_cims_lie_in_one_file()
    {
        var path = _lab.WriteBlocks("l", blocks =>
        {
            CimLab.WriteSet(blocks, "a.cim", w => w.File("f", "in a"));
            CimLab.WriteSet(blocks, "b.cim", w => w.File("f", "in b"));
        });
        Assert.That(() => OpenCim.Open(path, []), Throws.TypeOf<InvalidDataException>().With.Message.Contains("a.cim, b.cim"));
        Assert.That(() => OpenCim.Open(path + "::c.cim", []), Throws.TypeOf<InvalidDataException>().With.Message.Contains("'a.cim', 'b.cim'"));
        foreach (var (name, content) in new[] { ("a.cim", "in a"), ("B.CIM", "in b") })
        {
            using var image = OpenCim.Open($"{path}::{name}", []);
            Assert.That(image.Cim.ReadAll(image.Cim.Get("f").Data), Is.EqualTo(System.Text.Encoding.UTF8.GetBytes(content)));
        }
    }

    [TestCase("a.cim")]
    [TestCase("A.CIM")]
    [TestCase("")]
    public void A_sets_name_is_new_and_not_empty(string name)
    {
        var longest = new string('n', 255);
        var path = _lab.WriteBlocks("l", blocks =>
        {
            CimLab.WriteSet(blocks, "a.cim", _ => { });
            Assert.That(() => blocks.BeginSet(name), Throws.TypeOf<InvalidDataException>());
            Assert.That(() => blocks.BeginSet(longest + "n"), Throws.TypeOf<InvalidDataException>());
            blocks.BeginSet(longest);
        });
        using var reader = BlockFiles.Open(File.ReadAllBytes(path));
        Assert.That(reader.SetNames, Is.EqualTo(new[] { "a.cim", longest }));
    }

    [Test]
    public void Files_that_grow_side_by_side_come_back_whole([Values] bool seal)
    {
        // Three files, written in turns of odd sizes across the writer's 1 MiB buffers: their extents interleave.
        var contents = Enumerable.Range(0, 3).Select(i => SeededContent.Bytes(i, 2_500_000 + (i * 4096) + i)).ToArray();
        var path = _lab.WriteBlocks("l", blocks =>
        {
            var set = blocks.BeginSet("s");
            var files = contents.Select((_, i) => set.Create(digested: i != 1)).ToArray();
            for (var at = 0; at < contents[2].Length; at += 77_777)
            {
                for (var i = 0; i < files.Length; i++)
                {
                    var rest = contents[i].AsSpan(Math.Min(at, contents[i].Length));
                    files[i].Append(rest[..Math.Min(77_777, rest.Length)]);
                }
            }

            for (var i = 0; i < files.Length; i++)
            {
                Assert.That(files[i].Length, Is.EqualTo(contents[i].Length));
                set.Publish(files[i], $"file{i}");
            }
        }, seal);
        using var reader = BlockFiles.Open(File.ReadAllBytes(path));
        Assert.That(reader.FileNames("S"), Is.EqualTo(new[] { "file0", "file1", "file2" }));
        for (var i = 0; i < contents.Length; i++)
        {
            ByteAssert.Equal(contents[i], BlockFiles.ReadFile(reader, "s", $"FILE{i}"));
        }

        Assert.That(reader.OpenSet("s").TryOpen("file3"), Is.Null);
        reader.VerifySeal(CancellationToken.None);
    }

    [Test]
    public void The_newest_bytes_can_be_taken_back_and_no_others()
    {
        var keep = SeededContent.Bytes(1, 8192);
        var path = _lab.WriteBlocks("l", blocks =>
        {
            var set = blocks.BeginSet("s");
            var (file, other, digested) = (set.Create(digested: false), set.Create(digested: false), set.Create(digested: true));
            file.Append(keep);
            file.Append(new byte[3 << 20]);
            file.TruncateTo(8192);
            file.Append(new byte[100]);
            Assert.That(() => file.TruncateTo(100), Throws.InvalidOperationException, "not a whole block");
            Assert.That(() => file.TruncateTo(12288), Throws.InvalidOperationException, "longer than it is");
            Assert.That(() => file.TruncateTo(-4096), Throws.InvalidOperationException);
            file.TruncateTo(8192);
            digested.Append(new byte[4096]);
            Assert.That(() => digested.TruncateTo(0), Throws.InvalidOperationException, "its checksum cannot be taken back");
            set.Publish(file, "file");
            Assert.That(() => file.TruncateTo(0), Throws.InvalidOperationException, "finished");
            Assert.That(() => file.Append([1]), Throws.InvalidOperationException, "finished");
            Assert.That(() => set.Publish(other, "FILE"), Throws.InvalidOperationException, "a name twice");
            set.Publish(other, "other");
            set.Publish(digested, "digested");
        });
        using var reader = BlockFiles.Open(File.ReadAllBytes(path));
        ByteAssert.Equal(keep, BlockFiles.ReadFile(reader, "s", "file"));
        Assert.That(BlockFiles.ReadFile(reader, "s", "other"), Is.Empty);
        Assert.That(new FileInfo(path).Length, Is.EqualTo(6 * 4096), "head, two blocks, one block, directory, superblock");
    }

    [Test]
    public void Bytes_behind_another_files_cannot_be_taken_back() => _lab.WriteBlocks("l", blocks =>
    {
        var set = blocks.BeginSet("s");
        var (file, other) = (set.Create(digested: false), set.Create(digested: false));
        file.Append(new byte[1 << 20]);
        other.Append(new byte[1 << 20]);
        Assert.That(() => file.TruncateTo(0), Throws.InvalidOperationException.With.Message.Contains("only the last blocks"));
        set.Publish(file, "file");
        set.Publish(other, "other");
    });

    [Test]
    public void A_file_without_a_name_makes_no_container() =>
        Assert.That(() => _lab.WriteBlocks("l", blocks => blocks.BeginSet("s").Create(digested: true)), Throws.InvalidOperationException);

    [Test]
    public void The_root_digest_changes_with_names_contents_and_seal()
    {
        string Root(string file, string name, string content, bool seal)
        {
            using var image = OpenCim.Open(_lab.Write(file, w => w.File("f", content), seal, name), []);
            Assert.That(image.Container!.IsSealed, Is.EqualTo(seal));
            return Convert.ToHexString(image.Container.Root);
        }

        string[] roots = [Root("1", "a.cim", "x", true), Root("2", "b.cim", "x", true), Root("3", "a.cim", "y", true), Root("4", "a.cim", "x", false)];
        Assert.That(roots, Is.Unique);
        Assert.That(Root("5", "a.cim", "x", true), Is.EqualTo(roots[0]));
    }

    [Test]
    public void Cancelling_leaves_no_superblock()
    {
        using var handle = File.OpenHandle(_lab["l"], FileMode.CreateNew, FileAccess.ReadWrite);
        var blocks = new BlockFileWriter(handle);
        CimLab.WriteSet(blocks, "a.cim", w => w.File("f", "x"));
        Assert.That(() => blocks.Complete(seal: true, hasTrailer: false, new CancellationToken(canceled: true)), Throws.InstanceOf<OperationCanceledException>());
        Assert.That(() => BlockFiles.Open(File.ReadAllBytes(_lab["l"])), Throws.TypeOf<InvalidDataException>());
    }
}
