using System.Text.Json;
using CimConvert.TestKit;
using CimConvert.TestKit.Images;
using CimConvert.TestKit.Layers;
using CimConvert.TestKit.Registry;
using NUnit.Framework;

namespace CimConvert.Tests.Cli;

/// <summary>Lists that ask for several Windows versions of a name.</summary>
[Category(Categories.Process)]
public class PrewarmVersionsTests
{
    private static readonly string[] s_versions = ["10.0.17763.5000", "10.0.20348.2031", "10.0.26100.1"];

    [TestCase("all", new[] { 0, 1, 2 })]
    [TestCase("[10.0.26100, 10.0.17763]", new[] { 2, 0 })]
    public async Task Each_version_has_an_entry_with_its_platform(string versions, int[] expected)
    {
        using var folder = new TempFolder();
        await using var registry = await FakeRegistry.StartAsync();
        Serve(registry, folder);
        var list = Write(folder, $"images: [{{image: '{registry.Host}/win/app:v1', osVersions: {versions}}}, '{registry.Host}/win/app:v1-1']");

        var plan = await CimConvertProgram.JsonAsync("prewarm", list, "--plain-http", "--quiet", "--dry-run");
        var result = await CimConvertProgram.JsonAsync("prewarm", list, "--plain-http", "--quiet");
        var again = await CimConvertProgram.JsonAsync("prewarm", list, "--plain-http", "--quiet");
        var text = (await CimConvertProgram.SucceedAsync("prewarm", list, "--plain-http", "--quiet")).Output;

        string[] platforms = [.. expected.Append(1).Select(i => $"windows/amd64 {s_versions[i]}")];
        using (Assert.EnterMultipleScope())
        {
            Assert.That(Values(plan, "platform"), Is.EqualTo(platforms));
            Assert.That(Values(result, "platform"), Is.EqualTo(platforms));
            Assert.That(Values(again, "outcome"), Is.All.EqualTo("ready"));
            Assert.That(Values(result, "image")[..^1], Is.All.EqualTo($"{registry.Host}/win/app:v1"));
            Assert.That(text, Does.Contain(platforms[0]).And.EndsWith($"{platforms.Length} of {platforms.Length} images are ready\n"));
        }

        var images = (await CimConvertProgram.JsonAsync("images", folder["store"])).GetProperty("images");
        Assert.That(images.GetArrayLength(), Is.EqualTo(platforms.Length));
    }

    [Test]
    public async Task An_index_that_is_not_there_is_one_failure()
    {
        using var folder = new TempFolder();
        await using var registry = await FakeRegistry.StartAsync();
        Serve(registry, folder);
        var list = Write(folder, $"images: ['{registry.Host}/win/none:v1', '{registry.Host}/win/app:v1']\ndefaults: {{osVersions: all}}");

        var result = await CimConvertProgram.RunAsync("prewarm", list, "--plain-http", "--quiet", "--json");
        var plan = await CimConvertProgram.RunAsync("prewarm", list, "--plain-http", "--quiet", "--json", "--dry-run");

        Assert.That((result.ExitCode, plan.ExitCode), Is.EqualTo((3, 3)), result.Error);
        using var document = JsonDocument.Parse(result.OutputBytes);
        Assert.That(Values(document.RootElement, "outcome"), Is.EqualTo(new[] { "failed", "converted", "converted", "converted" }));
        Assert.That(Values(document.RootElement, "error")[0], Does.StartWith($"{registry.Host}/win/none:v1: "));
    }

    private static string?[] Values(JsonElement result, string name) =>
        [.. result.GetProperty("images").EnumerateArray().Select(image => image.GetProperty(name).GetString())];

    private static string Write(TempFolder folder, string images)
    {
        File.WriteAllText(folder["list.yaml"], $"store: '{folder["store"]}'\n{images}\n");
        return folder["list.yaml"];
    }

    private static void Serve(FakeRegistry registry, TempFolder folder)
    {
        s_versions.Aggregate(new IndexBuilder(), (index, version) => index.Image(
            new ImageBuilder { OsVersion = version }.Layer(WindowsImage.SmallBase()).Layer(new LayerBuilder().File("Files/which", version))))
            .WriteTo(folder["image"], "v1");
        registry.AddLayout("win/app", folder["image"]);
    }
}
