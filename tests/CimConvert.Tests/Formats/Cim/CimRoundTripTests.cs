using System.Text;
using CimConvert.Cims;
using CimConvert.Cims.Tools;
using CimConvert.Formats.Cim;
using CimConvert.Formats.Windows;
using CimConvert.TestKit;
using NUnit.Framework;

namespace CimConvert.Tests.Formats.Cim;

/// <summary>What is written is read back: by the product's reader from the block file, and by the walker from an export.</summary>
internal sealed class CimRoundTripTests
{
    private static readonly int[] s_sizes = [0, 1, 7, 8, 9, 4095, 4096, 4097, (1 << 20) - 1, 1 << 20, (1 << 20) + 1];

    private readonly CimLab _lab = new();

    [TearDown]
    public void RemoveFiles() => _lab.Dispose();

    [Test]
    public void Contents_of_every_size_come_back([Values] bool asStreams)
    {
        var path = _lab.Write("l", w =>
        {
            foreach (var size in s_sizes)
            {
                w.File($"f{size}", asStreams ? [] : SeededContent.Bytes(size, size));
                if (asStreams)
                {
                    w.Stream($"f{size}", "s", SeededContent.Bytes(size, size));
                    w.Stream($"f{size}", "empty", []);
                }
            }
        });
        using var image = OpenCim.Open(path, []);
        var walked = _lab.Walk(path).Entries.ToDictionary(e => e.Path, StringComparer.Ordinal);
        Assert.That(walked, Has.Count.EqualTo(s_sizes.Length));
        foreach (var size in s_sizes)
        {
            var content = SeededContent.Bytes(size, size);
            var entry = image.Cim.Get($"f{size}");
            var found = walked[$"f{size}"];
            ByteAssert.Equal(content, image.Cim.ReadAll(asStreams ? image.Cim.AlternateStreams(entry)[1].Stream : entry.Data), $"{size} bytes");
            var streams = asStreams ? found.AlternateStreams : [found.Data!];
            Assert.That((streams[^1].Length, streams[^1].Sha256), Is.EqualTo(((long)size, CimWriting.Sha256(content))));
            Assert.That(found.AlternateStreams.Select(s => s.Name), Is.EqualTo(asStreams ? new[] { "empty", "s" } : []));
        }
    }

    [Test]
    public void Contents_may_come_in_any_pieces()
    {
        var content = SeededContent.Bytes(3, 300_000);
        var path = _lab.Write("l", w =>
        {
            foreach (var piece in new[] { 1, 7, 4096, 65_536, 300_000 })
            {
                // Only the last byte tells the files apart: pieces must not be compared alone.
                content[^1] = (byte)piece;
                w.CreateFile(CimPath.Parse($"f{piece}"), CimWriting.Metadata(0x80, content.Length));
                for (var at = 0; at < content.Length; at += piece)
                {
                    w.Write(content.AsSpan(at, Math.Min(piece, content.Length - at)));
                    w.Write([]);
                }

                w.CloseStream();
            }
        });
        using var image = OpenCim.Open(path, []);
        foreach (var piece in new[] { 1, 7, 4096, 65_536, 300_000 })
        {
            content[^1] = (byte)piece;
            ByteAssert.Equal(content, image.Cim.ReadAll(image.Cim.Get($"f{piece}").Data), $"in pieces of {piece}");
        }
    }

    [TestCase(0x80u, 0, 0x80u)]
    [TestCase(0u, 0, 0x80u)]
    [TestCase(0x1u, 1, 0x1u)]
    [TestCase(0x2u, 2, 0x2u)]
    [TestCase(0x4u, 4, 0x4u)]
    [TestCase(0x20u, 8, 0x20u)]
    [TestCase(0x200u, 16, 0x200u)]
    [TestCase(0x227u, 31, 0x227u)]
    [TestCase(0x2000u, 0, 0x80u, Description = "not-content-indexed has no flag")]
    [TestCase(0xffffffefu, 31, 0x227u)]
    public void Attributes_become_flags(uint attributes, int flags, uint shown)
    {
        var path = _lab.Write("l", w =>
        {
            w.File("f", "x"u8, CimWriting.Metadata(attributes));
            w.Empty("d", CimWriting.Metadata(attributes | Win32Attributes.Directory));
        });
        using var image = OpenCim.Open(path, []);
        var walked = _lab.Walk(path).Entries.ToDictionary(e => e.Path, StringComparer.Ordinal);
        Assert.That((walked["f"].Flags, walked["d"].Flags, walked["d"].IsDirectory), Is.EqualTo(((ushort)flags, (ushort)flags, true)));
        Assert.That((image.Cim.Get("f").Attributes, image.Cim.Get("d").Attributes), Is.EqualTo((shown, (shown & ~0x80u) | 0x10u)));
    }

