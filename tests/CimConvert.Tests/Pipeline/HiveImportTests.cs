using System.Text.Json;
using CimConvert.TestKit;
using CimConvert.TestKit.Hives;
using CimConvert.TestKit.Layers;
using CimConvert.Tests.Cli;
using NUnit.Framework;

namespace CimConvert.Tests.Pipeline;

/// <summary><c>cimconvert import</c> of layers that change the registry: parents are files, their hives lie beside them.</summary>
[Category(Categories.Process)]
internal sealed class HiveImportTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Test]
    public async Task A_child_merges_with_the_hives_beside_its_parents()
    {
        var lowest = await ImportAsync("0", HiveImage.Base());
        var middle = await ImportAsync("1", HiveImage.Without(), lowest);
        var result = await CimConvertProgram.SucceedAsync(Arguments("2", Delta("one"), middle, lowest));
        using var json = JsonDocument.Parse(result.OutputBytes);
        Assert.That(json.RootElement.GetProperty("hives").GetString(), Is.EqualTo("managed"));
        await ImportAsync("3", Delta("two"), _folder["2", "layer.bcim"], middle, lowest);

        Assert.That(Names("1"), Is.EqualTo(new[] { "layer.bcim" }), "nothing to merge, nothing beside it");
        Assert.That(Names("3"), Is.EqualTo(new[] { "Hives/SAM_BASE", "Hives/SAM_DELTA", "layer.bcim" }));
        var listed = (await CimConvertProgram.SucceedAsync("hive", "ls", _folder["3", "Hives", "SAM_BASE"])).Output;
        Assert.That(listed.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Split(' ')[^1]), Is.EqualTo(new[] { "one", "SAM", "two" }));
        var inImage = await CimConvertProgram.SucceedAsync("cat", _folder["3", "layer.bcim"], @"Hives\SAM_BASE");
        ByteAssert.Equal(await File.ReadAllBytesAsync(_folder["3", "Hives", "SAM_BASE"]), inImage.OutputBytes);
    }

    [Test]
    public async Task Without_its_hive_nothing_is_made()
    {
        var lowest = await ImportAsync("0", HiveImage.Base());
        File.Delete(_folder["0", "Hives", "SAM_BASE"]);
        var error = await CimConvertProgram.FailAsync(1, Arguments("1", Delta("one"), lowest));
        Assert.That(error, Does.Contain(_folder["1.tar"]).And.Contain("hive SAM").And.Contain(@"none of the 1 has 'Hives\SAM_BASE'"));
        Assert.That(Names("1"), Is.Empty);
    }

    [Test]
    public async Task Layers_in_one_folder_do_not_replace_one_anothers_hives()
    {
        var lowest = await ImportAsync("0", HiveImage.Base());
        var before = _folder["before"];
        File.Copy(_folder["0", "Hives", "SAM_BASE"], before);
        var names = Names("0");
        var tar = Delta("one").WriteFile(_folder["1.tar"]);
        var error = await CimConvertProgram.FailAsync(1, "import", tar, "--block", _folder["0", "child.bcim"], "--parent", lowest, "--quiet");
        Assert.That(error, Does.Contain(_folder["0", "Hives", "SAM_BASE"]).And.Contain("another layer's"));
        Assert.That(Names("0"), Is.EqualTo(names));
        FileContentAssert.Equal(before, _folder["0", "Hives", "SAM_BASE"]);

        // A layer imported a second time, as after its CIM was lost, finds its own.
        File.Delete(lowest);
        await ImportAsync("0", HiveImage.Base());
        Assert.That(Names("0"), Is.EqualTo(names));
    }

    private static LayerBuilder Delta(string key) =>
        HiveImage.Changing("SAM_DELTA", HiveImage.BuildDelta(new KeySpec("ROOT").With(new KeySpec(key))));

    private async Task<string> ImportAsync(string name, LayerBuilder layer, params string[] parents)
    {
        await CimConvertProgram.SucceedAsync(Arguments(name, layer, parents));
        return _folder[name, "layer.bcim"];
    }

    private string[] Arguments(string name, LayerBuilder layer, params string[] parents) =>
    [
        "import", layer.WriteFile(_folder[$"{name}.tar"]), "--block", _folder[name, "layer.bcim"],
        .. parents.SelectMany(parent => new[] { "--parent", parent }), "--json", "--quiet",
    ];

    private string[] Names(string name) =>
    [
        .. Directory.EnumerateFiles(_folder.Sub(name), "*", SearchOption.AllDirectories)
            .Select(file => Path.GetRelativePath(_folder[name], file).Replace('\\', '/'))
            .Order(StringComparer.Ordinal),
    ];
}
