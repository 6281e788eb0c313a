using CimConvert.Cims;
using CimConvert.Cims.Tools;
using CimConvert.TestKit;
using CimConvert.Tests.Formats.Cim;
using NUnit.Framework;

namespace CimConvert.Tests.Cims;

/// <summary>Standard CIMs by their files: where they are, what they take, what they hold, and that they pack and compare.</summary>
public class StandardCimTests
{
    [Test]
    public void The_cim_of_a_layer_folder_is_beside_it()
    {
        using var folder = new TempFolder();
        var layer = folder.Sub("layers", "abc");
        using (Assert.EnterMultipleScope())
        {
            Assert.That(CimLayer.GetCimDirectory(layer + Path.DirectorySeparatorChar), Is.EqualTo(folder["layers", "cim-layers"]));
            Assert.That(CimLayer.GetCimName(layer), Is.EqualTo("abc.cim"));
            Assert.That(CimLayer.GetCimPath(layer), Is.EqualTo(folder["layers", "cim-layers", "abc.cim"]));
            Assert.That(CimLayer.IsCimLayer(layer), Is.False);
        }

        folder.Write("layers/cim-layers/abc.cim", []);
        Assert.That(CimLayer.IsCimLayer(layer));
    }

    [Test]
    public void Usage_tells_own_files_from_the_parents()
    {
        using var lab = new CimLab();
        var forks = new ForkLab(lab);
        var chain = forks.Write("a=1 | b=2").ToArray();
        var usage = StandardCim.Open(chain[1]).Usage();
        var lower = StandardCim.Open(chain[0]).Usage();

        Assert.That((usage.OwnFiles, usage.ParentFiles), Is.EqualTo((7, 6)));
        Assert.That(usage.ParentBytes, Is.EqualTo(lower.OwnBytes - new FileInfo(chain[0]).Length));
        Assert.That(usage.OwnBytes + lower.OwnBytes, Is.EqualTo(new DirectoryInfo(forks.Directory).EnumerateFiles().Sum(file => file.Length)));

        File.Delete(StandardCim.Open(chain[1]).OwnFiles.First());
        Assert.That(() => StandardCim.Open(chain[1]).Usage(), Throws.TypeOf<InvalidDataException>().With.Message.Contains("is missing"));
    }

    [Test]
    public void Statistics_count_entries_and_bytes_once()
    {
        using var lab = new CimLab();
        var forks = new ForkLab(lab);
        var lower = forks.Write("lower", null, writer => writer.File("below", SeededContent.Bytes(1, 5000)));
        var upper = forks.Write("upper", lower, writer =>
        {
            writer.Directory("d");
            writer.File(@"d\one", SeededContent.Bytes(2, 10_000));
            writer.File(@"d\same", SeededContent.Bytes(2, 10_000));
            writer.Stream(@"d\same", "s", "tiny"u8);
            writer.Link(@"d\link", @"d\one");
            writer.MergeLink("again", "below");
            writer.File("zeros", new byte[8192]);
        });
        using var image = OpenCim.Open(upper, []);

        var (counts, content) = CimStatistics.Count(image.Cim, CancellationToken.None);

        Assert.That(counts, Is.EqualTo(new CimCounts(Files: 4, Directories: 1, Links: 0, HardLinks: 2, AlternateStreams: 1, LayerMarks: 0)));
        Assert.That(content, Is.EqualTo(new CimContent(Total: 33_196, Sparse: 8192, InParents: 5000, Own: 20_004, Stored: 10_004)));
        Assert.That(content.Deduplicated, Is.EqualTo(10_000));
    }

    [Test]
    public void A_set_of_version_3_is_read([Values] bool forked)
    {
        using var lab = new CimLab();
        var forks = new ForkLab(lab);
        var cims = forks.Write("a=1 | b=2").ToArray();
        foreach (var path in Directory.EnumerateFiles(forks.Directory))
        {
            const int versionAt = 16;
            var bytes = File.ReadAllBytes(path);
            bytes[versionAt] = 3;
            File.WriteAllBytes(path, bytes);
        }

        var top = forked ? forks.Write("third", cims[1], writer => writer.File("c", "3")) : cims[1];

        Assert.That(ForkLab.List(top), Is.EqualTo(forked ? "a=1 b=2 c=3" : "a=1 b=2"));
        Assert.That(() => forks.Walk(top), Throws.Nothing);
    }