    [Test]
    public void Metadata_comes_back_up_to_its_limits()
    {
        var largest = SeededContent.Bytes(9, ushort.MaxValue);
        byte[] reparse = [0x0c, 0, 0, 0xa0, .. SeededContent.Bytes(8, ushort.MaxValue - 4)];
        var full = CimWriting.Metadata(0x20) with
        {
            CreationTime = 1,
            LastWriteTime = long.MaxValue,
            ChangeTime = -1,
            LastAccessTime = 0x01d0_0000_0000_0000,
            SecurityDescriptor = largest,
            ExtendedAttributes = largest,
        };
        var path = _lab.Write("l", w =>
        {
            w.File("f", "x"u8, full);
            w.Empty("d", full with { Attributes = 0x10 });
            w.Empty("link", full with { Reparse = reparse });
            w.Empty("junction", CimWriting.Metadata(0x410) with { Reparse = reparse });
        });
        var walked = _lab.Walk(path).Entries.ToDictionary(e => e.Path, StringComparer.Ordinal);
        foreach (var name in new[] { "f", "d", "link" })
        {
            var e = walked[name];
            Assert.That((e.CreationTime, e.LastWriteTime, e.ChangeTime, e.LastAccessTime), Is.EqualTo((1L, long.MaxValue, -1L, 0x01d0_0000_0000_0000)));
            Assert.That(e.SecurityDescriptor.SequenceEqual(largest) && e.ExtendedAttributes.SequenceEqual(largest), Is.True, name);
        }

        Assert.That((walked["link"].ReparseTag, walked["link"].IsDirectory, walked["link"].Reparse.SequenceEqual(reparse)), Is.EqualTo((0xa000000cu, false, true)));
        Assert.That((walked["junction"].ReparseTag, walked["junction"].IsDirectory), Is.EqualTo((0xa000000cu, true)));
        using var image = OpenCim.Open(path, []);
        var file = image.Cim.Get("link");
        Assert.That((image.Cim.Reparse(file).Length, image.Cim.SecurityDescriptor(file).Length, image.Cim.ExtendedAttributes(file).Length), Is.EqualTo((65535, 65535, 65535)));
    }

    [Test]
    public void Names_are_kept_unit_by_unit_and_sorted_by_upper_case()
    {
        string[] sorted = ["A", "a1", "B", "Z", "_", "é", "\ud800", "\ud83d\ude00", "\udc00", "\ufb01"];
        var path = _lab.Write("l", w =>
        {
            foreach (var name in sorted.Reverse())
            {
                w.CreateFile(CimPath.Root.Append(name), CimWriting.Metadata(0x80));
                w.CloseStream();
            }
        });
        Assert.That(_lab.Walk(path).Entries.Select(e => e.Path), Is.EqualTo(sorted));
        using var image = OpenCim.Open(path, []);
        Assert.That(sorted.Select(n => image.Cim.Find(CimPath.Parse(n.ToUpperInvariant()))?.FileId), Has.None.Null);
        Assert.That(image.Cim.Find(CimPath.Parse("\ud801")), Is.Null);
    }

