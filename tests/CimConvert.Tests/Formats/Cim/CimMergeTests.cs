using CimConvert.Cims;
using CimConvert.Formats.Cim;
using CimConvert.Formats.Windows;
using CimConvert.TestKit;
using NUnit.Framework;

namespace CimConvert.Tests.Formats.Cim;

/// <summary>What is visible of a chain of layers, rule by rule; the words are those of <see cref="LayerScript"/>.</summary>
internal sealed class CimMergeTests
{
    // The topmost source wins.
    [TestCase("a=1 | a=2", "a=2")]
    [TestCase("a=1 | b=2 | a=3", "a=3 b=2")]
    [TestCase("a=1 | b=2", "a=1 b=2")]

    // A tombstone hides its path and all below it, in lower sources only.
    [TestCase("a=1 b=1 | -a", "b=1")]
    [TestCase("d/ d\\x=1 d\\e\\y=1 b=1 | -d", "b=1")]
    [TestCase("a=1 | -a | a=3", "a=3")]
    [TestCase("a=1 | a=2 | -a", "")]
    [TestCase("d/ d\\x=1 d\\y=1 | -d\\x", "d/1 d\\y=1")]
    [TestCase("a=1 | -b", "a=1")]
    [TestCase("a=1 | -a a=2", "a=2")]
    [TestCase("a=1 | a=2 -a", "a=2")]

    // A directory made again after a tombstone starts empty, described or not.
    [TestCase("d/ d\\x=1 | -d d/ d\\y=2", "d/2 d\\y=2")]
    [TestCase("d/ d\\x=1 | d/ d\\y=2 -d", "d/2 d\\y=2")]
    [TestCase("d/ d\\x=1 | -d d\\y=2", "d/0 d\\y=2")]
    [TestCase("d/ d\\x=1 | d\\y=2 -d", "d/0 d\\y=2")]
    [TestCase("d/ d\\x=1 | -d | d/", "d/3")]
    [TestCase("d/ d\\x=1 | -d | d\\z=3", "d/0 d\\z=3")]

    // Opaque directories hide what is in lower ones, and nothing else of them.
    [TestCase("d/ d\\x=1 | d/ !d d\\y=2", "d/2 d\\y=2")]
    [TestCase("d/ d\\x=1 | !d d\\y=2", "d/1 d\\y=2")]
    [TestCase("d/ d\\x=1 | !d", "d/1")]
    [TestCase("d\\x=1 | !d", "d/0")]
    [TestCase("a=1 | !d", "a=1")]
    [TestCase("d=1 | !d", "d=1")]
    [TestCase("d/ d\\x=1 | d\\y=2 | !d", "d/1")]
    [TestCase("d/ d\\x=1 | d/ d\\y=2 | !d d\\z=3", "d/2 d\\z=3")]
    [TestCase("d/ d\\x=1 | -d | !d", "")]
    [TestCase("d/ d\\x=1 | -d !d\\e", "")]

    // Directories unite with the metadata of the topmost that describes them.
    [TestCase("d/ d\\x=1 | d/ d\\y=2", "d/2 d\\x=1 d\\y=2")]
    [TestCase("d/ d\\x=1 | d\\y=2", "d/1 d\\x=1 d\\y=2")]
    [TestCase("d/ d\\x=1 | d/ | d\\y=3", "d/2 d\\x=1 d\\y=3")]
    [TestCase("d\\x=1 | d\\y=2 | d\\z=3", "d/0 d\\x=1 d\\y=2 d\\z=3")]

    // File over directory and back.
    [TestCase("d/ d\\x=1 | d=2", "d=2")]
    [TestCase("d=1 | d/ d\\x=2", "d/2 d\\x=2")]
    [TestCase("d=1 | d\\x=2", "d/0 d\\x=2")]
    [TestCase("d/ d\\x=1 | d=2 | d/ d\\y=3", "d/3 d\\y=3")]
    [TestCase("d/ d\\x=1 | d=2 | d\\y=3", "d/0 d\\y=3")]
    [TestCase("d/ d\\x=1 | d=2 d/ d\\y=2", "d/2 d\\y=2")]

