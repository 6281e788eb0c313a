using CimConvert.Cims;
using CimConvert.Cims.Managed;
using CimConvert.Formats.Cim;
using CimConvert.Formats.Windows;
using NUnit.Framework;

namespace CimConvert.Tests.Formats.Cim;

/// <summary>What a forked CIM takes over from its parent, what it writes anew, and what it refuses.</summary>
internal sealed class CimForkTests
{
    // The words of LayerScript; the last word of a case is what the last layer's CIM must list.
    [TestCase(@"a=1 b=2", "a=1 b=2", TestName = "A_base_layer_stands_for_itself")]
    [TestCase(@"-a a=1 -b !c c\d=2", @"a=1 c/0 c\d=2", TestName = "A_base_layer_has_no_whiteouts")]
    [TestCase(@"a=1 | b=2 | a=3", "a=3 b=2", TestName = "Files_come_and_replace")]
    [TestCase(@"d/ d\a=1 d\b=2 | -d\a", @"d/1 d\b=2", TestName = "A_file_is_removed")]
    [TestCase(@"d/ d\a=1 | -d\a | d\c=3", @"d/1 d\c=3", TestName = "An_emptied_directory_stays")]
    [TestCase(@"d/ d\a=1 e=2 | -d", @"e=2", TestName = "A_directory_is_removed")]
    [TestCase(@"d/ d\a=1 | -d d/ d\b=2", @"d/2 d\b=2", TestName = "A_directory_is_replaced")]
    [TestCase(@"d/ d\a=1 d\e\f=1 | d/ | D/", @"D/3 D\a=1 D\e/0 D\e\f=1", TestName = "A_directory_is_described_anew_with_what_is_in_it")]
    [TestCase(@"d/ d\a=1 | !d d\b=2", @"d/1 d\b=2", TestName = "A_directory_is_emptied")]
    [TestCase(@"d\a=1 | d=2 | d\b=3", @"d/0 d\b=3", TestName = "Files_and_directories_take_turns")]
    [TestCase(@"a=1 | -a\b !c\d -e\f", "a=1", TestName = "Whiteouts_make_no_directories")]
    [TestCase(@"a=1 d/ d\b=>a | -a | d\c->d\b", @"d/1 d\b=1 d\c=1", TestName = "A_file_that_loses_the_name_its_record_has")]
    [TestCase(@"a=1 | -a b->a", "b=1", TestName = "A_file_is_moved")]
    [TestCase(@"a=1 | b->a c->b | -a -b", "c=1", TestName = "Links_lead_to_links")]
    [TestCase(@"a=1 | a=2 b->a", "a=2 b=2", TestName = "A_link_means_its_own_layers_file_first")]
    [TestCase(@"a=1 | b=>c c=2", "", TestName = "A_hard_link_is_within_the_layer")]
    public void A_chain_of_layers(string script, string expected)
    {
        using var lab = new CimLab();
        var forks = new ForkLab(lab);
        if (expected.Length == 0)
        {
            Assert.That(() => forks.Write(script).Last(), Throws.TypeOf<InvalidDataException>());
            return;
        }

        var top = forks.Write(script).Last();

        Assert.That(ForkLab.List(top), Is.EqualTo(expected));
        Assert.That(() => forks.Walk(top), Throws.Nothing);
    }

    [TestCase("a=1 | b->c", @"link 'b': its target 'c' is in no layer")]
    [TestCase("d/ | b->d", @"link 'b': its target 'd' is a directory")]
    [TestCase("a=1 | b->c c->b", "leads back to it")]
    public void A_link_without_a_target_is_refused(string script, string message)
    {
        using var lab = new CimLab();
        var forks = new ForkLab(lab);

        Assert.That(() => forks.Write(script).Last(), Throws.TypeOf<InvalidDataException>().With.Message.Contains(message));
        Assert.That(Directory.EnumerateFileSystemEntries(forks.Directory).Select(Path.GetExtension), Has.Exactly(1).EqualTo(".cim").And.None.EqualTo(".partial"));
    }

    [Test]
    public void What_does_not_change_keeps_its_id_its_record_and_its_tables()
    {
        using var lab = new CimLab();
        var forks = new ForkLab(lab);
        var lower = forks.Write("lower", null, writer =>
        {
            writer.Directory("changed");
            writer.File(@"changed\one", "1");
            for (var i = 0; i < 3000; i++)
            {
                writer.File($@"many\{i}", "x");
            }
        });
        var upper = forks.Write("upper", lower, writer => writer.File(@"changed\two", "2"));

        using var below = OpenCim.Open(lower, []);
        using var above = OpenCim.Open(upper, []);
        var metadata = Path.Combine(forks.Directory, above.Cim.OwnFileNames.First());
        foreach (var path in (string[])["changed", @"changed\one", "many", @"many\17", @"many\2999"])
        {
            Assert.That(above.Cim.Get(path).FileId, Is.EqualTo(below.Cim.Get(path).FileId), path);
        }

        // A table of 1,024 records is 96 KiB: one has the directory that changed, one gets the file that is new.
        Assert.That(new FileInfo(metadata).Length, Is.LessThan(210 * 1024));
        Assert.That(above.Cim.Get("many"), Is.EqualTo(below.Cim.Get("many")), "the same link table");
        Assert.That(above.Cim.Get("changed").Data, Is.Not.EqualTo(below.Cim.Get("changed").Data));
        Assert.That(above.Cim.Get(@"changed\one").Data, Is.EqualTo(below.Cim.Get(@"changed\one").Data));
        Assert.That(above.Cim.ParentRegions, Is.EqualTo(below.Cim.ParentRegions.Append(below.Cim.OwnRegions)));
    }

