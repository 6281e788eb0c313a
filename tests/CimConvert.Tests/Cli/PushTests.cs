using System.Text.Json;
using CimConvert.TestKit;
using CimConvert.TestKit.Images;
using CimConvert.TestKit.Registry;
using CimConvert.TestKit.Servers;
using NUnit.Framework;

namespace CimConvert.Tests.Cli;

/// <summary>Converted images in registries: what the program pushes, others can pull.</summary>
[Category(Categories.Process)]
[Category(Categories.Tools)]
public class PushTests
{
    private const string Repository = "win/app";
    private const string Mirror = "mirror/app";

    [Test]
    public async Task Skopeo_copies_what_was_pushed_to_a_real_registry_and_finds_every_digest()
    {
        Tools.Require("skopeo");
        await using var registry = await DockerRegistry.StartAsync();
        using var folder = new TempFolder();
        var image = WindowsImage.Image(WindowsImage.Layers).WriteTo(folder["image"], "v1");
        await Skopeo.PushAsync(image.Directory, "v1", registry.Reference(Repository, "v1"));
        var target = registry.Reference(Mirror, "converted");

        var result = await CimConvertProgram.ConvertAsync(registry.Reference(Repository, "v1"), folder["store"], "--push", target, "--subject");

        var pushed = result.GetProperty("pushed");
        var raw = await Skopeo.InspectRawAsync(target);
        using var manifest = JsonDocument.Parse(raw);
        var blobs = manifest.RootElement.GetProperty("layers").EnumerateArray().Append(manifest.RootElement.GetProperty("config")).ToArray();
        await Skopeo.CopyToFolderAsync(target, folder["copy"]);
        using var referrers = JsonDocument.Parse(await Skopeo.InspectRawAsync(registry.Reference(Mirror, image.ManifestDigest.Replace(':', '-'))));
        using (Assert.EnterMultipleScope())
        {
            ConvertJson.AssertShape(result);
            Assert.That(pushed.GetProperty("reference").GetString(), Is.EqualTo(target));
            Assert.That(pushed.GetProperty("digest").GetString(), Is.EqualTo(Digests.Of(raw)));
            Assert.That(Counts(result), Is.EqualTo((7, 0, 1)), "five block files, the empty config and the manifest; the source's config was in the registry");
            Assert.That(manifest.RootElement.GetProperty("subject").GetProperty("digest").GetString(), Is.EqualTo(image.ManifestDigest));
            Assert.That(File.ReadAllBytes(Path.Combine(folder["copy"], "manifest.json")), Is.EqualTo(raw));
            foreach (var digest in blobs.Select(blob => blob.GetProperty("digest").GetString()!))
            {
                Assert.That(Digests.OfFile(Path.Combine(folder["copy"], StoreFiles.Hex(digest))), Is.EqualTo(digest));
            }

            Assert.That(
                referrers.RootElement.GetProperty("manifests").EnumerateArray().Select(entry => entry.GetProperty("digest").GetString()), Is.EqualTo(new[] { Digests.Of(raw) }));
        }

        var puts = registry.CountRequests("PUT", "/v2/");
        var again = await CimConvertProgram.ConvertAsync(registry.Reference(Repository, "v1"), folder["store"], "--push", target, "--subject");
        await CimConvertProgram.ConvertAsync(registry.Reference(Repository, "v1"), folder["store"], "--push", registry.Reference(Mirror, "another"), "--subject");
        await registry.WaitForRequestAsync("PUT", "/manifests/another");
        Assert.That(Counts(again), Is.EqualTo((0, 8, 0)));
        Assert.That(again.GetProperty("pushed").GetProperty("bytes").GetInt64(), Is.Zero);
        Assert.That(registry.CountRequests("PUT", "/v2/"), Is.EqualTo(puts + 1), "only the new tag was put");
    }

