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

        Assert.That(error, Does.Contain("this machine has no version of Windows"));
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

    private static IndexBuilder Index() => new IndexBuilder()
        .Image(Image("linux", "amd64", null))
        .Image(Image("windows", "amd64", "10.0.17763.5000"))
        .Image(Image("windows", "amd64", "10.0.20348.2031"))
        .Image(Image("windows", "arm64", "10.0.20348.2031"));

    private static ImageBuilder Image(string os, string architecture, string? version) =>
        new ImageBuilder { OperatingSystem = os, Architecture = architecture, OsVersion = version }
            .Layer(WindowsImage.SmallBase())
            .Layer(new LayerBuilder().File("Files/which", $"{os} {architecture} {version}"));
}
