using CimConvert.TestKit;
using CimConvert.TestKit.Layers;
using CimConvert.TestKit.Oracles;
using CimConvert.TestKit.Oracles.Cim;
using NUnit.Framework;

namespace CimConvert.Tests.Cli;

/// <summary><c>import --forked</c>: layers into standard CIMs, each forked from the one below.</summary>
[Category(Categories.Process)]
public class ForkedImportTests
{
    [Test]
    public async Task A_forked_chain_holds_what_the_tars_say([Values] bool compressed)
    {
        using var folder = new TempFolder();
        string[] parents = [];
        foreach (var (n, layer) in WindowsImage.Layers.Index())
        {
            var tar = compressed ? folder.Write($"{n}.tar.gz", layer.ToGzip()) : layer.WriteFile(folder[$"{n}.tar"]);
            await CimConvertProgram.SucceedAsync(
                ["import", tar, "--forked", "--cim", folder["cims", $"{n}.cim"], "--layer-dir", folder["layers", $"{n}"], "--quiet", .. parents]);
            parents =
            [
                "--parent-cim", folder["cims", $"{n}.cim"],
                .. Enumerable.Range(0, n + 1).Reverse().SelectMany(below => new[] { "--parent-dir", folder["layers", $"{below}"] }),
            ];
        }

        var listed = await CimConvertProgram.SucceedAsync("ls", folder["cims", "3.cim"], "-R", "--json", "--hash");
        var verified = await CimConvertProgram.SucceedAsync("verify", folder["cims", "3.cim"]);

        using (Assert.EnterMultipleScope())
        {
            Assert.That(OracleDiff.Compare(WindowsImage.Expected, ListedEntry.ParseLines(listed.Output)), Is.Empty);
            Assert.That(OracleDiff.Compare(WindowsImage.Expected, WalkedListing.Of(CimWalker.Walk(folder["cims"], "3.cim"))), Is.Empty);
            Assert.That(verified.Output, Is.EqualTo($"{folder["cims", "3.cim"]}: good\n"));
            Assert.That(StoreFiles.Names(folder["cims"]), Has.Count.EqualTo(4 * 7));
            Assert.That(StoreFiles.Names(folder["layers", "1"]), Is.EqualTo(new[] { "Hives" }));
            Assert.That(StoreFiles.Names(folder["layers", "3"]), Is.Empty);
        }
    }

    [Test]
    public async Task The_json_says_what_was_made()
    {
        using var folder = new TempFolder();
        var tar = WindowsImage.SmallBase().WriteFile(folder["base.tar"]);

        var made = await CimConvertProgram.JsonAsync("import", tar, "--forked", "--cim", folder["cims", "base.cim"], "--layer-dir", folder["base"], "--quiet");

        using (Assert.EnterMultipleScope())
        {
            Assert.That(ConvertJson.Names(made), Is.EqualTo(new[] { "path", "cimName", "size", "integrity", "filesSize", "entries", "backend", "hives" }));
            Assert.That(made.GetProperty("path").GetString(), Is.EqualTo(folder["cims", "base.cim"]));
            Assert.That(made.GetProperty("cimName").GetString(), Is.EqualTo("base.cim"));
            Assert.That(made.GetProperty("size").GetInt64(), Is.EqualTo(new DirectoryInfo(folder["cims"]).EnumerateFiles().Sum(file => file.Length)));
            Assert.That(made.GetProperty("backend").GetString(), Is.EqualTo("managed"));
        }
    }

    [Test]
    public async Task A_failed_import_leaves_nothing_and_a_whole_one_is_not_replaced()
    {
        using var folder = new TempFolder();
        var tar = WindowsImage.SmallBase().WriteFile(folder["base.tar"]);
        var torn = folder.Write("torn.tar", (await File.ReadAllBytesAsync(tar)).AsSpan(0, 20_000));
        var link = new LayerBuilder().HardLink("Files/link", "Files/nowhere").WriteFile(folder["link.tar"]);
        string[] first = ["--forked", "--quiet", "--cim", folder["cims", "base.cim"], "--layer-dir", folder["base"]];
        string[] second =
        [
            "--forked", "--quiet", "--cim", folder["cims", "child.cim"], "--layer-dir", folder["child"],
            "--parent-cim", folder["cims", "base.cim"], "--parent-dir", folder["base"],
        ];

        var ended = await CimConvertProgram.FailAsync(1, ["import", torn, .. first]);
        Assert.That(StoreFiles.Names(folder["cims"]), Is.Empty);
        Assert.That(Directory.Exists(folder["base"]), Is.False);
        await CimConvertProgram.SucceedAsync(["import", tar, .. first]);
        var before = StoreFiles.Snapshot(folder.Path);
        var dangling = await CimConvertProgram.FailAsync(1, ["import", link, .. second]);
        var again = await CimConvertProgram.FailAsync(1, ["import", tar, .. first]);

        Assert.That(StoreFiles.Snapshot(folder.Path), Is.EqualTo(before));
        Assert.That(Directory.Exists(folder["child"]), Is.False);
        Assert.That(ended, Does.StartWith($"error: {torn}: "));
        Assert.That(dangling, Does.Contain(@"link 'Files\link': its target 'Files\nowhere' is in no layer"));
        Assert.That(again, Does.Contain("exists already"));
    }

    [TestCase("required", "--forked", "--cim", "a.cim")]
    [TestCase("required", "--forked", "--layer-dir", "a")]
    [TestCase("required")]
    [TestCase("'--block' does not go with", "--forked", "--cim", "a.cim", "--layer-dir", "a", "--block", "a.bcim")]
    [TestCase("'--integrity' does not go with", "--forked", "--cim", "a.cim", "--layer-dir", "a", "--integrity")]
    [TestCase("'--layer-dir' does not go without", "--block", "a.bcim", "--layer-dir", "a")]
    [TestCase("go together", "--forked", "--cim", "a.cim", "--layer-dir", "a", "--parent-cim", "b.cim")]
    public async Task Options_that_do_not_go_together_are_wrong_usage(string message, params string[] options) =>
        Assert.That(await CimConvertProgram.FailAsync(2, ["import", "layer.tar", .. options]), Does.Contain(message));

    [Test]
    public async Task A_cim_has_its_ending_and_its_parent_beside_it()
    {
        using var folder = new TempFolder();
        var tar = WindowsImage.SmallBase().WriteFile(folder["base.tar"]);

        var ending = await CimConvertProgram.FailAsync(1, "import", tar, "--quiet", "--forked", "--cim", folder["base"], "--layer-dir", folder["layer"]);
        var elsewhere = await CimConvertProgram.FailAsync(
            1, "import", tar, "--quiet", "--forked", "--cim", folder["a", "x.cim"], "--layer-dir", folder["layer"], "--parent-cim", folder["b", "y.cim"], "--parent-dir", folder["b"]);

        Assert.That(ending, Does.Contain("does not end in '.cim'"));
        Assert.That(elsewhere, Does.Contain("not in one directory"));
    }
}
