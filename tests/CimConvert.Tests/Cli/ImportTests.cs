using System.Text.Json;
using CimConvert.TestKit;
using CimConvert.TestKit.Layers;
using CimConvert.TestKit.Oracles;
using CimConvert.TestKit.Oracles.Cim;
using NUnit.Framework;

namespace CimConvert.Tests.Cli;

/// <summary>Layers from files, without a registry: <c>import</c> and <c>merge</c>.</summary>
[Category(Categories.Process)]
public class ImportTests
{
    [Test]
    public async Task Imported_layers_merge_to_what_the_tars_say([Values] bool compressed)
    {
        using var folder = new TempFolder();
        var (layers, merged) = await ImportAndMergeAsync(folder, WindowsImage.Layers, compressed);

        var listed = (await CimConvertProgram.RunAsync([.. List(merged, layers), "--json", "--hash"])).EnsureSuccess();
        (await CimConvertProgram.RunAsync(["export", merged, folder["out"], .. Sources(layers)])).EnsureSuccess();
        var verified = await CimConvertProgram.RunAsync(["verify", merged, .. Sources(layers)]);

        var expected = WindowsImage.Expected;
        using (Assert.EnterMultipleScope())
        {
            Assert.That(OracleDiff.Compare(expected, ListedEntry.ParseLines(listed.Output)), Is.Empty);
            Assert.That(OracleDiff.Compare(expected, WalkedListing.Of(CimWalker.Walk(folder["out"], "merged.cim"))), Is.Empty);
            Assert.That((verified.ExitCode, verified.Output), Is.EqualTo((0, $"{merged}: good\n")), verified.Error);
        }
    }

    [Test]
    public async Task The_json_of_import_and_merge_says_what_was_made([Values] bool sealedFiles)
    {
        using var folder = new TempFolder();
        string[] options = sealedFiles ? ["--integrity"] : [];
        var baseTar = WindowsImage.SmallBase().WriteFile(folder["base.tar"]);
        var childTar = new LayerBuilder().File("Files/x", "x").WriteFile(folder["child.tar"]);

        var lower = await CimConvertProgram.JsonAsync(["import", baseTar, "--block", folder["0", "base.bcim"], "--quiet", .. options]);
        var upper = await CimConvertProgram.JsonAsync(
            ["import", childTar, "--block", folder["1", "child.bcim"], "--parent", folder["0", "base.bcim"], "--cim-name", "mine.cim", "--quiet", .. options]);
        var merged = await CimConvertProgram.JsonAsync(
            ["merge", "--block", folder["merged.bcim"], folder["1", "child.bcim"], folder["0", "base.bcim"] + "::layer.cim", .. options]);

        using (Assert.EnterMultipleScope())
        {
            Assert.That(ConvertJson.Names(lower), Is.EqualTo(new[] { "path", "cimName", "size", "integrity", "filesSize", "entries", "backend", "hives" }));
            Assert.That(ConvertJson.Names(merged), Is.EqualTo(new[] { "path", "cimName", "size", "integrity", "backend" }));
            Assert.That(Text(lower, "path"), Is.EqualTo(folder["0", "base.bcim"]));
            Assert.That(Text(lower, "cimName"), Is.EqualTo("layer.cim"));
            Assert.That(Text(upper, "cimName"), Is.EqualTo("mine.cim"));
            Assert.That(Text(merged, "cimName"), Is.EqualTo("merged.cim"));
            Assert.That(lower.GetProperty("filesSize").GetInt64(), Is.EqualTo((5 * 8192) + 4));
            Assert.That(lower.GetProperty("entries").GetInt64(), Is.EqualTo(7));
            Assert.That(StoreFiles.Names(folder["0"]), Is.EqualTo(sealedFiles ? new[] { "Hives", "base.bcim", "integrity_checksum" } : ["Hives", "base.bcim"]));
            Assert.That(
                StoreFiles.Names(folder["0", "Hives"]),
                Is.EqualTo(new[] { "DEFAULTUSER_BASE", "SAM_BASE", "SECURITY_BASE", "SOFTWARE_BASE", "SYSTEM_BASE" }));
            foreach (var image in new[] { lower, upper, merged })
            {
                var path = Text(image, "path")!;
                Assert.That(image.GetProperty("size").GetInt64(), Is.EqualTo(new FileInfo(path).Length));
                Assert.That(Text(image, "backend"), Is.EqualTo("managed"));
                Assert.That(Text(image, "integrity"), sealedFiles ? Does.Match("^[0-9a-f]{64}$") : Is.Null);
            }
        }
    }

    [Test]
    public async Task A_cim_is_found_by_its_name_and_no_other()
    {
        using var folder = new TempFolder();
        var tar = WindowsImage.SmallBase().WriteFile(folder["base.tar"]);
        var block = folder["base.bcim"];
        (await CimConvertProgram.RunAsync("import", tar, "--block", block, "--cim-name", "mine.cim")).EnsureSuccess();

        var named = (await CimConvertProgram.RunAsync("ls", block + "::mine.cim", "Files")).EnsureSuccess();
        var alone = (await CimConvertProgram.RunAsync("ls", block, "Files")).EnsureSuccess();
        var error = await CimConvertProgram.FailAsync(1, "ls", block + "::other.cim");

        Assert.That(named.Output, Is.EqualTo(alone.Output).And.Contains("base.txt"));
        Assert.That(error, Does.Contain(block).And.Contains("other.cim"));
    }