    [Test]
    public void Streams_descriptors_and_attributes_come_through()
    {
        using var lab = new CimLab();
        var forks = new ForkLab(lab);
        var metadata = CimWriting.Metadata(Win32Attributes.Hidden, time: 77) with { SecurityDescriptor = new byte[] { 1, 2, 3 }, ExtendedAttributes = new byte[] { 4, 5, 6, 7 } };
        var lower = forks.Write("lower", null, writer =>
        {
            writer.File("kept", "kept"u8, metadata);
            writer.Stream("kept", "s", new byte[5000]);
            writer.File("replaced", "old");
            writer.Stream("replaced", "gone", [1]);
        });
        var upper = forks.Write("upper", lower, writer =>
        {
            writer.File("replaced", "new"u8, metadata);
            writer.Stream("replaced", "new", [2, 3]);
            writer.MergeLink("link", "kept");
            writer.Tombstone("kept");
        });

        using var image = OpenCim.Open(upper, []);
        var (link, replaced) = (image.Cim.Get("link"), image.Cim.Get("replaced"));
        Assert.That(image.Cim.SecurityDescriptor(link), Is.EqualTo(new byte[] { 1, 2, 3 }));
        Assert.That(image.Cim.ExtendedAttributes(link), Is.EqualTo(new byte[] { 4, 5, 6, 7 }));
        Assert.That((link.LastWriteTime, link.Attributes, link.ParentId), Is.EqualTo((77L, (uint)Win32Attributes.Hidden, image.Cim.Root.FileId)));
        Assert.That(image.Cim.AlternateStreams(link).Select(s => s.Name), Is.EqualTo(new[] { "s" }));
        Assert.That(image.Cim.AlternateStreams(replaced).Select(s => s.Name), Is.EqualTo(new[] { "new" }));
        Assert.That(image.Cim.ReadAll(image.Cim.AlternateStreams(replaced)[0].Stream), Is.EqualTo(new byte[] { 2, 3 }));
        Assert.That(() => forks.Walk(upper), Throws.Nothing);
    }

    [Test]
    public void The_same_layers_give_the_same_bytes()
    {
        const string script = @"d/ d\a=1 b=2 | -b d\c=3 x->b | !d e=4";
        using var one = new CimLab();
        using var other = new CimLab();
        var (first, second) = (new ForkLab(one), new ForkLab(other));
        _ = (first.Write(script).Last(), second.Write(script).Last());

        string[] names = [.. Directory.EnumerateFiles(first.Directory).Select(Path.GetFileName).Order(StringComparer.Ordinal)!];
        Assert.That(Directory.EnumerateFiles(second.Directory).Select(Path.GetFileName).Order(StringComparer.Ordinal), Is.EqualTo(names));
        Assert.That(names, Has.Length.EqualTo(3 * 7));
        foreach (var name in names)
        {
            Assert.That(File.ReadAllBytes(Path.Combine(second.Directory, name)), Is.EqualTo(File.ReadAllBytes(Path.Combine(first.Directory, name))), name);
        }
    }

    [Test]
    public void A_layer_of_a_block_chain_is_no_parent()
    {
        using var lab = new CimLab();
        var exported = lab.Export(lab.Write("layer.bcim", writer => writer.File("a", "1")));

        Assert.That(
            () => new ManagedBackend().CreateForked(Path.Combine(exported, "next.cim"), Path.Combine(exported, "layer.cim")),
            Throws.TypeOf<InvalidDataException>().With.Message.Contains("not a whole file system"));
        Assert.That(Directory.EnumerateFiles(exported, "next*"), Is.Empty);
    }

    [Test]
    public void A_merged_cim_can_be_forked_from()
    {
        using var lab = new CimLab();
        var sources = LayerScript.Write(lab, "a=1 b=2 | -b c=3");
        var exported = lab.Export(lab.Merge("merged.bcim", sources), sources);
        var top = Path.Combine(exported, "top.cim");
        using (var writer = new ManagedBackend().CreateForked(top, Path.Combine(exported, "merged.cim")))
        {
            writer.Tombstone(CimPath.Parse("a"));
            writer.Commit(CancellationToken.None);
        }

        Assert.That(ForkLab.List(top), Is.EqualTo("c=3"));
    }

    [Test]
    public void A_parent_in_another_directory_is_refused()
    {
        using var lab = new CimLab();
        var parent = new ForkLab(lab).Write("parent", null, writer => writer.File("a", "1"));

        Assert.That(
            () => new ManagedBackend().CreateForked(lab["elsewhere/child.cim"], parent),
            Throws.TypeOf<CimConvert.ConversionException>().With.Message.Contains("not in one directory"));
    }
}