    // A directory is not there for the whiteouts in it; but it stays where a lower layer had something in it.
    [TestCase("a=1 | -d\\x", "a=1")]
    [TestCase("a=1 | -d\\e\\x -d\\f", "a=1")]
    [TestCase("d\\x=1 | -d\\x", "d/0")]
    [TestCase("d\\e\\x=1 | -d\\e", "d/0")]
    [TestCase("d\\e\\x=1 | -d\\e\\x", "d/0 d\\e/0")]
    [TestCase("d=1 | -d\\x", "d=1")]
    [TestCase("d\\x=1 | -d\\x -d", "")]
    [TestCase("d/ | -d\\x | !d", "d/1")]

    // Names compare by the upcase table; the topmost that describes an entry spells it.
    [TestCase("name=1 | NAME=2", "NAME=2")]
    [TestCase("Dir/ Dir\\x=1 | dIR/ dIR\\X=2", "dIR/2 dIR\\X=2")]
    [TestCase("Dir/ Dir\\x=1 | dIR\\y=2", "Dir/1 Dir\\x=1 Dir\\y=2")]
    [TestCase("Dir\\x=1 | dIR\\y=2", "Dir/0 Dir\\x=1 Dir\\y=2")]
    [TestCase("straße=1 | STRAßE=2 | STRASSE=3", "STRASSE=3 STRAßE=2")]
    [TestCase("é=1 | -É", "")]

    // Sorted by upper case: '_' (0x5f) stands behind 'Z' and before no letter.
    [TestCase("a=1 _=1 | B=2 z=2", "a=1 B=2 z=2 _=1")]
    public void Layers_merge(string script, string expected)
    {
        using var lab = new CimLab();
        Assert.That(LayerScript.Merge(lab, script), Is.EqualTo(expected));
    }

    // To a file in a lower layer, to a link there, to a link in the same layer, and over three layers.
    [TestCase("a=1 | b->a", "a=1 b=1")]
    [TestCase("a=1 | b->a | c->b", "a=1 b=1 c=1")]
    [TestCase("a=1 | b->a c->b", "a=1 b=1 c=1")]
    [TestCase("a=1 | c->b b->a", "a=1 b=1 c=1")]
    [TestCase("a=1 | x=2 | b->a | c->b | d->c", "a=1 b=1 c=1 d=1 x=2")]

    // A link sees what the layers below its own showed, whatever is done to the target by its layer or above.
    [TestCase("a=1 | b->a | a=3", "a=3 b=1")]
    [TestCase("a=1 | b->a | -a", "b=1")]
    [TestCase("a=1 | b->a -a", "b=1")]
    [TestCase("d\\a=1 | b->d\\a -d", "b=1")]
    [TestCase("d\\a=1 | b->d\\a !d", "b=1 d/0")]
    [TestCase("a=1 | a=2 | b->a", "a=2 b=2")]
    [TestCase("a=1 | b->a a=2", "a=2 b=2")]
    [TestCase("A=1 | b->a", "A=1 b=1")]
    [TestCase("b=0 a=1 | b->a", "a=1 b=1")]
    [TestCase("a=1 | b->a | -b", "a=1")]
    [TestCase("d=1 | d\\a=2 | b->d\\a", "b=2 d/0 d\\a=2")]
    public void Merge_links_find_their_file(string script, string expected)
    {
        using var lab = new CimLab();
        Assert.That(LayerScript.Merge(lab, script), Is.EqualTo(expected));
    }

    [TestCase("a=1 | d\\b->x\\y", @"link 'd\b': its target 'x\y' is in no layer")]
    [TestCase("a=1 | -a | b->a", "link 'b': its target 'a' is in no layer")]
    [TestCase("d\\a=1 | !d | b->d\\a", @"link 'b': its target 'd\a' is in no layer")]
    [TestCase("a=1 | b->c | c=3", "link 'b': its target 'c' is in no layer")]
    [TestCase("a=1 | b->c c->b", "link 'b': following its target 'c' leads back to it")]
    [TestCase("a=1 | b->b", "link 'b': following its target 'b' leads back to it")]
    [TestCase("d/ | b->d", "link 'b': its target 'd' is a directory")]
    [TestCase("a=1 | d/ b->d", "link 'b': its target 'd' is a directory")]
    [TestCase("a=1 | b->a\\x", @"link 'b': its target 'a\x' is in no layer")]
    public void A_merge_link_without_a_file_is_an_error_naming_both(string script, string message)
    {
        using var lab = new CimLab();
        Assert.That(() => LayerScript.Merge(lab, script), Throws.TypeOf<InvalidDataException>().With.Message.Contains(message));
        Assert.That(File.Exists(lab["merged.bcim"]) || File.Exists(lab["merged.bcim.partial"]), Is.False);
    }

