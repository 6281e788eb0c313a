using CimConvert.Cims;
using CimConvert.Cims.Managed;
using CimConvert.Cims.Tools;
using CimConvert.Formats.Cim;
using CimConvert.TestKit;
using NUnit.Framework;

namespace CimConvert.Tests.Formats.Cim;

/// <summary>What a merged CIM is as a file: metadata that needs its sources, wherever they are.</summary>
internal sealed class CimMergeFilesTests
{
    [Test]
    [Category(Categories.Slow)]
    public void A_merged_cim_is_metadata_only()
    {
        using var lab = new CimLab();
        var big = SeededContent.Bytes(1, 4 << 20);
        string[] sources = [lab.Write("2", w => w.File("b", "2")), lab.Write("1", w => w.File("a", big))];
        var merged = lab.Merge("m", sources);
        using var image = OpenCim.Open(merged, sources);
        Assert.That(image.Cim.OwnRegions.Count, Is.EqualTo(1), "no data regions");
        Assert.That(new FileInfo(merged).Length, Is.LessThan(200_000), "the upcase table is most of it");
        Assert.That(image.Cim.ReadAll(image.Cim.Get("a").Data), Is.EqualTo(big));
    }

    [Test]
    public void Merging_again_gives_the_same_bytes()
    {
        using var lab = new CimLab();
        var sources = LayerScript.Write(lab, "a=1 d/ d\\x=1 | b->a -d\\x c=2 | e=3");
        FileContentAssert.Equal(lab.Merge("m1", sources), lab.Merge("m2", sources));
    }

    [Test]
    public void Sources_may_move_together_and_must_be_there()
    {
        using var lab = new CimLab();
        var sources = LayerScript.Write(lab, "a=1 | b=2");
        var merged = lab.Merge("m", sources);
        var elsewhere = lab.Folder.Sub("elsewhere");
        string Move(string path)
        {
            var target = Path.Combine(elsewhere, "renamed-" + Path.GetFileName(path));
            File.Move(path, target);
            return target;
        }

        var (movedMerged, movedSources) = (Move(merged), sources.Select(Move).ToArray());
        using (var image = OpenCim.Open(movedMerged, movedSources))
        {
            Assert.That(LayerScript.List(image.Cim), Is.EqualTo("a=1 b=2"));
            Assert.That(image.Verify(movedMerged, null, CancellationToken.None).Entries, Is.EqualTo(2));
        }

        using var alone = OpenCim.Open(movedMerged, []);
        Assert.That(alone.Cim.Find(CimPath.Parse("a"))!.Value.Size, Is.EqualTo(1), "names need no source");
        Assert.That(
            () => LayerScript.List(alone.Cim),
            Throws.TypeOf<InvalidDataException>().With.Message.Contains("is missing: name the files of the CIMs that this one was made from"));
    }

    [Test]
    public void A_source_that_is_itself_merged_brings_its_sources()
    {
        using var lab = new CimLab();
        var sources = LayerScript.Write(lab, "a=1 | b=2 | c=3");
        var lower = lab.Merge("lower", sources[1..]);
        using var top = OpenCim.Open(sources[0], []);
        using var below = OpenCim.Open(lower, sources[1..]);
        var merged = lab.WriteBlocks("m", blocks => CimMerge.Write(blocks.BeginSet("m.cim"), "m.cim", [top.Cim, below.Cim], CancellationToken.None));
        using var image = OpenCim.Open(merged, [sources[0], lower, .. sources[1..]]);
        Assert.That(LayerScript.List(image.Cim), Is.EqualTo("a=1 b=2 c=3"));
        Assert.That(image.Cim.ParentRegions, Has.Count.EqualTo(4));
    }

    [Test]
    public void Identical_layers_merge()
    {
        using var lab = new CimLab();
        string[] sources = [lab.Write("2", w => w.File("a", "1")), lab.Write("1", w => w.File("a", "1"))];
        using var image = OpenCim.Open(lab.Merge("m", sources), sources);
        Assert.That(LayerScript.List(image.Cim), Is.EqualTo("a=1"));
    }

    [Test]
    [Category(Categories.Slow)]
    public void Many_sources_merge()
    {
        using var lab = new CimLab();
        var script = string.Join(" | ", Enumerable.Range(0, 40).Select(i => $"f{i:d2}={i} d{i}\\x={i} -f{i - 2:d2} common={i} l{i}->f{Math.Max(0, i - 1):d2}"));
        var sources = LayerScript.Write(lab, script.Replace("-f-2", "", StringComparison.Ordinal).Replace("-f-1", "", StringComparison.Ordinal));
        var walked = lab.Walk(lab.Merge("m", sources), sources);
        Assert.That(walked.Entries, Has.Count.EqualTo(40 + 40 + 40 + 2 + 1), "directories, files in them, links, the last two files, the common one");
        Assert.That(walked.RegionSets, Has.Count.EqualTo(41));
    }

    [TestCase(0)]
    [TestCase(1)]
    public void Fewer_than_two_sources_are_refused(int count)
    {
        using var lab = new CimLab();
        var sources = LayerScript.Write(lab, "a=1 | b=2")[..count];
        Assert.That(() => lab.Merge("m", sources), Throws.TypeOf<InvalidDataException>().With.Message.Contains("at least two"));
    }

    [TestCase("")]
    [TestCase("a\\b")]
    [TestCase("..")]
    public void The_merged_cims_name_is_a_file_name(string name)
    {
        using var lab = new CimLab();
        var sources = LayerScript.Write(lab, "a=1 | b=2").Select(s => new BlockCim(s, null)).ToArray();
        Assert.That(
            () => new ManagedBackend().Merge(lab["m"], name, sources, new BlockCimOptions(), CancellationToken.None),
            Throws.TypeOf<InvalidDataException>());
        Assert.That(File.Exists(lab["m"]), Is.False);
    }

    [Test]
    public void Cancelling_leaves_nothing()
    {
        using var lab = new CimLab();
        var sources = LayerScript.Write(lab, "a=1 | b=2").Select(s => new BlockCim(s, null)).ToArray();
        Assert.That(
            () => new ManagedBackend().Merge(lab["m"], "m.cim", sources, new BlockCimOptions(), new CancellationToken(canceled: true)),
            Throws.InstanceOf<OperationCanceledException>());
        Assert.That(Directory.EnumerateFiles(lab.Folder.Path).Select(Path.GetFileName), Is.EquivalentTo(new[] { "layer1.bcim", "layer2.bcim" }));
    }
}
