using System.Text.Json;
using CimConvert.TestKit;
using CimConvert.TestKit.Images;
using CimConvert.TestKit.Layers;
using CimConvert.TestKit.Registry;
using NUnit.Framework;

namespace CimConvert.Tests.Cli;

/// <summary>One name for images of several platforms: which of them is converted, and what is said where none fits.</summary>
[Category(Categories.Process)]
public class PlatformTests
{
    private const string Repository = "win/app";

    [TestCase(new string[0], 2, TestName = "Without_a_version_the_newest_is_taken")]
    [TestCase(new[] { "--os-version", "10.0.17763" }, 1, TestName = "A_version_is_taken_by_its_first_parts")]
    [TestCase(new[] { "--platform", "windows/arm64" }, 3, TestName = "Another_architecture_is_taken_where_it_is_asked_for")]
    public async Task The_image_that_fits_is_converted(string[] options, int index)
    {
        using var folder = new TempFolder();
        await using var registry = await FakeRegistry.StartAsync();
        var (_, images) = Index().WriteTo(folder["image"], "v1");
        registry.AddLayout(Repository, folder["image"]);

        var result = await CimConvertProgram.ConvertAsync($"{registry.Host}/{Repository}:v1", folder["store"], options);

        Assert.That(result.GetProperty("source").GetProperty("digest").GetString(), Is.EqualTo(images[index].ManifestDigest));
        Assert.That(result.LayerPaths()[^1], Does.Contain(StoreFiles.Hex(images[index].Layers[^1].ChainId)));
    }

    [Test]
    [Platform(Exclude = "Win", Reason = "has a version of its own")]
    public async Task The_hosts_version_is_wrong_usage_where_there_is_none()
    {
        using var folder = new TempFolder();

        var error = await CimConvertProgram.FailAsync(2, "convert", "win/app:v1", "--output", folder["store"], "--os-version", "host");

        Assert.That(error, Does.Contain("this machine does not run Windows"));
    }

    [Test]
    public async Task Where_none_fits_the_line_says_what_there_is()
    {
        using var folder = new TempFolder();
        await using var registry = await FakeRegistry.StartAsync();
        Index().WriteTo(folder["image"], "v1");
        registry.AddLayout(Repository, folder["image"]);
        var reference = $"{registry.Host}/{Repository}:v1";

        var error = await CimConvertProgram.FailAsync(
            1, "convert", reference, "--plain-http", "--quiet", "--output", folder["store"], "--platform", "windows/ppc64le");

        Assert.That(error, Does.StartWith($"error: {reference}: ").And.Contains("10.0.17763.5000").And.Contains("10.0.20348.2031").And.Contains("linux/amd64"));
        Assert.That(StoreFiles.Names(folder["store"], "layers"), Is.Empty);
    }

    [Test]
    public async Task An_image_is_converted_by_its_digest()
    {
        using var folder = new TempFolder();
        await using var registry = await FakeRegistry.StartAsync();
        var (_, images) = Index().WriteTo(folder["image"], "v1");
        registry.AddLayout(Repository, folder["image"]);
        var reference = $"{registry.Host}/{Repository}@{images[1].ManifestDigest}";

        var result = await CimConvertProgram.ConvertAsync(reference, folder["store"]);

        Assert.That(result.GetProperty("image").GetString(), Is.EqualTo(reference));
        Assert.That(result.GetProperty("source").GetProperty("digest").GetString(), Is.EqualTo(images[1].ManifestDigest));
    }

