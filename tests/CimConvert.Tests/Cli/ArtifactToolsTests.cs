using CimConvert.TestKit;
using CimConvert.TestKit.Images;
using CimConvert.TestKit.Servers;
using NUnit.Framework;

namespace CimConvert.Tests.Cli;

/// <summary>What is pushed is an artifact like any other: the tools of others list, copy and take it, and what they copied can be pulled.</summary>
[Category(Categories.Process)]
[Category(Categories.Tools)]
public class ArtifactToolsTests
{
    private const string Repository = "win/app";

    [TestCase("block")]
    [TestCase("forked")]
    public async Task Oras_finds_it_among_the_sources_referrers_and_writes_its_files_by_their_titles(string format)
    {
        Tools.Require("skopeo");
        await using var registry = await DockerRegistry.StartAsync();
        using var folder = new TempFolder();
        var (source, target) = await PushAsync(registry, folder, "--format", format, "--push-compression", "none");

        var discovered = await OciTool.RunAsync("oras", "discover", "--plain-http", "--format", "json", source);
        await OciTool.RunAsync("oras", "pull", "--plain-http", "--output", folder["files"], target);

        Assert.That(discovered.Output, Does.Contain("application/vnd.cimconvert.image.v1"));
        var layers = Path.Combine(folder["store"], "layers");
        string[] expected = format == "block"
            ? [.. StoreFiles.Relative(layers).Where(path => path.EndsWith(".bcim", StringComparison.Ordinal))]
            : [.. StoreFiles.Names(layers).Select(chainId => chainId + ".cim"), .. RegionsOf(layers)];
        Assert.That(StoreFiles.Relative(folder["files"]), Is.EqualTo(expected.Append("config.json").Order(StringComparer.Ordinal)));
        if (format == "forked")
        {
            var top = (await CimConvertProgram.JsonAsync("convert", source, "--plain-http", "--quiet", "--output", folder["store"], "--format", "forked")).LayerPaths()[^1];
            var listed = await CimConvertProgram.SucceedAsync("ls", top, "-R");
            var pulled = await CimConvertProgram.SucceedAsync("ls", Path.Combine(folder["files"], Path.GetFileName(Path.GetDirectoryName(top)) + ".cim"), "-R");
            Assert.That(pulled.Output, Is.EqualTo(listed.Output), "in one folder, they are the chain");
        }
    }

    [Test]
    public async Task Crane_and_skopeo_promote_it_with_its_digest()
    {
        Tools.Require("skopeo");
        await using var registry = await DockerRegistry.StartAsync();
        using var folder = new TempFolder();
        var (source, target) = await PushAsync(registry, folder);
        var digest = Digests.Of(await Skopeo.InspectRawAsync(target));
        var (craned, orased) = (registry.Reference("crane/app", "v1"), registry.Reference("oras/app", "v1"));

        var manifest = await OciTool.RunAsync("crane", "manifest", "--insecure", target);
        await OciTool.RunAsync("crane", "copy", "--insecure", target, craned);
        await OciTool.RunAsync("crane", "pull", "--insecure", "--format", "oci", craned, folder["layout"]);
        await OciTool.RunAsync("oras", "copy", "--from-plain-http", "--to-plain-http", target, orased);
        await Skopeo.PullAsync(target, folder["skopeo"], "v1");

        using (Assert.EnterMultipleScope())
        {
            Assert.That(Digests.Of(manifest.OutputBytes), Is.EqualTo(digest));
            Assert.That(Digests.Of(await Skopeo.InspectRawAsync(craned)), Is.EqualTo(digest));
            Assert.That(Digests.Of(await Skopeo.InspectRawAsync(orased)), Is.EqualTo(digest));
            Assert.That(Digests.Of(await Skopeo.InspectRawAsync(folder["skopeo"], "v1")), Is.EqualTo(digest));
            Assert.That(File.Exists(Path.Combine(folder["layout"], "blobs", "sha256", StoreFiles.Hex(digest))));
        }

        await CimConvertProgram.SucceedAsync("pull", craned, "--plain-http", "--quiet", "--output", folder["pulled"]);
        await CimConvertProgram.SucceedAsync("pull", $"oci:{folder["skopeo"]}:v1", "--quiet", "--output", folder["from-layout"]);
        Assert.That(Layers(folder["pulled"]), Is.EqualTo(Layers(folder["store"])));
        Assert.That(Layers(folder["from-layout"]), Is.EqualTo(Layers(folder["store"])));
    }

    [Test]
    public async Task What_is_attached_to_it_refers_to_its_digest()
    {
        Tools.Require("skopeo");
        await using var registry = await DockerRegistry.StartAsync();
        using var folder = new TempFolder();
        var (_, target) = await PushAsync(registry, folder);
        File.WriteAllText(folder["log.txt"], "converted");

        await OciTool.RunAsync("oras", "attach", "--plain-http", "--disable-path-validation", "--artifact-type", "application/vnd.example.log", target, folder["log.txt"]);

        var discovered = await OciTool.RunAsync("oras", "discover", "--plain-http", "--format", "json", target);
        Assert.That(discovered.Output, Does.Contain("application/vnd.example.log"));
    }

    private static IEnumerable<string> RegionsOf(string layers) => StoreFiles.Names(layers)
        .SelectMany(chainId => StoreFiles.Names(layers, chainId))
        .Where(name => name.StartsWith("region_", StringComparison.Ordinal) || name.StartsWith("objectid_", StringComparison.Ordinal))
        .Distinct(StringComparer.Ordinal);

    private static IEnumerable<string> Layers(string store) => StoreFiles.Snapshot(Path.Combine(store, "layers"))
        .Where(file => !file.Contains("/transport.json ", StringComparison.Ordinal));

    private static async Task<(string Source, string Target)> PushAsync(DockerRegistry registry, TempFolder folder, params string[] options)
    {
        var (source, target) = (registry.Reference(Repository, "v1"), registry.Reference(Repository, "converted"));
        var image = WindowsImage.Image(WindowsImage.Layers).WriteTo(folder["image"], "v1");
        await Skopeo.PushAsync(image.Directory, "v1", source);
        await CimConvertProgram.ConvertAsync(source, folder["store"], ["--backend", "managed", "--push", target, "--subject", .. options]);
        return (source, target);
    }
}