    [Test]
    public void Hard_links_are_one_file_with_several_names()
    {
        var path = _lab.Write("l", w =>
        {
            w.File("b", "content");
            w.Link("a", "B");
            w.Link(@"new\c", "a");
            w.File("b", "other");
        });
        var walked = _lab.Walk(path);
        var ids = walked.Entries.ToDictionary(e => e.Path, e => e.FileId, StringComparer.Ordinal);
        Assert.That(ids["a"], Is.EqualTo(ids[@"new\c"]).And.Not.EqualTo(ids["b"]), "the name that was replaced no longer leads to it");
        Assert.That(walked.Entries.Single(e => e.Path == "a").Data!.Sha256, Is.EqualTo(CimWriting.Sha256("content"u8)));
        Assert.That((walked.FileTableLength, walked.UnreachedFiles.Count), Is.EqualTo((4, 0)), "root, two files, one directory");
    }

    [Test]
    public void Zeros_of_a_page_and_more_are_not_stored()
    {
        var zeros = new byte[5 << 20];
        var path = _lab.Write("l", w =>
        {
            w.File("page", zeros.AsSpan(0, 4096));
            w.File("large", zeros);
            w.File("small", zeros.AsSpan(0, 4095));
            zeros[^1] = 1;
            w.File("end", zeros.AsSpan(^(1 << 20)));
        });
        var walked = _lab.Walk(path).Entries.ToDictionary(e => e.Path, e => e.Data!, StringComparer.Ordinal);
        zeros[^1] = 0;
        Assert.That((walked["page"].IsSparse, walked["large"].IsSparse, walked["small"].IsSparse, walked["end"].IsSparse), Is.EqualTo((true, true, false, false)));
        Assert.That((walked["large"].Length, walked["large"].Sha256), Is.EqualTo(((long)zeros.Length, CimWriting.Sha256(zeros))));
        Assert.That(new FileInfo(path).Length, Is.LessThan((1 << 20) + 250_000));
    }

    [Test]
    public void Identical_contents_are_stored_once()
    {
        var (small, large) = (SeededContent.Bytes(1, 3000), SeededContent.Bytes(2, 3 << 20));
        string Write(string file, int copies) => _lab.Write(file, w =>
        {
            for (var i = 0; i < copies; i++)
            {
                w.File($"large{i}", large);
                w.File($"small{i}", small);
                w.File($"other{i}", Encoding.UTF8.GetBytes($"{i}"));
                w.Stream($"other{i}", "s", large);
            }
        });
        var (one, ten) = (Write("1", 1), Write("10", 10));
        Assert.That(new FileInfo(ten).Length - new FileInfo(one).Length, Is.LessThan(16_384), "only names and records are added");
        using var image = OpenCim.Open(ten, []);
        Assert.That(image.Cim.Get("large9").Data, Is.EqualTo(image.Cim.Get("large0").Data));
        Assert.That(_lab.Walk(ten).ObjectIds, Is.EqualTo(12), "one large, one small, ten digits");
        Assert.That(image.Verify(ten, null, CancellationToken.None).Objects, Is.EqualTo(12));
    }

    [Test]
    public void Small_and_large_files_may_alternate()
    {
        // Large duplicates are taken back from the container's end while other files' blocks lie before it.
        var path = _lab.Write("l", w =>
        {
            for (var i = 0; i < 60; i++)
            {
                w.File($"large{i}", SeededContent.Bytes(i % 7, 700_000 + (i % 7)));
                w.File($"small{i}", SeededContent.Bytes(i, 2000 + i));
            }
        });
        using var image = OpenCim.Open(path, []);
        Assert.That(image.Verify(path, null, CancellationToken.None).Objects, Is.EqualTo(67));
        for (var i = 0; i < 60; i++)
        {
            ByteAssert.Equal(SeededContent.Bytes(i % 7, 700_000 + (i % 7)), image.Cim.ReadAll(image.Cim.Get($"large{i}").Data));
            ByteAssert.Equal(SeededContent.Bytes(i, 2000 + i), image.Cim.ReadAll(image.Cim.Get($"small{i}").Data));
        }
    }

    [Test]
    public void An_empty_cim_has_a_root_and_nothing_in_it()
    {
        var walked = _lab.Walk(_lab.Write("l", _ => { }));
        Assert.That((walked.Entries.Count, walked.FileTableLength, walked.Root.SecurityDescriptor.Length), Is.EqualTo((0, 1, 20)));
    }
}
