using CimConvert.Containerd;
using CimConvert.Containerd.Api;
using NUnit.Framework;

namespace CimConvert.Tests.Containerd;

/// <summary>Mounts written by hand after containerd's plugins/snapshots/windows, on paths of Windows and of this system.</summary>
public class SnapshotMountTests
{
    private const string Root = @"C:\ProgramData\containerd\root\io.containerd.snapshotter.v1.cimfs\snapshots\";

    [Test]
    public void A_forked_base_layer_has_a_CIM_and_no_parents()
    {
        var mount = SnapshotMount.Parse(Mount("CimFS", Root + "1", "rw", $"cimpath={Root}cim-layers\\1.cim"));
        using (Assert.EnterMultipleScope())
        {
            Assert.That(mount.Kind, Is.EqualTo(MountKind.CimFs));
            Assert.That(mount.Folder, Is.EqualTo(Root + "1"));
            Assert.That(mount.CimPath, Is.EqualTo(Root + @"cim-layers\1.cim"));
            Assert.That(mount.CimName, Is.EqualTo("1.cim"));
            Assert.That(mount.ParentFolders, Is.Empty);
            Assert.That(mount.ParentCims, Is.Empty);
            Assert.That(mount.IsLayer, Is.True);
        }
    }

    [Test]
    public void A_path_may_have_Windows_long_form() =>
        Assert.That(SnapshotMount.Parse(Mount("CimFS", @"\\?\C:\s\1", @"cimpath=\\?\C:\s\1.cim")).CimName, Is.EqualTo("1.cim"));

    [Test]
    public void A_forked_layer_names_folders_and_CIMs_below_nearest_first()
    {
        var mount = SnapshotMount.Parse(Mount(
            "CimFS", "/s/3", "rw", "cimpath=/s/cim-layers/3.cim", """parentLayerPaths=["/s/2","/s/1"]""", """parentCimPaths=["/s/cim-layers/2.cim","/s/cim-layers/1.cim"]"""));
        Assert.That(mount.ParentFolders, Is.EqualTo(new[] { "/s/2", "/s/1" }));
        Assert.That(mount.ParentCims, Is.EqualTo(new SnapshotCim[] { new("/s/cim-layers/2.cim", "2.cim"), new("/s/cim-layers/1.cim", "1.cim") }));
    }

    [Test]
    public void A_block_layer_has_its_block_file_beside_its_hives([Values] bool integrity, [Values] bool footer)
    {
        List<string> options = ["""parentCimPaths=["C:\\r\\snapshots\\1\\layer.vhd\\layer.cim"]""", "blockCIMType=file"];
        options.AddRange(integrity ? ["enable_layer_integrity"] : []);
        options.AddRange(footer ? ["append_vhd_footer"] : []);
        var mount = SnapshotMount.Parse(Mount("BlockCIM", @"C:\r\snapshots\2\layer.vhd\layer.cim", [.. options]));
        using (Assert.EnterMultipleScope())
        {
            Assert.That(mount.Kind, Is.EqualTo(MountKind.BlockCim));
            Assert.That(mount.Folder, Is.EqualTo(@"C:\r\snapshots\2"));
            Assert.That(mount.CimPath, Is.EqualTo(@"C:\r\snapshots\2\layer.vhd"));
            Assert.That(mount.CimName, Is.EqualTo("layer.cim"));
            Assert.That(mount.ParentFolders, Is.EqualTo(new[] { @"C:\r\snapshots\1" }));
            Assert.That(mount.ParentCims, Is.EqualTo(new[] { new SnapshotCim(@"C:\r\snapshots\1\layer.vhd", "layer.cim") }));
            Assert.That(mount.LayerIntegrity, Is.EqualTo(integrity));
            Assert.That(mount.VhdFooter, Is.EqualTo(footer));
        }
    }

    [TestCase("[]")]
    [TestCase("null")]
    public void A_block_base_layer_has_a_list_without_parents(string list)
    {
        var mount = SnapshotMount.Parse(Mount("BlockCIM", "/s/1/layer.vhd/layer.cim", $"parentCimPaths={list}", "blockCIMType=file"));
        Assert.That(mount.ParentCims, Is.Empty);
        Assert.That((mount.Folder, mount.CimPath), Is.EqualTo(("/s/1", "/s/1/layer.vhd")));
    }

    [Test]
    public void A_containers_snapshot_is_no_layer()
    {
        var mount = SnapshotMount.Parse(Mount(
            "BlockCIM",
            "/s/3",
            """parentCimPaths=["/s/2/layer.vhd/layer.cim","/s/1/layer.vhd/layer.cim"]""",
            "blockCIMType=file",
            "mergedCIMPath=/s/2/merged.vhd/merged.cim"));
        Assert.That(mount.IsLayer, Is.False);
        Assert.That(mount.Folder, Is.EqualTo("/s/3"));
    }