    /// <summary>The second conversion lost the first one's image.</summary>
    [Test]
    public async Task Two_versions_of_one_tag_are_both_there()
    {
        using var folder = new TempFolder();
        await using var registry = await FakeRegistry.StartAsync();
        Index().WriteTo(folder["image"], "v1");
        registry.AddLayout(Repository, folder["image"]);
        var reference = $"{registry.Host}/{Repository}:v1";

        var old = await CimConvertProgram.ConvertAsync(reference, folder["store"], "--os-version", "10.0.17763");
        var @new = await CimConvertProgram.ConvertAsync(reference, folder["store"], "--os-version", "10.0.20348");
        await CimConvertProgram.JsonAsync("gc", folder["store"]);

        string?[] alternatives = [.. old.GetProperty("source").GetProperty("alternatives").EnumerateArray().Select(other => other.GetString())];
        var images = (await CimConvertProgram.JsonAsync("images", folder["store"])).GetProperty("images").EnumerateArray().ToArray();
        Assert.That(alternatives, Is.EqualTo(new[] { "windows/amd64 10.0.20348.2031" }));
        Assert.That(images.Select(image => image.GetProperty("digest").GetString()), Is.EqualTo(new[] { Converted(old), Converted(@new) }));
        Assert.That(images.Select(image => image.GetProperty("reference").GetString()), Is.All.EqualTo(reference));
        Assert.That((await CimConvertProgram.RunAsync("verify", folder["store"])).ExitCode, Is.Zero);
    }

    [Test]
    public async Task All_versions_are_converted_and_none_is_collected()
    {
        using var folder = new TempFolder();
        await using var registry = await FakeRegistry.StartAsync();
        var (_, images) = Versions("10.0.26100.1", "10.0.17763.5000", "10.0.20348.2031").WriteTo(folder["image"], "v1");
        registry.AddLayout(Repository, folder["image"]);
        var reference = $"{registry.Host}/{Repository}:v1";

        var all = await CimConvertProgram.ConvertAsync(reference, folder["store"], "--all");
        foreach (var version in new[] { "10.0.17763", "10.0.20348", "10.0.26100" })
        {
            await CimConvertProgram.ConvertAsync(reference, folder["one-by-one"], "--os-version", version);
        }

        var freed = (await CimConvertProgram.JsonAsync("gc", folder["store"])).GetProperty("freed").GetInt64();
        var listed = (await CimConvertProgram.JsonAsync("images", folder["store"])).GetProperty("images").EnumerateArray().ToArray();
        var text = (await CimConvertProgram.SucceedAsync("convert", reference, "--plain-http", "--output", folder["store"], "--quiet", "--all")).Output.Split('\n');
        var documents = all.GetProperty("images").EnumerateArray().ToArray();
        using (Assert.EnterMultipleScope())
        {
            Assert.That(ConvertJson.Names(all), Is.EqualTo(new[] { "image", "images", "failed", "pushed" }));
            Assert.That(all.GetProperty("image").GetString(), Is.EqualTo(reference));
            Assert.That(
                documents.Select(document => document.GetProperty("source").GetProperty("digest").GetString()), Is.EqualTo(images.Select(image => image.ManifestDigest)));
            Assert.That(freed, Is.Zero);
            Assert.That(
                listed.Select(image => image.GetProperty("platform").GetProperty("osVersion").GetString()),
                Is.EqualTo(new[] { "10.0.17763.5000", "10.0.20348.2031", "10.0.26100.1" }));
            Assert.That(
                ConvertJson.Names(listed[0]),
                Is.EqualTo(new[] { "reference", "platform", "digest", "source", "size", "own", "shared", "backend", "format", "sealed", "vhdFooter", "lastUsed", "error" }));
            Assert.That(listed.Select(image => image.GetProperty("source").GetString()), Is.EqualTo(new[] { 1, 2, 0 }.Select(i => images[i].ManifestDigest)));
            Assert.That(text[0], Is.EqualTo(reference));
            Assert.That(text[1], Does.StartWith("  windows/amd64 10.0.26100.1: 2 layers, 2 reused, "));
            Assert.That(StoreFiles.Snapshot(folder["store"]), Is.EqualTo(StoreFiles.Snapshot(folder["one-by-one"])));
        }

        foreach (var document in documents)
        {
            ConvertJson.AssertShape(document);
        }
    }

