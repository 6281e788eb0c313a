using CimConvert.Cims;
using CimConvert.Formats.Cim;
using NUnit.Framework;

namespace CimConvert.Tests.Formats.Cim;

/// <summary>What one layer says twice; the words are those of <see cref="LayerScript"/>.</summary>
internal sealed class CimReplacementTests
{
    [TestCase("a=1 a=2", "a=2")]
    [TestCase("a=1 A=2", "A=2")]
    [TestCase("a/ a=2", "a=2")]
    [TestCase("a\\x=1 a=2", "a=2")]
    [TestCase("a=1 a/", "a:Opaque", Description = "it took the place of a file, which hid what is lower")]
    [TestCase("a\\x=1 a/", "a/1 a\\x=1")]
    [TestCase("a/ a\\x=1 A/", "A/1 A\\x=1")]
    [TestCase("a\\x=1 a=2 a\\y=3", null, Description = "an entry below a file")]
    [TestCase("a\\b\\x=1 a\\b=2", "a:Implicit a\\b=2")]
    [TestCase("a\\b\\c\\x=1 a=2 a/ a\\b\\y=1", "a:Opaque a\\b:Implicit a\\b\\y=1")]
    [TestCase("a\\x=1", "a:Implicit a\\x=1")]
    [TestCase("-a", "a:Tombstone")]
    [TestCase("-a a=1", "a=1")]
    [TestCase("a=1 -a", "a=1")]
    [TestCase("-a a/", "a:Opaque")]
    [TestCase("a/ -a", "a:Opaque")]
    [TestCase("-a a\\x=1", "a:Opaque a\\x=1")]
    [TestCase("a\\x=1 -a", "a:Opaque a\\x=1")]
    [TestCase("-a -a\\x", "a:Tombstone")]
    [TestCase("-a\\x -a", "a:Tombstone")]
    [TestCase("-a\\b\\x -a\\c -a", "a:Tombstone")]
    [TestCase("-a !a", "a:Tombstone")]
    [TestCase("-a !a\\b", "a:Tombstone")]
    [TestCase("!a", "a:Opaque, Implicit")]
    [TestCase("!a a/", "a:Opaque")]
    [TestCase("!a -a", "a:Tombstone")]
    [TestCase("a/ !A", "a:Opaque")]
    [TestCase("a=1 !a", null)]
    [TestCase("a->b", "a:MergeLink")]
    [TestCase("a->b a=1", "a=1")]
    [TestCase("a=1 a->b", "a:MergeLink")]
    [TestCase("a=1 b=>a a=2", "a=2 b=1")]
    [TestCase("a=1 a=>a", "a=1")]
    [TestCase("a\\f=1 a=>a\\f", "a=1")]
    [TestCase("b=>a a=1", null, Description = "a hard link's target comes first")]
    [TestCase("a/ b=>a", null)]
    [TestCase("-a b=>a", null)]
    [TestCase("a->x b=>a", null)]
    public void The_last_entry_of_a_name_stands(string layer, string? expected)
    {
        using var lab = new CimLab();
        if (expected is null)
        {
            Assert.That(() => lab.Write("l", w => LayerScript.Apply(w, layer, 1)), Throws.TypeOf<InvalidDataException>());
            return;
        }

        var path = lab.Write("l", w => LayerScript.Apply(w, layer, 1));
        using var image = OpenCim.Open(path, []);
        Assert.That(string.Join(' ', CimWalk.Below(image.Cim, CimPath.Root, image.Cim.Root).Select(e => Word(image.Cim, e.Path, e.Entry))), Is.EqualTo(expected));
        Assert.That(lab.Walk(path).UnreachedFiles, Is.Empty, "what was replaced leaves no record");
    }

    [Test]
    public void The_parent_last_used_may_be_replaced()
    {
        using var lab = new CimLab();
        var path = lab.Write("l", w => LayerScript.Apply(w, "a\\b\\x=1 A=2 A/ a\\b\\y=3 a\\b=4 a\\c\\z=5", 1));
        Assert.That(lab.Walk(path).Entries.Select(e => e.Path), Is.EqualTo(new[] { "A", @"A\b", @"A\c", @"A\c\z" }));
    }

    [Test]
    public void A_stream_is_replaced_by_one_of_the_same_name_in_any_case()
    {
        using var lab = new CimLab();
        var path = lab.Write("l", w =>
        {
            w.File("f", "x");
            w.Stream("f", "s", "1"u8);
            w.Stream("F", "S", "2"u8);
        });
        var stream = lab.Walk(path).Entries.Single().AlternateStreams.Single();
        Assert.That((stream.Name, stream.Sha256), Is.EqualTo(("S", CimWriting.Sha256("2"u8))));
    }

    [Test]
    public void A_replaced_file_loses_its_streams_and_a_directory_keeps_them()
    {
        using var lab = new CimLab();
        var path = lab.Write("l", w =>
        {
            w.File("f", "x");
            w.Stream("f", "s", "1"u8);
            w.File("f", "y");
            w.Directory("d");
            w.Stream("d", "s", "1"u8);
            w.Directory("d");
        });
        Assert.That(lab.Walk(path).Entries.Select(e => e.AlternateStreams.Count), Is.EqualTo(new[] { 1, 0 }));
    }

    [Test]
    public void The_root_can_be_described_and_nothing_else()
    {
        using var lab = new CimLab();
        var path = lab.Write("l", w =>
        {
            w.CreateFile(CimPath.Root, CimWriting.Metadata(0x12, time: 5));
            w.CloseStream();
            Assert.That(() => w.File("", ""), Throws.TypeOf<InvalidDataException>());
            Assert.That(() => w.Tombstone(CimPath.Root), Throws.TypeOf<InvalidDataException>());
            Assert.That(() => w.MergeLink("", "a"), Throws.TypeOf<InvalidDataException>());
            Assert.That(() => w.MergeLink("a", ""), Throws.TypeOf<InvalidDataException>());
        });
        var root = lab.Walk(path).Root;
        Assert.That((root.Flags, root.ChangeTime), Is.EqualTo(((ushort)2, 5L)));
    }

    private static string Word(CimReader cim, CimPath path, CimEntry entry) =>
        (entry.Flags & CimFileFlags.LayerMask) != 0 ? $"{path}:{entry.Flags}"
        : entry.IsDirectory ? $"{path}/{entry.LastWriteTime}"
        : $"{path}={System.Text.Encoding.UTF8.GetString(cim.ReadAll(entry.Data))}";
}
