using System.Buffers.Binary;
using CimConvert.Cims;
using CimConvert.Cims.Tools;
using CimConvert.Formats.Cim;
using CimConvert.TestKit;
using NUnit.Framework;

namespace CimConvert.Tests.Formats.Cim;

/// <summary>
/// Metadata that lies: read or refused as invalid data, without another exception, a hang, or memory the files do not warrant.
/// All of it in one file, as all cases change one sound set and have one judge.
/// </summary>
[Category(Categories.Slow)]
internal sealed class HostileCimTests
{
    private static readonly ulong[] s_numbers =
    [
        0, 1, 2, 7, 8, 40, 0xff, 0x100, 0xffff, 0x1_0000, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff, 0x0001_0000_0000_0028, 0x0002_0000_0000_1000,
        0x0003_0000_0000_0028, 0x0000_ffff_ffff_ffff, 0x0100_ffff_ffff_ffff, 0x0001_0000_0000_0100, 0x0002_0000_0000_0010,
        0x7fff_ffff_ffff_ffff, 0xffff_ffff_ffff_ffff, 0x5555_5555_5555_5555,
    ];

    private readonly CimLab _lab = new();
    private StandardSet _sound = null!;
    private OpenCim _below = null!;

    [SetUp]
    public void WriteSound()
    {
        _sound = StandardSet.Export(_lab, Content);
        _below = OpenCim.Open(_lab.Write("below", w =>
        {
            w.File(@"d\below", "1");
            w.File("target", "2");
        }), []);
    }

    [TearDown]
    public void RemoveFiles()
    {
        _below.Dispose();
        _lab.Dispose();
    }

    [Test]
    public void The_sound_set_is_read_whole() =>
        Assert.That(_sound.ReadEverything(_below.Cim, _lab["m"], out var why), Is.True, why);

    [Test]
    public void Bytes_changed_at_random_are_read_or_refused([Range(1, 8)] int seed)
    {
        var corrupter = new Corrupter(seed);
        var (read, refused) = (0, 0);
        for (var i = 0; i < 250; i++)
        {
            var set = _sound.Copy();

            // The upcase table is most of the region: leave it out, so that most changes hit something that is followed.
            var upcase = set.UpcaseTable;
            var (before, behind) = (set.Metadata.AsSpan(0, upcase).ToArray(), set.Metadata.AsSpan(upcase + 0x20000).ToArray());
            for (var flips = 1 + (i % 4); flips > 0; flips--)
            {
                (before, behind) = (i + flips) % 2 == 0 ? (corrupter.FlipByte(before), behind) : (before, corrupter.FlipByte(behind));
            }

            before.CopyTo(set.Metadata, 0);
            behind.CopyTo(set.Metadata, upcase + 0x20000);
            (read, refused) = Judge(set, $"seed {seed}, change {i}") ? (read + 1, refused) : (read, refused + 1);
        }

        Assert.That((read > 0, refused > 20), Is.EqualTo((true, true)), "changes that only fail, or never, would show nothing");
    }

    [Test]
    public void Verification_of_changed_sets_ends_well_or_says_what_is_wrong([Range(1, 4)] int seed)
    {
        var corrupter = new Corrupter(seed);
        var directory = _lab.Folder.Sub("set");
        var refused = 0;
        for (var i = 0; i < 60; i++)
        {
            var set = _sound.Copy();
            var upcase = set.UpcaseTable;
            corrupter.FlipByte(set.Metadata.AsSpan(0, upcase)).CopyTo(set.Metadata, 0);
            var ids = set.ObjectIds.ElementAt(i % 3);
            corrupter.FlipByte(ids).CopyTo(ids, 0);
            set.SaveTo(directory);
            try
            {
                using var image = OpenCim.Open(Path.Combine(directory, StandardSet.CimName), []);
                CimVerification.Run(image, null, null, CancellationToken.None);
            }
            catch (InvalidDataException)
            {
                refused++;
            }
        }

        Assert.That(refused, Is.GreaterThan(10));
    }

