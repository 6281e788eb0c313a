using System.Buffers.Binary;
using CimConvert.Formats.BlockFile;
using CimConvert.TestKit;
using CimConvert.Tests.Formats.Cim;
using NUnit.Framework;

namespace CimConvert.Tests.Formats.BlockFile;

/// <summary>Containers that lie, their checksums put right: read or refused, and nothing else.</summary>
[Category(Categories.Slow)]
internal sealed class HostileContainerTests
{
    private static readonly ulong[] s_numbers =
    [
        0, 1, 2, 3, 0x7f, 0x80, 0xff, 0x100, 0x1000, 0xffff, 0x10000, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff, 0x1_0000_0000,
        0x7fff_ffff_ffff_ffff, 0x7fff_ffff_ffff_f000, 0x8000_0000_0000_0000, 0xffff_ffff_ffff_ffff, 0xffff_ffff_ffff_f000,
    ];

    private readonly CimLab _lab = new();

    [TearDown]
    public void RemoveFiles() => _lab.Dispose();

    [Test]
    public void Every_field_of_the_superblock_may_say_anything([Values] bool seal)
    {
        var whole = Write(seal);
        var refused = 0;
        foreach (var field in new[] { 12, 16, 24, 32, 40 })
        {
            foreach (var number in s_numbers)
            {
                var hostile = whole.ToArray();
                BinaryPrimitives.WriteUInt64LittleEndian(Superblocks.Of(hostile)[field..], number);
                Superblocks.FixChecksum(hostile);
                refused += ReadOrRefused(hostile) ? 0 : 1;
            }
        }

        Assert.That(refused, Is.GreaterThanOrEqualTo((5 * s_numbers.Length) - 5));
    }

    [Test]
    public void Every_word_of_the_directory_may_say_anything()
    {
        var whole = Write(seal: false);
        var (start, size) = Superblocks.Directory(whole);
        var refused = 0;
        for (var at = 0; at + 8 <= size; at += 4)
        {
            foreach (var number in s_numbers)
            {
                var hostile = whole.ToArray();
                BinaryPrimitives.WriteUInt64LittleEndian(hostile.AsSpan(start + at), number);
                Superblocks.FixDirectoryDigest(hostile);
                refused += ReadOrRefused(hostile) ? 0 : 1;
                hostile = whole.ToArray();
                BinaryPrimitives.WriteUInt32LittleEndian(hostile.AsSpan(start + at), (uint)number);
                Superblocks.FixDirectoryDigest(hostile);
                refused += ReadOrRefused(hostile) ? 0 : 1;
            }
        }

        Assert.That(refused, Is.GreaterThan(1000));
    }

    [Test]
    public void Random_directories_are_read_or_refused([Range(1, 4)] int seed)
    {
        var whole = Write(seal: false);
        var (start, size) = Superblocks.Directory(whole);
        var corrupter = new Corrupter(seed);
        for (var i = 0; i < 500; i++)
        {
            var hostile = whole.ToArray();
            corrupter.FlipByte(corrupter.FlipByte(whole.AsSpan(start, size))).CopyTo(hostile, start);
            Superblocks.FixDirectoryDigest(hostile);
            ReadOrRefused(hostile);
        }
    }

    [Test]
    public void Lengths_near_the_largest_number_do_not_overflow()
    {
        var entry = new BlockDirectory.Entry("f", long.MaxValue, new byte[32], [new Extent(1, 1)]);
        var directory = BlockDirectory.Encode([new BlockDirectory.Set("s", [entry])]);
        Assert.That(() => BlockDirectory.Decode(directory, 3), Throws.TypeOf<InvalidDataException>().With.Message.Contains("9223372036854775807 bytes"));
        var extents = Enumerable.Repeat(new Extent(1, long.MaxValue / 2), 4).ToArray();
        directory = BlockDirectory.Encode([new BlockDirectory.Set("s", [entry with { Extents = extents }])]);
        Assert.That(() => BlockDirectory.Decode(directory, long.MaxValue), Throws.TypeOf<InvalidDataException>());
    }

    [Test]
    public void Files_cannot_share_extents_nor_sets_files()
    {
        // 10,000 files that each name the same 10,000 extents would be a hundred million checks from 700 KB.
        var entry = new BlockDirectory.Entry("f", 4096, new byte[32], [new Extent(1, 1)]);
        var directory = BlockDirectory.Encode([new BlockDirectory.Set("s", [entry, entry with { Name = "g" }]), new BlockDirectory.Set("t", [entry])]);
        Assert.That(BlockDirectory.Decode(directory, 3), Has.Count.EqualTo(2));
        const int secondSet = 16 + 16;
        const int secondFile = 16 + (2 * 16) + 56;
        foreach (var at in new[] { secondSet + 4, secondFile + 12 })
        {
            var hostile = directory.ToArray();
            BinaryPrimitives.WriteUInt32LittleEndian(hostile.AsSpan(at), 0);
            Assert.That(() => BlockDirectory.Decode(hostile, 3), Throws.TypeOf<InvalidDataException>().With.Message.Contains("out of order"));
        }
    }

    [Test]
    public void Counts_are_believed_only_as_far_as_there_are_bytes()
    {
        var directory = new byte[16];
        directory.AsSpan(0, 12).Fill(0xff);
        var before = GC.GetAllocatedBytesForCurrentThread();
        Assert.That(() => BlockDirectory.Decode(directory, 3), Throws.TypeOf<InvalidDataException>());
        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.LessThan(1 << 20));
    }

    [TestCase("../escaped.cim")]
    [TestCase(@"..\escaped.cim")]
    [TestCase("..")]
    [TestCase("/etc/passwd")]
    [TestCase(@"C:\x.cim")]
    [TestCase("C:x.cim")]
    [TestCase("NUL")]
    [TestCase("a\0b")]
    [TestCase("layer.cim.")]
    [TestCase("layer.cim::$DATA")]
    public void Names_that_would_lead_elsewhere_when_exported_are_refused(string name)
    {
        var entry = new BlockDirectory.Entry("f", 4096, new byte[32], [new Extent(1, 1)]);
        foreach (var set in (BlockDirectory.Set[])[new("s", [entry with { Name = name }]), new(name, [entry])])
        {
            Assert.That(
                () => BlockDirectory.Decode(BlockDirectory.Encode([set]), 3),
                Throws.TypeOf<InvalidDataException>().With.Message.StartsWith("the block CIM file's directory has a name that ").And.Message.Not.Contains("\0"));
        }
    }

    [Test]
    public void A_name_is_there_once_in_any_case()
    {
        var entry = new BlockDirectory.Entry("f", 4096, new byte[32], [new Extent(1, 1)]);
        foreach (var sets in (BlockDirectory.Set[][])[[new("s", [entry, entry with { Name = "F" }])], [new("s", [entry]), new("S", [entry])]])
        {
            Assert.That(() => BlockDirectory.Decode(BlockDirectory.Encode(sets), 3), Throws.TypeOf<InvalidDataException>().With.Message.Contains("twice"));
        }
    }

    private static bool ReadOrRefused(byte[] hostile)
    {
        try
        {
            BlockFiles.ReadAll(hostile);
            return true;
        }
        catch (InvalidDataException)
        {
            return false;
        }
    }

    private byte[] Write(bool seal) => File.ReadAllBytes(_lab.WriteBlocks("whole", blocks =>
    {
        CimLab.WriteSet(blocks, "a.cim", w => w.File("f", SeededContent.Bytes(1, 5000)));
        CimLab.WriteSet(blocks, "b.cim", w => w.File("g", "x"));
    }, seal));
}