    private static TestCaseData[] Wrong =>
    [
        new("windows-layer", "/s/1", new[] { "rw" }, "type 'windows-layer'"),
        new("a\nb", "/s/1", new[] { "rw" }, "type 'a?b'"),
        new("CimFS", "/s/1", new[] { "rw" }, "lacks the option cimpath="),
        new("CimFS", "/s/1", new[] { "cimpath=/s/1.cim", "cimpath=/s/1.cim" }, "has cimpath= twice"),
        new("CimFS", "s/1", new[] { "cimpath=/s/1.cim" }, "source 's/1' is not an absolute path"),
        new("CimFS", "/s/../1", new[] { "cimpath=/s/1.cim" }, "is not an absolute path"),
        new("CimFS", "C:1", new[] { "cimpath=/s/1.cim" }, "is not an absolute path"),
        new("CimFS", @"\\server\s\1", new[] { "cimpath=/s/1.cim" }, @"source '\\server\s\1' is on another machine"),
        new("CimFS", "//server/s/1", new[] { "cimpath=/s/1.cim" }, "is on another machine"),
        new("CimFS", @"\\?\UNC\server\s\1", new[] { "cimpath=/s/1.cim" }, "is on another machine"),
        new("CimFS", "/s/1", new[] { "cimpath=/s/1.txt" }, "does not end with .cim"),
        new("CimFS", "/s/1", new[] { "cimpath=/s/1.cim", "parentLayerPaths=[\"/s/0\"]" }, "1 folders and 0 CIMs"),
        new("CimFS", "/s/1", new[] { "cimpath=/s/1.cim", "parentCimPaths={}" }, "not a JSON list"),
        new("CimFS", "/s/1", new[] { "cimpath=/s/1.cim", "parentCimPaths=[1]" }, "not a JSON list"),
        new("CimFS", "/s/1", new[] { "cimpath=/s/1.cim", "parentCimPaths=[null]" }, "is not an absolute path"),
        new("CimFS", "/s/1", new[] { "cimpath=/s/1.cim", "parentCimPaths=[" }, "not a JSON list"),
        new("BlockCIM", "/s/1/layer.vhd/layer.cim", new[] { "parentCimPaths=[]" }, "lacks the option blockCIMType="),
        new("BlockCIM", "/s/1/layer.vhd/layer.cim", new[] { "parentCimPaths=[]", "blockCIMType=device" }, "of type 'device'"),
        new("BlockCIM", "/s/1/layer.vhd/layer.cim", new[] { "blockCIMType=file" }, "lacks the option parentCimPaths="),
        new("BlockCIM", "/s/1/layer.vhd/layer.cim", new[] { "parentCimPaths=[]", "blockCIMType=file", "mergedCIMPath=/s/merged.vhd/m.cim" }, "besides"),
    ];

    [TestCaseSource(nameof(Wrong))]
    public void What_cannot_be_is_refused_by_name(string type, string source, string[] options, string problem) => Assert.That(
        () => SnapshotMount.Parse(Mount(type, source, options)), Throws.TypeOf<InvalidDataException>().With.Message.Contains(problem).And.Message.Not.Contains("\n"));

    [Test]
    public void Parents_and_options_have_a_limit()
    {
        Assert.That(() => Parse(500), Throws.Nothing);
        Assert.That(() => Parse(501), Throws.TypeOf<InvalidDataException>().With.Message.Contains("501 parents").And.Message.Contains("500 allowed"));

        const string option = "cimpath=/s/1.cim";
        Assert.That(() => SnapshotMount.Parse(Mount("CimFS", "/s/1", Longer(1 << 20))), Throws.Nothing);
        Assert.That(
            () => SnapshotMount.Parse(Mount("CimFS", "/s/1", Longer((1 << 20) + 1))), Throws.TypeOf<InvalidDataException>().With.Message.Contains("1048576 characters"));

        static SnapshotMount Parse(int parents) => SnapshotMount.Parse(Mount(
            "BlockCIM", "/s/1/layer.vhd/layer.cim", $"parentCimPaths=[{string.Join(',', Enumerable.Repeat("\"/s/0/layer.vhd/layer.cim\"", parents))}]", "blockCIMType=file"));
        static string Longer(int length) => option.Insert("cimpath=/".Length, new string('a', length - option.Length));
    }

    [Test]
    public void A_place_for_a_layer_is_neither_read_only_nor_a_containers()
    {
        Assert.That(SnapshotMount.ParseLayer([Mount("CimFS", "/s/1", "rw", "cimpath=/s/1.cim")]).CimPath, Is.EqualTo("/s/1.cim"));
        Assert.That(
            () => SnapshotMount.ParseLayer([Mount("CimFS", "/s/1", "ro", "cimpath=/s/1.cim")]), Throws.TypeOf<InvalidDataException>().With.Message.Contains("read-only"));
        Assert.That(
            () => SnapshotMount.ParseLayer([Mount("BlockCIM", "/s/3", """parentCimPaths=["/s/1/layer.vhd/layer.cim"]""", "blockCIMType=file")]),
            Throws.TypeOf<InvalidDataException>().With.Message.Contains("of a container"));
        Assert.That(SnapshotMount.IsKnown(Mount("BlockCIM", "/s")), Is.True);
        Assert.That(SnapshotMount.IsKnown(Mount("bind", "/s")), Is.False);
    }

    [Test]
    public void A_snapshot_has_one_mount()
    {
        var mount = Mount("CimFS", "/s/1", "cimpath=/s/1.cim");
        Assert.That(() => SnapshotMount.ParseOnly([mount]), Throws.Nothing);
        Assert.That(() => SnapshotMount.ParseOnly([]), Throws.TypeOf<InvalidDataException>().With.Message.Contains("0 mounts"));
        Assert.That(() => SnapshotMount.ParseOnly([mount, mount]), Throws.TypeOf<InvalidDataException>().With.Message.Contains("2 mounts"));
    }

    private static Mount Mount(string type, string source, params string[] options) => new() { Type = type, Source = source, Options = { options } };
}