    [Test]
    public void Every_field_of_every_record_may_say_anything([Range(0, 3)] int quarter)
    {
        var refused = 0;
        for (uint id = 1; id <= _sound.FileCount; id++)
        {
            if (id % 4 != quarter)
            {
                continue;
            }

            foreach (var field in new[] { 0, 4, 40, 48, 56, 64, 72, 80, 88 })
            {
                foreach (var number in s_numbers)
                {
                    var set = _sound.Copy();
                    set.U64(set.Record(id) + field, number);
                    refused += Judge(set, $"file {id}, field {field}, 0x{number:x}") ? 0 : 1;
                }
            }
        }

        Assert.That(refused, Is.GreaterThan(100));
    }

    [Test]
    public void Headers_and_directories_of_tables_may_say_anything()
    {
        var refused = 0;
        foreach (var number in s_numbers)
        {
            foreach (var at in Enumerable.Range(0, 6).Select(i => _sound.FilesystemObject + (i * 4)).Concat(Enumerable.Range(0, 4).Select(i => _sound.FileTableDirectory + (i * 4))))
            {
                var set = _sound.Copy();
                set.U32(at, (uint)number);
                refused += Judge(set, $"u32 at {at}, 0x{number:x}") ? 0 : 1;
                set = _sound.Copy();
                set.U64(at, number);
                refused += Judge(set, $"u64 at {at}, 0x{number:x}") ? 0 : 1;
            }

            for (var at = 8; at < _sound.Filesystem.Length - 8; at += 2)
            {
                var set = _sound.Copy();
                BinaryPrimitives.WriteUInt64LittleEndian(set.Filesystem.AsSpan(at), number);
                refused += Judge(set, $"filesystem file at {at}, 0x{number:x}") ? 0 : 1;
            }
        }

        Assert.That(refused, Is.GreaterThan(500));
    }

    [Test]
    public void Link_tables_may_say_anything()
    {
        var table = _sound.LinkTable(1);
        var length = (int)BinaryPrimitives.ReadUInt32LittleEndian(_sound.Metadata.AsSpan(table));
        var refused = 0;
        for (var at = table; at < table + length - 4; at += 2)
        {
            foreach (var number in s_numbers)
            {
                var set = _sound.Copy();
                set.U32(at, (uint)number);
                refused += Judge(set, $"root's link table at {at - table}, 0x{number:x}") ? 0 : 1;
            }
        }

        Assert.That(refused, Is.GreaterThan(500));
    }

    [Test]
    public void Object_ids_may_say_anything()
    {
        var refused = 0;
        foreach (var number in s_numbers)
        {
            for (var at = 40; at < 48 + 40; at += 4)
            {
                var set = _sound.Copy();
                foreach (var ids in set.ObjectIds.Where(o => o.Length > at + 8))
                {
                    BinaryPrimitives.WriteUInt64LittleEndian(ids.AsSpan(at), number);
                }

                refused += Judge(set, $"object IDs at {at}, 0x{number:x}") ? 0 : 1;
            }
        }

        Assert.That(refused, Is.GreaterThan(50));
    }

    // Each of these broke the reader or the merge once, or would be the first to.
    [Test]
    public void A_root_that_is_a_tombstone_is_refused() =>
        Refused(s => s.U16(s.Record(1), (ushort)CimFileFlags.Tombstone), "root is not a directory");

    [Test]
    public void More_file_tables_than_ids_are_refused() =>
        Refused(s => s.U32(s.FilesystemObject + 16, uint.MaxValue), "file tables");

    [Test]
    public void A_directory_in_itself_is_refused() =>
        Refused(s => s.U32(s.LinkTable(1) + 8 + 4, 1), "twice");

