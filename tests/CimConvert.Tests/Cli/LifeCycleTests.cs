using System.Text.Json;
using CimConvert.TestKit;
using CimConvert.TestKit.Layers;
using NUnit.Framework;

namespace CimConvert.Tests.Cli;

/// <summary><c>info</c>, <c>usage</c>, <c>pack</c>, <c>diff</c> and <c>destroy</c> on a chain of two forked layers.</summary>
[Category(Categories.Process)]
public class LifeCycleTests
{
    [Test]
    public async Task A_chain_is_described_packed_compared_and_destroyed()
    {
        using var folder = new TempFolder();
        var cims = folder["layers", "cim-layers"];
        await ImportAsync(folder, "0", WindowsImage.SmallBase());
        await ImportAsync(folder, "1", new LayerBuilder().File("Files/x", SeededContent.Bytes(1, 9000)).File("Files/y", SeededContent.Bytes(1, 9000)), "0");
        var (lower, upper) = (Path.Combine(cims, "0.cim"), Path.Combine(cims, "1.cim"));

        var info = await CimConvertProgram.JsonAsync("info", upper);
        var usage = await CimConvertProgram.JsonAsync("usage", folder["layers", "1"]);
        var packed = await CimConvertProgram.JsonAsync("pack", upper, "--block", folder["packed.bcim"]);
        var same = await CimConvertProgram.SucceedAsync("diff", upper, folder["packed.bcim"]);
        var different = await CimConvertProgram.RunAsync("diff", lower, folder["packed.bcim"]);
        var differentJson = await CimConvertProgram.RunAsync("diff", folder["packed.bcim"], lower, "--json");
        var text = await CimConvertProgram.SucceedAsync("info", folder["packed.bcim"]);
        var refused = await CimConvertProgram.FailAsync(1, "destroy", lower);
        var destroyed = await CimConvertProgram.JsonAsync("destroy", folder["layers", "1"]);

        using (Assert.EnterMultipleScope())
        {
            Assert.That(
                ConvertJson.Names(info),
                Is.EqualTo(new[] { "name", "form", "sealed", "version", "regionSet", "regions", "parents", "entries", "content" }));
            Assert.That(info.GetProperty("regions").EnumerateArray().Select(r => (r.GetProperty("index").GetInt32(), r.GetProperty("type").GetString())), Is.EqualTo(new[] { (3, "metadata"), (4, "pages"), (5, "small") }));
            Assert.That(info.GetProperty("parents").GetArrayLength(), Is.EqualTo(1));
            Assert.That(info.GetProperty("content").GetProperty("deduplicated").GetInt64(), Is.EqualTo(9000));
            Assert.That(ConvertJson.Names(usage), Is.EqualTo(new[] { "cim", "files", "bytes", "parentFiles", "parentBytes" }));
            Assert.That(usage.GetProperty("files").GetInt32(), Is.EqualTo(7));
            Assert.That(destroyed.GetProperty("removed").GetArrayLength(), Is.EqualTo(7));
            Assert.That(ConvertJson.Names(packed), Is.EqualTo(new[] { "path", "cimName", "size", "integrity" }));
            Assert.That(same.Output, Is.Empty);
            Assert.That((different.ExitCode, different.Output), Is.EqualTo((1, "+ Files\\x\n+ Files\\y\n")));
            Assert.That(Lines(differentJson.Output), Is.EqualTo(new[] { (@"Files\x", "removed"), (@"Files\y", "removed") }));
            Assert.That(text.Output, Does.Contain("block file").And.Contains("deduplication saves 8.8 KiB"));
            Assert.That(refused, Does.Contain("1.cim"));
            Assert.That(StoreFiles.Names(cims), Has.Count.EqualTo(7));
        }
    }

    [Test]
    public async Task A_folder_without_a_cim_is_named()
    {
        using var folder = new TempFolder();
        var layer = folder.Sub("layers", "0");

        Assert.That(await CimConvertProgram.FailAsync(1, "destroy", layer), Does.Contain("is no CIM layer").And.Contains(folder["layers", "cim-layers", "0.cim"]));
        Assert.That(await CimConvertProgram.FailAsync(1, "usage", folder["none.cim"]), Does.Contain("none.cim"));
    }

    private static (string?, string?)[] Lines(string output) =>
    [
        .. output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line =>
        {
            using var json = JsonDocument.Parse(line);
            return (json.RootElement.GetProperty("path").GetString(), json.RootElement.GetProperty("change").GetString());
        }),
    ];

    private static async Task ImportAsync(TempFolder folder, string id, LayerBuilder layer, string? parent = null) => await CimConvertProgram.SucceedAsync(
        [
            "import", layer.WriteFile(folder[id + ".tar"]), "--quiet", "--forked", "--cim", folder["layers", "cim-layers", id + ".cim"], "--layer-dir", folder["layers", id],
            .. parent is null ? [] : (string[])["--parent-cim", folder["layers", "cim-layers", parent + ".cim"], "--parent-dir", folder["layers", parent]],
        ]);
}
