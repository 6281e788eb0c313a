using CimConvert.Cims;
using CimConvert.Formats.BlockFile;
using CimConvert.TestKit;
using CimConvert.Tests.Formats.Cim;
using NUnit.Framework;

namespace CimConvert.Tests.Formats.BlockFile;

internal sealed class HashTreeTests
{
    [TestCase(1L, new long[] { 1 })]
    [TestCase(127L, new long[] { 1 })]
    [TestCase(128L, new long[] { 1 })]
    [TestCase(129L, new long[] { 2, 1 })]
    [TestCase(16383L, new long[] { 128, 1 })]
    [TestCase(16384L, new long[] { 128, 1 })]
    [TestCase(16385L, new long[] { 129, 2, 1 })]
    public void Levels_hold_128_hashes_a_block(long blocks, long[] levels)
    {
        Assert.That(HashTree.Levels(blocks), Is.EqualTo(levels));
        Assert.That(HashTree.TreeBlocks(blocks), Is.EqualTo(levels.Sum()));
    }

    // Head and directory are content too: the file's own blocks make up the rest.
    [TestCase(3)]
    [TestCase(127)]
    [TestCase(128)]
    [TestCase(129)]
    [TestCase(257)]
    [TestCase(16384)]
    [TestCase(16385)]
    [Category(Categories.Slow)]
    public void Real_files_of_these_shapes_verify_and_show_a_change(int contentBlocks)
    {
        using var lab = new CimLab();
        var path = lab.WriteBlocks("f", blocks =>
        {
            var set = blocks.BeginSet("s");
            var file = set.Create(digested: false);
            file.Append(SeededContent.Bytes(contentBlocks, (contentBlocks - 2) * 4096));
            set.Publish(file, "f");
        }, seal: true);
        var bytes = File.ReadAllBytes(path);
        Assert.That(bytes.Length / 4096, Is.EqualTo(contentBlocks + HashTree.TreeBlocks(contentBlocks) + 1));
        using (var reader = BlockFiles.Open(bytes))
        {
            reader.VerifySeal(CancellationToken.None);
        }

        foreach (var block in new[] { 0, contentBlocks / 2, contentBlocks - 1, contentBlocks, (bytes.Length / 4096) - 2 })
        {
            var at = (block * 4096) + (((block * 31) + 100) % 4096);
            bytes[at] ^= 1;
            Assert.That(
                () =>
                {
                    using var reader = BlockFiles.Open(bytes);
                    reader.VerifySeal(CancellationToken.None);
                },
                Throws.TypeOf<InvalidDataException>().With.Message.Contains("does not match the seal"),
                $"block {block}");
            bytes[at] ^= 1;
        }
    }

    [Test]
    public void A_read_of_a_changed_block_fails_and_others_do_not()
    {
        using var lab = new CimLab();
        var content = SeededContent.Bytes(5, 300 * 4096);
        var bytes = File.ReadAllBytes(lab.Write("l", w => w.File("f", content), seal: true));
        var changed = bytes.AsSpan().IndexOf(content.AsSpan(200 * 4096, 64));
        bytes[changed] ^= 1;
        using var image = OpenCim.Open(lab.Folder.Write("changed", bytes), []);
        using var stream = image.Cim.OpenStream(image.Cim.Get("f").Data);
        var start = new byte[200 * 4096];
        stream.ReadExactly(start);
        ByteAssert.Equal(content.AsSpan(0, start.Length), start);
        Assert.That(() => stream.ReadExactly(new byte[10]), Throws.TypeOf<InvalidDataException>().With.Message.Contains("does not match the seal"));
        Assert.That(() => stream.ReadExactly(new byte[10]), Throws.TypeOf<InvalidDataException>(), "again: nothing unchecked was kept");
    }
}
