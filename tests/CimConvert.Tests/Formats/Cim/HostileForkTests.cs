using CimConvert.Formats.BlockFile;
using CimConvert.Formats.Cim;
using NUnit.Framework;

namespace CimConvert.Tests.Formats.Cim;

/// <summary>A parent's metadata may say anything: forking from it succeeds or is refused, and ends.</summary>
[Category(Categories.Slow)]
internal sealed class HostileForkTests
{
    private static readonly ulong[] s_numbers = [0, 1, 2, 3, 7, 0xffff, 0x10000, 0xffff_ffff, 1UL << 48, (1UL << 48) | 40, (2UL << 48) | 40, ulong.MaxValue];

    private CimLab _lab = null!;
    private StandardSet _sound = null!;

    [SetUp]
    public void MakeParent()
    {
        _lab = new CimLab();
        _sound = StandardSet.Export(_lab, writer =>
        {
            writer.Directory("d");
            writer.File(@"d\a", "1");
            writer.File(@"d\b", "2");
            writer.Stream(@"d\b", "s", [1, 2, 3]);
            writer.Link("c", @"d\a");
            writer.Directory(@"d\e");
            writer.File(@"d\e\f", new byte[] { 4 });
            writer.File("removed", "5");
            writer.Link(@"d\e\g", "removed");
        });

        // A block layer's marks are what makes it no parent.
        for (uint id = 1; id <= _sound.FileCount; id++)
        {
            _sound.U16(_sound.Record(id), 0);
        }
    }

    [TearDown]
    public void Remove() => _lab.Dispose();

    [Test]
    public void A_sound_parent_is_forked_from() => Assert.That(TryFork(_sound), Is.True);

    [Test]
    public void Every_field_of_every_record_may_say_anything()
    {
        var refused = 0;
        for (uint id = 1; id <= _sound.FileCount; id++)
        {
            foreach (var field in (int[])[0, 4, 40, 48, 56, 72, 80, 88])
            {
                foreach (var number in s_numbers)
                {
                    var set = _sound.Copy();
                    set.U64(set.Record(id) + field, number);
                    refused += TryFork(set) ? 0 : 1;
                }
            }
        }

        Assert.That(refused, Is.GreaterThan(50));
    }

    [Test]
    public void Tables_and_links_may_say_anything([Range(0, 3)] int seed)
    {
        var random = new Random(seed);
        var refused = 0;
        for (var round = 0; round < 150; round++)
        {
            var set = _sound.Copy();
            for (var changes = random.Next(1, 4); changes > 0; changes--)
            {
                // Not in the upcase table, which is most of the region and only compared.
                var at = random.Next(40, set.Metadata.Length);
                at = at >= set.UpcaseTable && at < set.UpcaseTable + UpcaseTable.SizeInBytes ? set.FileTableDirectory + (at % (set.UpcaseTable - set.FileTableDirectory)) : at;
                set.Metadata[at] = random.Next(3) == 0 ? (byte)random.Next(256) : (byte)(set.Metadata[at] ^ (1 << random.Next(8)));
            }

            refused += TryFork(set) ? 0 : 1;
        }

        Assert.That(refused, Is.GreaterThan(10));
    }

    [Test]
    public void Another_upcase_table_is_refused()
    {
        _sound.Metadata[_sound.UpcaseTable + 0x200] ^= 1;
        Assert.That(TryFork(_sound), Is.False);
    }

    /// <summary>False where it was refused; anything but a refusal fails the test.</summary>
    private bool TryFork(StandardSet parent)
    {
        try
        {
            using var below = new CimReader(StandardSet.CimName, parent);
            using var handle = File.OpenHandle(_lab["scratch"], FileMode.Create, FileAccess.ReadWrite);
            var blocks = new BlockFileWriter(handle);
            using var writer = CimWriter.Fork(blocks.BeginSet("f.cim"), "f.cim", below);
            writer.Tombstone(@"d\a");
            writer.File(@"d\new", "new");
            writer.MergeLink("link", @"d\b");
            writer.Opaque(@"d\e");
            writer.Tombstone("removed");
            writer.Directory("D");
            writer.Commit();
            return true;
        }
        catch (InvalidDataException)
        {
            return false;
        }
    }
}
