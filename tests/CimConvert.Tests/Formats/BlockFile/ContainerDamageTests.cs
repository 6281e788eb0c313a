using CimConvert.Cims;
using CimConvert.Cims.Tools;
using CimConvert.Formats.Cim;
using CimConvert.TestKit;
using CimConvert.Tests.Formats.Cim;
using NUnit.Framework;

namespace CimConvert.Tests.Formats.BlockFile;

/// <summary>A torn, cut, lengthened or changed container is never taken for a whole one.</summary>
internal sealed class ContainerDamageTests
{
    private const int BlockSize = BlockFiles.BlockSize;

    private readonly CimLab _lab = new();

    [TearDown]
    public void RemoveFiles() => _lab.Dispose();

    [Test]
    public void A_file_cut_anywhere_is_refused([Values] bool seal)
    {
        var whole = Whole(seal);
        BlockFiles.ReadAll(whole);
        var corrupter = new Corrupter(1);
        for (var length = 0; length < whole.Length; length += BlockSize)
        {
            Refused(whole.AsSpan(0, length).ToArray(), $"cut at {length}");
        }

        for (var i = 0; i < 200; i++)
        {
            var cut = corrupter.Truncate(whole);
            Refused(cut, $"cut at {cut.Length}");
        }
    }

    [TestCase(1)]
    [TestCase(511)]
    [TestCase(512)]
    [TestCase(4096)]
    [TestCase(8192)]
    public void A_file_with_bytes_behind_it_is_refused(int more) => Assert.Multiple(() =>
    {
        var whole = Whole(seal: false);
        Refused([.. whole, .. new byte[more]], "zeros");
        Refused([.. whole, .. SeededContent.Bytes(1, more)], "noise");
        Refused([.. whole, .. whole.AsSpan(^Math.Min(more, whole.Length)..)], "its own end again");
    });

    [Test]
    public void A_zeroed_tail_is_refused([Values] bool seal)
    {
        // As a crash leaves a file whose length was written and whose last blocks were not.
        var whole = Whole(seal);
        for (var blocks = 1; blocks <= whole.Length / BlockSize; blocks++)
        {
            var torn = whole.ToArray();
            torn.AsSpan(^(blocks * BlockSize)..).Clear();
            Refused(torn, $"{blocks} blocks of zeros");
        }
    }

    [Test]
    public void Any_byte_of_the_superblock_counts([Values] bool seal)
    {
        var whole = Whole(seal);
        for (var at = whole.Length - BlockSize; at < whole.Length; at++)
        {
            whole[at] ^= 0x40;
            RefusedOnOpen(whole, $"byte {at}");
            whole[at] ^= 0x40;
        }
    }

    [Test]
    public void Bytes_that_say_nothing_are_refused_even_with_the_right_checksum()
    {
        var whole = Whole(seal: true);
        for (var at = 112; at < BlockSize - 32; at += 61)
        {
            var changed = whole.ToArray();
            changed[^(BlockSize - at)] = 1;
            Superblocks.FixChecksum(changed);
            RefusedOnOpen(changed, $"unused byte {at} of the superblock: the root digest would not change");
        }
    }

    [Test]
    public void Any_byte_of_the_directory_counts()
    {
        var whole = Whole(seal: false);
        var (start, size) = Superblocks.Directory(whole);
        for (var at = start; at < start + size; at++)
        {
            whole[at] ^= 1;
            RefusedOnOpen(whole, $"byte {at - start} of the directory");
            whole[at] ^= 1;
        }
    }

    [Test]
    public void Head_magic_and_version_count()
    {
        var whole = Whole(seal: false);
        for (var at = 0; at < 12; at++)
        {
            whole[at] ^= 1;
            RefusedOnOpen(whole, $"byte {at}");
            whole[at] ^= 1;
        }

        whole[8] = 2;
        Assert.That(() => BlockFiles.Open(whole), Throws.TypeOf<InvalidDataException>().With.Message.Contains("version 2"));
    }

    [Test]
    [Category(Categories.Slow)]
    public void Any_change_before_the_trailer_of_a_sealed_file_is_found()
    {
        var whole = Whole(seal: true);
        for (var at = 0; at < whole.Length; at += 64)
        {
            var flip = at + (at / 64 * 7 % 64);
            whole[flip] ^= 0x01;
            Refused(whole, $"byte {flip}");
            whole[flip] ^= 0x01;
        }

        BlockFiles.ReadAll(whole);
    }

    [Test]
    public void In_an_unsealed_file_metadata_is_checked_when_opened_and_data_when_verified()
    {
        var path = _lab.Write("l", Content);
        var whole = File.ReadAllBytes(path);
        var found = 0;
        using (var reader = BlockFiles.Open(whole))
        {
            foreach (var name in reader.FileNames("layer.cim"))
            {
                var content = BlockFiles.ReadFile(reader, "layer.cim", name);
                var isData = name.EndsWith("_1", StringComparison.Ordinal) || name.EndsWith("_2", StringComparison.Ordinal);
                if (!isData || name.StartsWith("objectid", StringComparison.Ordinal))
                {
                    var changed = whole.ToArray();
                    changed[changed.AsSpan().IndexOf(content.AsSpan(0, Math.Min(content.Length, BlockSize))) + 8] ^= 1;
                    Assert.That(() => BlockFiles.ReadAll(changed), Throws.TypeOf<InvalidDataException>().With.Message.Contains("does not match its checksum"), name);
                    found++;
                }
            }
        }

        Assert.That(found, Is.EqualTo(5), "metadata, three object ID files, the filesystem file");
        foreach (var content in new[] { SeededContent.Bytes(1, 20_000), SeededContent.Bytes(2, 3000) })
        {
            var changed = whole.ToArray();
            changed[changed.AsSpan().IndexOf(content.AsSpan(0, 2000)) + 1999] ^= 1;
            var damaged = _lab.Folder.Write($"damaged{content.Length}", changed);
            using var image = OpenCim.Open(damaged, []);
            Assert.That(
                () => CimVerification.Run(image, damaged, null, CancellationToken.None),
                Throws.TypeOf<InvalidDataException>().With.Message.Contains($"the {content.Length} bytes").And.Message.Contains("do not match their object ID"));
        }
    }

    private static void Content(CimWriter w)
    {
        w.File("large", SeededContent.Bytes(1, 20_000));
        w.File("small", SeededContent.Bytes(2, 3000));
    }

    private static void Refused(byte[] bytes, string what) =>
        Assert.That(() => BlockFiles.ReadAll(bytes), Throws.TypeOf<InvalidDataException>(), what);

    private static void RefusedOnOpen(byte[] bytes, string what) =>
        Assert.That(() => BlockFiles.Open(bytes), Throws.TypeOf<InvalidDataException>(), what);

    private byte[] Whole(bool seal) => File.ReadAllBytes(_lab.Write("whole", Content, seal));
}