    [Test]
    public void A_packed_chain_opens_by_itself_and_exports_to_the_same_files([Values] bool integrity)
    {
        using var lab = new CimLab();
        var forks = new ForkLab(lab);
        var top = forks.Write(@"a=1 d\e=2 | -a f=3").Last();
        var block = lab["packed.bcim"];
        using (var image = OpenCim.Open(top, []))
        {
            var packed = CimPacking.Run(image, block, new BlockCimOptions(integrity), CancellationToken.None);
            Assert.That(packed.IntegrityRoot is not null, Is.EqualTo(integrity));
        }

        Assert.That(ForkLab.List(block), Is.EqualTo(@"d/0 d\e=2 f=3"));
        var exported = lab.Export(block);
        var names = Directory.EnumerateFiles(exported).Select(Path.GetFileName).ToArray();
        Assert.That(names, Has.Length.EqualTo(13), "the parent's regions, not its .cim");
        foreach (var name in names)
        {
            Assert.That(File.ReadAllBytes(Path.Combine(exported, name!)), Is.EqualTo(File.ReadAllBytes(Path.Combine(forks.Directory, name!))), name);
        }
    }

    [Test]
    public void A_merged_cim_packs_with_its_sources_and_exports_to_the_same_files()
    {
        using var lab = new CimLab();
        var sources = LayerScript.Write(lab, "a=1 b=2 | -b c=3");
        var merged = lab.Merge("merged.bcim", sources);
        var first = lab.Export(merged, sources);
        using (var image = OpenCim.Open(Path.Combine(first, "merged.cim"), []))
        {
            CimPacking.Run(image, lab["packed.bcim"], new BlockCimOptions(), CancellationToken.None);
        }

        var second = lab.Export(lab["packed.bcim"]);

        Assert.That(Snapshot(second), Is.EqualTo(Snapshot(first)));
    }

    [Test]
    public void A_region_that_nothing_refers_to_is_missed_as_well([Values] bool own)
    {
        using var lab = new CimLab();
        var top = new ForkLab(lab).Write("a=1 | b=2").Last();
        var cim = StandardCim.Open(top);
        var missing = (own ? cim.OwnFiles : cim.ParentFiles).ElementAt(2);
        File.Delete(missing);
        using var image = OpenCim.Open(top, []);

        Assert.That(
            () => CimVerification.Run(image, null, null, CancellationToken.None),
            Throws.TypeOf<InvalidDataException>().With.Message.Contains($"{(own ? "its own " : "")}region file '{Path.GetFileName(missing)}' is missing"));
    }

    [Test]
    public void A_set_that_lacks_a_file_is_not_packed()
    {
        using var lab = new CimLab();
        var top = new ForkLab(lab).Write("a=1 | b=2").Last();
        var missing = StandardCim.Open(top).ParentFiles.Last();
        File.Delete(missing);
        using var image = OpenCim.Open(top, []);

        Assert.That(
            () => CimPacking.Run(image, lab["packed.bcim"], new BlockCimOptions(), CancellationToken.None),
            Throws.TypeOf<InvalidDataException>().With.Message.Contains(Path.GetFileName(missing)));
        Assert.That(Directory.EnumerateFiles(lab.Folder.Path), Is.Empty);
    }

    [TestCase("a=1 d/ | b=2", "a=1 b=2 d/", "")]
    [TestCase("a=1 b=2", "a=1 b=2", "")]
    [TestCase("a=1 b=2 c=3", "a=1 b=9 d=4", "! b (content) - c + d")]
    [TestCase("a=1", "A=1", "! A (path)")]
    [TestCase("a=1", "a/", "! a (type, attributes, size, creationTime, lastWriteTime, changeTime, lastAccessTime)")]
    [TestCase("a=1 b=>a c=1", "a=1 b=1 c=>a", "! b (links) ! c (links)")]
    [TestCase(@"a\b=1 a.c=2", @"a\b=1 a\c=2 a.c=2", @"+ a\c")]
    [TestCase("a=22", "a=1", "! a (size, content)")]
    public void Differences_are_told_by_path(string first, string second, string expected)
    {
        using var lab = new CimLab();
        var (one, other) = (LayerScript.Write(lab, first, "one"), LayerScript.Write(lab, second, "other"));
        using var a = OpenCim.Open(one.Length == 1 ? one[0] : lab.Merge("a", one), one);
        using var b = OpenCim.Open(other[0], []);

        var text = string.Join(' ', CimComparison.Run(a.Cim, b.Cim).Select(d => $"{"+-!"[(int)d.Change]} {d.Path}{(d.Fields.Count > 0 ? $" ({string.Join(", ", d.Fields)})" : "")}"));

        Assert.That(text, Is.EqualTo(expected));
    }

    private static string[] Snapshot(string directory) =>
    [
        .. Directory.EnumerateFiles(directory).Order(StringComparer.Ordinal).Select(file => $"{Path.GetFileName(file)} {CimWriting.Sha256(File.ReadAllBytes(file))}"),
    ];
}