    [Test]
    public async Task Of_all_versions_one_that_fails_is_named_and_the_others_are_there()
    {
        using var folder = new TempFolder();
        await using var registry = await FakeRegistry.StartAsync();
        Versions("10.0.17763.5000", "10.0.20348.2031")
            .Image(Image("windows", "amd64", "10.0.26100.1").Layer(new LayerBuilder().File("Files/x", "x"), fault: LayerFault.WrongContent))
            .WriteTo(folder["image"], "v1");
        registry.AddLayout(Repository, folder["image"]);
        var reference = $"{registry.Host}/{Repository}:v1";

        var result = await CimConvertProgram.RunAsync("convert", reference, "--plain-http", "--output", folder["store"], "--quiet", "--all", "--json");

        using var document = JsonDocument.Parse(result.OutputBytes);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(result.ExitCode, Is.EqualTo(3));
            Assert.That(result.Error, Does.StartWith($"error: {reference} (windows/amd64 10.0.26100.1): layer 3 of 3 "));
            Assert.That(document.RootElement.GetProperty("images").GetArrayLength(), Is.EqualTo(2));
            Assert.That(document.RootElement.GetProperty("failed")[0].GetProperty("platform").GetString(), Is.EqualTo("windows/amd64 10.0.26100.1"));
        }
    }

    [Test]
    public async Task A_newer_revision_replaces_the_one_before()
    {
        using var folder = new TempFolder();
        await using var registry = await FakeRegistry.StartAsync();
        Versions("10.0.17763.5000", "10.0.20348.2031").WriteTo(folder["image"], "v1");
        registry.AddLayout(Repository, folder["image"]);
        await CimConvertProgram.ConvertAsync($"{registry.Host}/{Repository}:v1", folder["store"], "--all");
        Versions("10.0.17763.5000", "10.0.20348.2700").WriteTo(folder["moved"], "v1");
        registry.AddLayout(Repository, folder["moved"]);

        await CimConvertProgram.ConvertAsync($"{registry.Host}/{Repository}:v1", folder["store"], "--all");

        var images = (await CimConvertProgram.JsonAsync("images", folder["store"])).GetProperty("images").EnumerateArray();
        Assert.That(
            images.Select(image => image.GetProperty("platform").GetProperty("osVersion").GetString()), Is.EqualTo(new[] { "10.0.17763.5000", "10.0.20348.2700" }));
        var text = (await CimConvertProgram.SucceedAsync("images", folder["store"])).Output;
        Assert.That(text, Does.Contain("windows/amd64 10.0.20348.2700").And.EndsWith("2 images\n"));
    }

    [TestCase("--all takes every version", "--all", "--os-version", "10.0.20348", "--output", "store")]
    [TestCase("--all is for a store", "--all", "--into", "containerd")]
    public async Task All_versions_go_without_what_is_for_one(string error, params string[] options) =>
        Assert.That(await CimConvertProgram.FailAsync(2, ["convert", "win/app:v1", .. options]), Does.Contain(error));

    private static IndexBuilder Index() => new IndexBuilder()
        .Image(Image("linux", "amd64", null))
        .Image(Image("windows", "amd64", "10.0.17763.5000"))
        .Image(Image("windows", "amd64", "10.0.20348.2031"))
        .Image(Image("windows", "arm64", "10.0.20348.2031"));

    private static string Converted(JsonElement result) => result.GetProperty("converted").GetProperty("digest").GetString()!;

    private static IndexBuilder Versions(params string[] versions) =>
        versions.Aggregate(new IndexBuilder(), (index, version) => index.Image(Image("windows", "amd64", version)));

    private static ImageBuilder Image(string os, string architecture, string? version) =>
        new ImageBuilder { OperatingSystem = os, Architecture = architecture, OsVersion = version }
            .Layer(WindowsImage.SmallBase())
            .Layer(new LayerBuilder().File("Files/which", $"{os} {architecture} {version}"));
}