    [Test]
    public async Task Nothing_is_ever_overwritten()
    {
        using var folder = new TempFolder();
        var (layers, merged) = await ImportAndMergeAsync(folder, [WindowsImage.SmallBase(), new LayerBuilder().File("Files/x", "x")], compressed: false);
        (await CimConvertProgram.RunAsync("export", layers[0], folder["out"])).EnsureSuccess();
        var before = StoreFiles.Snapshot(folder.Path);

        var errors = new[]
        {
            await CimConvertProgram.FailAsync(1, "import", folder["0.tar"], "--block", layers[0], "--quiet"),
            await CimConvertProgram.FailAsync(1, ["merge", "--block", merged, .. layers.Reverse()]),
            await CimConvertProgram.FailAsync(1, "export", layers[0], folder["out"]),
            await CimConvertProgram.FailAsync(1, "extract", layers[0], folder["out"]),
        };

        Assert.That(errors, Is.All.Contains("exists already").Or.Contains("not empty"));
        Assert.That(StoreFiles.Snapshot(folder.Path), Is.EqualTo(before));
    }

    [TestCaseSource(nameof(BadFiles))]
    public async Task A_bad_layer_file_leaves_nothing(byte[] content, string named)
    {
        using var folder = new TempFolder();
        var tar = folder.Write("layer.tar.gz", content);

        var error = await CimConvertProgram.FailAsync(1, "import", tar, "--quiet", "--block", folder.Sub("out") + "/layer.bcim", "--integrity");

        Assert.That(error, Does.StartWith($"error: {tar}: ").And.Contains(named));
        Assert.That(Directory.EnumerateFileSystemEntries(folder["out"]), Is.Empty);
    }

    [Test]
    public async Task A_missing_layer_file_and_a_parent_that_is_none_are_named()
    {
        using var folder = new TempFolder();
        var tar = new LayerBuilder().File("Files/x", "x").WriteFile(folder["layer.tar"]);

        var missing = await CimConvertProgram.FailAsync(1, "import", folder["none.tar"], "--quiet", "--block", folder["layer.bcim"]);
        var parent = await CimConvertProgram.FailAsync(1, "import", tar, "--quiet", "--block", folder["layer.bcim"], "--parent", tar);

        Assert.That(missing, Does.Contain(folder["none.tar"]));
        Assert.That(parent, Does.Contain(tar));
        Assert.That(StoreFiles.Relative(folder.Path), Is.EqualTo(new[] { "layer.tar" }));
    }

    [Test]
    public async Task A_merge_that_fails_leaves_nothing()
    {
        using var folder = new TempFolder();
        var layers = await ImportAsync(folder, [WindowsImage.SmallBase(), new LayerBuilder().HardLink("Files/link", "Files/nowhere")], compressed: false);
        var merged = folder.Sub("out") + "/merged.bcim";

        var error = await CimConvertProgram.FailAsync(1, ["merge", "--block", merged, .. layers.Reverse()]);
        var usage = await CimConvertProgram.FailAsync(2, "merge", "--block", merged, layers[0]);

        Assert.That(error, Does.Contain(@"Files\link").And.Contains(@"Files\nowhere"));
        Assert.That(usage, Does.Contain("cimconvert merge --help"));
        Assert.That(Directory.EnumerateFileSystemEntries(folder["out"]), Is.Empty);
    }

    private static IEnumerable<TestCaseData> BadFiles()
    {
        var gzip = WindowsImage.SmallBase().ToGzip();
        var tar = WindowsImage.SmallBase().ToArray();
        yield return new TestCaseData(gzip[..(gzip.Length / 2)], "gzip") { TestName = "A_gzip_cut_in_its_middle" };
        yield return new TestCaseData(gzip[..^4], "gzip") { TestName = "A_gzip_cut_in_its_last_bytes" };
        yield return new TestCaseData(tar[..20_000], "ends") { TestName = "A_tar_cut_in_a_file" };
        yield return new TestCaseData(SeededContent.Bytes(1, 4096), "") { TestName = "No_tar_at_all" };
        yield return new TestCaseData(new LayerBuilder().File("Files/x", "x").ToGzip(), "SYSTEM") { TestName = "A_child_layer_without_its_parent" };
    }

    /// <summary>Block files of the layers, base first.</summary>
    private static async Task<string[]> ImportAsync(TempFolder folder, IReadOnlyList<LayerBuilder> layers, bool compressed)
    {
        var blocks = new List<string>();
        foreach (var (i, layer) in layers.Index())
        {
            var number = i.ToString(System.Globalization.CultureInfo.InvariantCulture);
            var tar = compressed ? folder.Write($"{number}.tar.gz", layer.ToGzip()) : layer.WriteFile(folder[$"{number}.tar"]);
            var block = folder[number, "layer.bcim"];
            (await CimConvertProgram.RunAsync(["import", tar, "--block", block, .. blocks.AsEnumerable().Reverse().SelectMany(p => new[] { "--parent", p })])).EnsureSuccess();
            blocks.Add(block);
        }

        return [.. blocks];
    }

    private static async Task<(string[] Layers, string Merged)> ImportAndMergeAsync(TempFolder folder, IReadOnlyList<LayerBuilder> layers, bool compressed)
    {
        var blocks = await ImportAsync(folder, layers, compressed);
        var merged = folder["merged.bcim"];
        (await CimConvertProgram.RunAsync(["merge", "--block", merged, .. blocks.Reverse()])).EnsureSuccess();
        return (blocks, merged);
    }

    private static string[] List(string merged, string[] layers) => ["ls", merged, "-R", .. Sources(layers)];

    private static string[] Sources(string[] layers) => [.. layers.Reverse().SelectMany(layer => new[] { "--source", layer })];

    private static string? Text(JsonElement element, string name) => element.GetProperty(name).GetString();
}
