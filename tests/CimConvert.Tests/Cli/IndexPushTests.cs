using System.Text.Json;
using CimConvert.TestKit;
using CimConvert.TestKit.Images;
using CimConvert.TestKit.Layers;
using CimConvert.TestKit.Servers;
using NUnit.Framework;

namespace CimConvert.Tests.Cli;

/// <summary>An index of several Windows versions is converted whole, pushed as an index to a real registry, and pulled version by version.</summary>
[Category(Categories.Process)]
[Category(Categories.Tools)]
[FixtureLifeCycle(LifeCycle.SingleInstance)]
public class IndexPushTests
{
    private static readonly string[] s_versions = ["10.0.17763.6293", "10.0.20348.2700", "10.0.26100.1"];

    private DockerRegistry _registry = null!;
    private TempFolder _folder = null!;

    private string Source => _registry.Reference("win/app", "v1");

    [OneTimeSetUp]
    public async Task StartRegistry()
    {
        Tools.Require("skopeo");
        _registry = await DockerRegistry.StartAsync();
        _folder = new TempFolder();
        s_versions.Aggregate(new IndexBuilder(), (index, version) => index.Image(Image(version))).WriteTo(_folder["index"], "v1");
        await Skopeo.PushAsync(_folder["index"], "v1", Source);
    }

    [OneTimeTearDown]
    public async Task StopRegistry()
    {
        await _registry.DisposeAsync();
        _folder.Dispose();
    }

    [Test]
    public async Task All_versions_become_an_index_from_which_each_is_pulled()
    {
        using var folder = new TempFolder();
        var target = _registry.Reference("converted/app", "v1");

        var all = await CimConvertProgram.ConvertAsync(Source, folder["store"], "--all", "--push", target);
        var again = await CimConvertProgram.ConvertAsync(Source, folder["store"], "--all", "--push", target);

        var raw = await Skopeo.InspectRawAsync(target);
        using var index = JsonDocument.Parse(raw);
        var entries = index.RootElement.GetProperty("manifests").EnumerateArray().ToArray();
        using (Assert.EnterMultipleScope())
        {
            Assert.That(entries.Select(entry => entry.GetProperty("platform").GetProperty("os.version").GetString()), Is.EqualTo(s_versions));
            Assert.That(entries.Select(entry => entry.GetProperty("artifactType").GetString()), Is.All.EqualTo("application/vnd.cimconvert.image.v1"));
            Assert.That(all.GetProperty("pushed").GetProperty("digest").GetString(), Is.EqualTo(Digests.Of(raw)));
            Assert.That(again.GetProperty("pushed").GetProperty("digest").GetString(), Is.EqualTo(Digests.Of(raw)));
        }

        foreach (var version in s_versions)
        {
            await CimConvertProgram.SucceedAsync("pull", Source, "--plain-http", "--quiet", "--output", folder["pulled"], "--from", target, "--os-version", version);
            var named = await CimConvertProgram.JsonAsync("pull", target, "--plain-http", "--quiet", "--output", folder["named"], "--os-version", version[..^2]);
            Assert.That(named.GetProperty("source").GetProperty("platform").GetString(), Does.EndWith(version));
        }

        var freed = (await CimConvertProgram.JsonAsync("gc", folder["pulled"])).GetProperty("freed").GetInt64();
        Assert.That(freed, Is.Zero);
        Assert.That(Snapshot(folder["pulled"]), Is.EqualTo(Snapshot(folder["store"])));
    }

    [Test]
    public async Task One_image_does_not_take_the_place_of_another_version_or_of_all()
    {
        using var folder = new TempFolder();
        var (one, all) = (_registry.Reference("kept/one", "v1"), _registry.Reference("kept/all", "v1"));
        await CimConvertProgram.ConvertAsync(Source, folder["store"], "--os-version", s_versions[0], "--push", one);
        await CimConvertProgram.ConvertAsync(Source, folder["store"], "--all", "--push", all);

        var other = await FailAsync(folder["store"], one);
        var single = await FailAsync(folder["store"], all);
        await CimConvertProgram.ConvertAsync(Source, folder["store"], "--os-version", s_versions[2], "--push", all, "--force");

        Assert.That(other, Does.Contain($"stands for the converted image of windows/amd64 {s_versions[0]}, not windows/amd64 {s_versions[2]}"));
        Assert.That(single, Does.Contain("stands for the converted images of several platforms"));
    }

    [Test]
    public async Task A_list_pushes_the_versions_it_names_as_an_index()
    {
        using var folder = new TempFolder();
        var target = _registry.Reference("listed/app", "v1");
        await File.WriteAllTextAsync(folder["list.yaml"], $$"""
            store: {{folder["store"]}}
            registries: { plainHttp: true }
            images: [ { image: "{{Source}}", osVersions: [ 10.0.26100, 10.0.17763 ], push: "{{target}}" } ]
            """);

        await CimConvertProgram.SucceedAsync("prewarm", folder["list.yaml"], "--quiet");

        using var index = JsonDocument.Parse(await Skopeo.InspectRawAsync(target));
        Assert.That(
            index.RootElement.GetProperty("manifests").EnumerateArray().Select(entry => entry.GetProperty("platform").GetProperty("os.version").GetString()),
            Is.EqualTo(new[] { s_versions[2], s_versions[0] }));
    }

    private Task<string> FailAsync(string store, string target) => CimConvertProgram.FailAsync(
        1, "convert", Source, "--plain-http", "--quiet", "--output", store, "--os-version", s_versions[2], "--push", target);

    private static IEnumerable<string> Snapshot(string store) =>
        StoreFiles.Snapshot(store).Where(file => !file.Contains("/transport.json ", StringComparison.Ordinal));

    private static ImageBuilder Image(string version) =>
        new ImageBuilder { OsVersion = version }.Layer(WindowsImage.SmallBase()).Layer(new LayerBuilder().Directory("Files").File("Files/version", version));
}