    [Test]
    public void Directories_that_share_one_table_are_refused()
    {
        var set = StandardSet.Export(_lab, w =>
        {
            for (var i = 0; i < 1000; i++)
            {
                w.Directory($"d{i:d4}");
            }
        });

        // Every directory gets the root's own names: the walk would be a tree of a thousand branches at every level.
        for (uint id = 2; id <= 1000; id++)
        {
            set.Metadata.AsSpan(set.Record(1) + 40, 16).CopyTo(set.Metadata.AsSpan(set.Record(id) + 40));
        }

        Assert.That(Judge(set, "shared tables"), Is.False);
    }

    [Test]
    public void Files_that_share_one_large_table_of_streams_are_refused()
    {
        var set = StandardSet.Export(_lab, w =>
        {
            for (var i = 0; i < 900; i++)
            {
                w.File($"f{i:d4}", "x");
            }

            for (var i = 0; i < 3000; i++)
            {
                w.Stream("f0000", $"s{i}", []);
            }
        });
        for (uint id = 3; id <= 900; id++)
        {
            set.Metadata.AsSpan(set.Record(2) + 80, 8).CopyTo(set.Metadata.AsSpan(set.Record(id) + 80));
        }

        set.ReadEverything(_below.Cim, _lab["m"], out var why);
        Assert.That(why, Does.Contain("overlaps others"));
    }

    [Test]
    public void Sums_of_sparse_streams_do_not_overflow()
    {
        var set = StandardSet.Export(_lab, w =>
        {
            w.File("f", "x");
            for (var i = 0; i < 33_000; i++)
            {
                w.Stream("f", $"s{i}", []);
            }
        });
        var table = (int)(BinaryPrimitives.ReadUInt64LittleEndian(set.Metadata.AsSpan(set.Record(2) + 80)) & 0xffff_ffff_ffff);
        for (var i = 0; i < 33_000; i++)
        {
            set.U64(table + 8 + (i * 16) + 8, 0x0100_ffff_ffff_ffff);
        }

        var directory = _lab.Folder.Sub("sparse");
        set.SaveTo(directory);
        using var image = OpenCim.Open(Path.Combine(directory, StandardSet.CimName), []);
        Assert.That(() => CimVerification.Run(image, null, null, CancellationToken.None), Throws.Nothing);
    }

    private static void Content(CimWriter w)
    {
        byte[] link = [0x0c, 0, 0, 0xa0, 0, 0, 0, 0];
        w.File("a", SeededContent.Bytes(1, 5000), CimWriting.Metadata(0x80) with { SecurityDescriptor = new byte[20], ExtendedAttributes = new byte[9] });
        w.Stream("a", "s1", "one"u8);
        w.Stream("a", "s2", SeededContent.Bytes(2, 4097));
        w.Directory("d");
        w.File(@"d\x", "x");
        w.File(@"d\e\y", "y");
        w.Link(@"d\hard", "a");
        w.Empty("link", CimWriting.Metadata(0) with { Reparse = link });
        w.Empty("junction", CimWriting.Metadata(0x10) with { Reparse = link });
        w.MergeLink("merge", "target");
        w.Tombstone(@"d\gone");
        w.Opaque("o");
        w.File("zeros", new byte[8192]);
    }

    private void Refused(Action<StandardSet> change, string why)
    {
        var set = _sound.Copy();
        change(set);
        Assert.That(set.ReadEverything(_below.Cim, _lab["m"], out var message), Is.False);
        Assert.That(message, Does.Contain(why));
    }

    /// <summary>Reads the set; anything but success and invalid data, or memory far beyond its size, fails the test.</summary>
    private bool Judge(StandardSet set, string what)
    {
        // Opening decodes the upcase table twice and the merge writes one and takes three 1 MiB buffers; walks make strings.
        const long room = 64 << 20;
        var before = GC.GetAllocatedBytesForCurrentThread();
        try
        {
            var read = set.ReadEverything(_below.Cim, _lab["m"], out _);
            Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.LessThan(room + (8 * set.Size)), what);
            return read;
        }
        catch (Exception e) when (e is not AssertionException)
        {
            Assert.Fail($"{what}: {e}");
            throw;
        }
    }
}