    [Test]
    public void An_opaque_root_hides_every_lower_layer_from_links_too()
    {
        using var lab = new CimLab();
        string[] sources =
        [
            lab.Write("3", w => w.MergeLink("l", "a")),
            lab.Write("2", w =>
            {
                w.MakeOpaque(CimPath.Root);
                w.File("b", "2");
            }),
            lab.Write("1", w => w.File("a", "1")),
        ];
        Assert.That(() => lab.Merge("m3", sources), Throws.TypeOf<InvalidDataException>().With.Message.Contains("'a' is in no layer"));
        using var merged = OpenCim.Open(lab.Merge("m2", sources[1..]), sources[1..]);
        Assert.That(LayerScript.List(merged.Cim), Is.EqualTo("b=2"));
    }

    [Test]
    public void Hard_links_and_resolved_links_stay_one_file()
    {
        using var lab = new CimLab();
        var sources = LayerScript.Write(lab, "a=x b=>a d\\c=>b e=x | l->a n=new m=>n");
        var walked = lab.Walk(lab.Merge("m", sources), sources).Entries.ToDictionary(e => e.Path, e => e.FileId, StringComparer.Ordinal);
        Assert.That(new[] { walked["b"], walked[@"d\c"], walked["l"] }, Is.All.EqualTo(walked["a"]));
        Assert.That(walked["e"], Is.Not.EqualTo(walked["a"]), "same content, another file");
        Assert.That(walked["m"], Is.EqualTo(walked["n"]));
    }

    [Test]
    public void Everything_a_file_has_comes_along()
    {
        using var lab = new CimLab();
        byte[] junction = [3, 0, 0, 0xa0, 0, 0, 0, 0];
        var content = SeededContent.Bytes(1, 5000);
        string[] sources =
        [
            lab.Write("2", w => w.File("z", "2")),
            lab.Write("1", w =>
            {
                w.File("f", content, CimWriting.Metadata(Win32Attributes.Hidden, time: 77) with
                {
                    SecurityDescriptor = new byte[] { 1, 2, 3 },
                    ExtendedAttributes = new byte[] { 4, 5 },
                });
                w.Stream("f", "s", content.AsSpan(0, 4999));
                w.Empty("j", CimWriting.Metadata(Win32Attributes.Directory) with { Reparse = junction });
            }),
        ];
        var walked = lab.Walk(lab.Merge("m", sources), sources).Entries.ToDictionary(e => e.Path, StringComparer.Ordinal);
        var file = walked["f"];
        Assert.Multiple(() =>
        {
            Assert.That((file.Flags, file.ChangeTime, file.Data!.Sha256), Is.EqualTo(((ushort)2, 77L, CimWriting.Sha256(content))));
            Assert.That(file.SecurityDescriptor, Is.EqualTo(new byte[] { 1, 2, 3 }));
            Assert.That(file.ExtendedAttributes, Is.EqualTo(new byte[] { 4, 5 }));
            Assert.That(file.AlternateStreams.Single().Sha256, Is.EqualTo(CimWriting.Sha256(content.AsSpan(0, 4999))));
            Assert.That((walked["j"].IsDirectory, walked["j"].ReparseTag, walked["j"].Reparse), Is.EqualTo((true, 0xa0000003u, junction)));
        });
    }

    [Test]
    public void Alternate_streams_on_a_directory_are_those_of_the_layer_that_describes_it()
    {
        using var lab = new CimLab();
        string[] sources =
        [
            lab.Write("2", w => w.File(@"d\x", "2")),
            lab.Write("1", w =>
            {
                w.Directory("d", 1);
                w.Stream("d", "s", "lower"u8);
            }),
        ];
        var walked = lab.Walk(lab.Merge("m", sources), sources).Entries.ToDictionary(e => e.Path, StringComparer.Ordinal);
        Assert.That(walked["d"].AlternateStreams.Select(s => s.Sha256), Is.EqualTo(new[] { CimWriting.Sha256("lower"u8) }));
    }
}
