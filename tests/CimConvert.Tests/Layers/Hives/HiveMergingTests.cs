using CimConvert.Formats.Regf;
using CimConvert.Layers;
using CimConvert.Layers.Hives;
using CimConvert.TestKit;
using CimConvert.Tests.Formats.Regf;
using NUnit.Framework;

namespace CimConvert.Tests.Layers.Hives;

/// <summary>Which hives are merged with which, and where the merged ones go; what merging does is judged by the tests of Regf.</summary>
internal sealed class HiveMergingTests : IDisposable
{
    private const string NullDacl = "0100048000000000000000000000000000000000";

    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Test]
    public void A_layer_merges_with_the_nearest_layer_that_has_the_hive()
    {
        Put("base", "SOFTWARE_BASE", "r{far=1}");
        Put("lower", "SOFTWARE_BASE", "r{near=1}");
        _folder.Sub("without");
        Put("child", "SOFTWARE_DELTA", "r{own=1}");
        Merge("child", "without", "lower", "base");
        Assert.That(Merged("child", "SOFTWARE_BASE"), Is.EqualTo("r{near=1 own=1}"));
    }

    [Test]
    public void Each_hive_is_looked_up_on_its_own()
    {
        Put("base", "SOFTWARE_BASE", "r{soft=1}");
        Put("base", "SYSTEM_BASE", "r{sys=1}");
        Put("lower", "SOFTWARE_BASE", "r{soft=2}");
        Put("child", "SOFTWARE_DELTA", "r{-none}");
        Put("child", "SYSTEM_DELTA", "r{own=1}");
        Merge("child", "lower", "base");
        Assert.That(Merged("child", "SOFTWARE_BASE"), Is.EqualTo("r{soft=2}"));
        Assert.That(Merged("child", "SYSTEM_BASE"), Is.EqualTo("r{sys=1 own=1}"));
    }

    [Test]
    public void The_merged_hives_are_the_last_files_of_the_image()
    {
        string[] names = ["SYSTEM", "SOFTWARE", "SAM", "SECURITY", "DEFAULTUSER"];
        foreach (var name in names)
        {
            Put("base", name + "_BASE", "r{a=1}");
            Put("child", name + "_DELTA", "r{b=2}");
        }

        using var image = Merge("child", "base");
        var size = new FileInfo(_folder["child", "Hives", "SYSTEM_BASE"]).Length;
        Assert.That(image.Lines.Where((_, i) => i % 2 == 0), Is.EqualTo(names.Select(name =>
            $$"""{"op":"CreateFile","path":"Hives\\{{name}}_BASE","attr":128,"size":{{size}},"ct":0,"wt":0,"cht":0,"at":0,"sd":"{{NullDacl}}","rp":"","ea":""}""")));
    }

    [Test]
    public void Children_of_one_parent_do_not_see_one_another()
    {
        Put("base", "SAM_BASE", "r{a=0}");
        var before = Bytes("base", "SAM_BASE");
        Put("one", "SAM_DELTA", "r{a=1}");
        Put("two", "SAM_DELTA", "r{b=2}");
        Merge("one", "base");
        Merge("two", "base");
        Assert.That(Merged("one", "SAM_BASE"), Is.EqualTo("r{a=1}"));
        Assert.That(Merged("two", "SAM_BASE"), Is.EqualTo("r{a=0 b=2}"));
        ByteAssert.Equal(before, Bytes("base", "SAM_BASE"));
    }

    [Test]
    public void The_same_hives_give_the_same_bytes()
    {
        Put("base", "SAM_BASE", "r{a=0 b{c=1} d{e=2}}");
        Put("one", "SAM_DELTA", "r{!b d{f=3}}");
        Put("two", "SAM_DELTA", "r{!b d{f=3}}");
        Merge("one", "base");
        Merge("two", "base");
        ByteAssert.Equal(Bytes("one", "SAM_BASE"), Bytes("two", "SAM_BASE"));
    }

    [Test]
    public void A_layer_without_changes_gets_nothing()
    {
        Put("base", "SAM_BASE", "r{a=0}");
        _folder.Sub("child");
        using var image = Merge("child", "base");
        Assert.That(image.Lines, Is.Empty);
        Assert.That(Directory.EnumerateFileSystemEntries(_folder["child"]), Is.Empty);
    }

    [Test]
    public void A_hive_that_no_layer_below_has_is_an_error()
    {
        Put("base", "SAM_BASE", "r");
        Put("child", "SECURITY_DELTA", "r");
        Assert.That(Fails("child", "base"), Is.EqualTo(
            @"registry hive SECURITY cannot be merged with that of the layers below: none of the 1 has 'Hives\SECURITY_BASE' beside its CIM"));
    }

    [Test]
    public void A_layer_below_whose_changes_were_never_merged_is_not_passed_over()
    {
        Put("base", "SAM_BASE", "r{a=0}");
        Put("lower", "SAM_DELTA", "r{a=1}");
        Put("child", "SAM_DELTA", "r{b=2}");
        Assert.That(Fails("child", "lower", "base"), Does.Contain("hive SAM").And.Contain(_folder["lower"]).And.Contain("import that layer again"));
    }

    [Test]
    public void A_broken_delta_is_an_error_that_names_hive_file_and_cell()
    {
        Put("base", "SYSTEM_BASE", "r{a=0}");
        Put("child", "SYSTEM_DELTA", "r{b=2}");
        const int rootSignature = 4096 + 32 + 4;
        var delta = Bytes("child", "SYSTEM_DELTA");
        var root = BitConverter.ToInt32(delta, 36);
        delta[4096 + root + 4] ^= 0xFF;
        Assert.That(root, Is.Not.Negative.And.LessThan(delta.Length - rootSignature));
        File.WriteAllBytes(_folder["child", "Hives", "SYSTEM_DELTA"], delta);
        Assert.That(Fails("child", "base"), Does.Contain("hive SYSTEM").And.Contain("SYSTEM_DELTA'").And.Contain($"hive cell 0x{root:X8}"));
    }

    [Test]
    public void A_base_hive_that_is_none_is_an_error_only_of_the_layer_that_changes_it()
    {
        _folder.Write("base/Hives/SOFTWARE_BASE", "no hive"u8);
        Put("base", "SYSTEM_BASE", "r{a=0}");
        Put("good", "SYSTEM_DELTA", "r{b=2}");
        Put("bad", "SOFTWARE_DELTA", "r{b=2}");
        Merge("good", "base");
        Assert.That(Merged("good", "SYSTEM_BASE"), Is.EqualTo("r{a=0 b=2}"));
        Assert.That(Fails("bad", "base"), Does.Contain("hive SOFTWARE").And.Contain(_folder["base", "Hives", "SOFTWARE_BASE"]));
    }

    [Test]
    public void A_hive_over_the_limit_is_not_read()
    {
        Put("base", "SYSTEM_BASE", "r{a=0}");
        Put("child", "SYSTEM_DELTA", "r{b=2}");
        var size = Bytes("child", "SYSTEM_DELTA").Length;
        Assert.That(Fails("child", new ManagedHiveMerger(size - 1), "base"), Does.Contain("hive SYSTEM").And.Contain($"{size} bytes").And.Contain($"{size - 1}"));
        Run("child", new ManagedHiveMerger(size), "base").Dispose();
    }

    [Test]
    public void Cancelled_nothing_is_merged()
    {
        Put("base", "SYSTEM_BASE", "r{a=0}");
        Put("child", "SYSTEM_DELTA", "r{b=2}");
        using var image = new RecordingCimWriter();
        Assert.Throws<OperationCanceledException>(() => HiveMerging.Merge(
            image, Deltas("child"), _folder["child"], [_folder["base"]], new ManagedHiveMerger(), new CancellationToken(canceled: true)));
        Assert.That(image.Lines, Is.Empty);
    }

    private RecordingCimWriter Merge(string layer, params string[] parents) => Run(layer, new ManagedHiveMerger(), parents);

    private RecordingCimWriter Run(string layer, IHiveMerger merger, params string[] parents)
    {
        var image = new RecordingCimWriter();
        HiveMerging.Merge(image, Deltas(layer), _folder[layer], [.. parents.Select(parent => _folder[parent])], merger, default);
        return image;
    }

    private string Fails(string layer, params string[] parents) => Fails(layer, new ManagedHiveMerger(), parents);

    private string Fails(string layer, IHiveMerger merger, params string[] parents) =>
        Assert.Throws<LayerImportException>(() => Run(layer, merger, parents))!.Message;

    private RegistryHive[] Deltas(string layer) => [.. RegistryHive.All.Where(hive => File.Exists(hive.DeltaFile(_folder[layer])))];

    private void Put(string layer, string name, string tree) => _folder.Write($"{layer}/Hives/{name}", HiveFiles.Write(KeyNotation.Hive(tree)));

    private byte[] Bytes(string layer, string name) => File.ReadAllBytes(_folder[layer, "Hives", name]);

    private string Merged(string layer, string name) => KeyNotation.Of(HiveReader.Read(Bytes(layer, name)).Root);
}