    [Test]
    public async Task Another_registry_gets_everything_and_the_log_says_what()
    {
        using var folder = new TempFolder();
        await using var source = await SourceAsync(folder);
        await using var target = await FakeRegistry.StartAsync();
        target.AddSeparate(Mirror);

        var run = await CimConvertProgram.SucceedAsync(
            "convert", $"{source.Host}/{Repository}:v1", "--plain-http", "--output", folder["store"], "--push", $"{target.Host}/{Mirror}:v1");

        var manifest = target.FindManifest(Mirror, "v1")!;
        Assert.That(run.Output, Does.Contain($"pushed to {target.Host}/{Mirror}:v1: 4 uploaded"));
        Assert.That(run.Error, Does.Contain($"manifest {Digests.Of(manifest)} ({manifest.Length} bytes) pushed"));
        Assert.That(run.Error.Split('\n').Count(line => line.Contains("blob sha256:", StringComparison.Ordinal) && line.EndsWith("pushed", StringComparison.Ordinal)), Is.EqualTo(3));
        Assert.That(target.Requests[^1].Path, Does.EndWith("/manifests/v1"), "the manifest comes last");
        Assert.That(source.Requests.Select(request => request.Method), Is.All.EqualTo("GET"));
        using var json = JsonDocument.Parse(manifest);
        Assert.That(json.RootElement.TryGetProperty("subject", out _), Is.False, "a subject only when asked for");
    }

    [Test]
    public async Task Without_a_push_there_is_none_and_the_stores_manifest_may_have_a_subject()
    {
        using var folder = new TempFolder();
        await using var source = await SourceAsync(folder);

        var result = await CimConvertProgram.ConvertAsync($"{source.Host}/{Repository}:v1", folder["store"], "--subject");

        var digest = result.GetProperty("converted").GetProperty("digest").GetString()!;
        using var manifest = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(folder["store"], "blobs", "sha256", StoreFiles.Hex(digest))));
        Assert.That(result.GetProperty("pushed").ValueKind, Is.EqualTo(JsonValueKind.Null));
        Assert.That(
            manifest.RootElement.GetProperty("subject").GetProperty("digest").GetString(), Is.EqualTo(result.GetProperty("source").GetProperty("digest").GetString()));
        Assert.That(source.Requests.Select(request => request.Method), Is.All.EqualTo("GET"));
    }

    [Test]
    public async Task A_registry_that_takes_no_pushes_is_told_and_the_store_is_kept()
    {
        using var folder = new TempFolder();
        await using var source = await SourceAsync(folder);
        source.AddSeparate(Mirror);
        source.Faults.Add(Fault.Status("uploads/", 405, Fault.Always));
        var reference = $"{source.Host}/{Repository}:v1";

        var error = await CimConvertProgram.FailAsync(
            1, "convert", reference, "--plain-http", "--quiet", "--output", folder["store"], "--push", $"{source.Host}/{Mirror}:v1");

        Assert.That(error, Does.StartWith($"error: {reference}: cannot push blob sha256:").And.Contains("takes no pushes (405)"));
        Assert.That((await CimConvertProgram.RunAsync("verify", folder["store"])).ExitCode, Is.Zero);
        Assert.That(StoreFiles.Names(folder["store"], "layers"), Has.Count.EqualTo(1));
    }

    [TestCase("win/app@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "--push takes a tag")]
    [TestCase("win/UPPER:v1", "is not an image reference")]
    public async Task What_cannot_be_pushed_to_is_wrong_usage(string target, string why)
    {
        using var folder = new TempFolder();

        var error = await CimConvertProgram.FailAsync(2, "convert", "win/app:v1", "--output", folder["store"], "--push", target);

        Assert.That(error, Does.Contain(why));
        Assert.That(Directory.Exists(folder["store"]), Is.False);
    }

    private static async Task<FakeRegistry> SourceAsync(TempFolder folder)
    {
        var registry = await FakeRegistry.StartAsync();
        WindowsImage.Image(WindowsImage.SmallBase()).WriteTo(folder["image"], "v1");
        registry.AddLayout(Repository, folder["image"]);
        return registry;
    }

    private static (int Uploaded, int Skipped, int Mounted) Counts(JsonElement result)
    {
        var pushed = result.GetProperty("pushed");
        return (pushed.GetProperty("uploaded").GetInt32(), pushed.GetProperty("skipped").GetInt32(), pushed.GetProperty("mounted").GetInt32());
    }
}
