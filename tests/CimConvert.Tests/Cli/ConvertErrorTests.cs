using System.Net;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using CimConvert.TestKit;
using CimConvert.TestKit.Images;
using CimConvert.TestKit.Layers;
using CimConvert.TestKit.Registry;
using NUnit.Framework;

namespace CimConvert.Tests.Cli;

/// <summary>Everything that can be wrong with an image or a registry: one clear line, the exit code, and nothing under a final name.</summary>
[Category(Categories.Process)]
public class ConvertErrorTests
{
    private const string Repository = "win/app";

    [Test]
    public async Task A_registry_that_is_down()
    {
        using var folder = new TempFolder();
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var reference = $"{listener.LocalEndpoint}/{Repository}:v1";
        listener.Stop();

        var error = await FailAsync(1, reference, folder["store"]);

        Assert.That(error, Does.StartWith($"error: {reference}: ").And.Contains("refused the connection"));
        AssertNothingOf(folder["store"]);
    }

    [TestCase("win/UPPER:v1", "win/UPPER:v1")]
    [TestCase("win/app:v1@sha256:12", "sha256")]
    [TestCase("win/app:", "win/app:")]
    public async Task A_malformed_reference_is_wrong_usage(string reference, string named)
    {
        using var folder = new TempFolder();

        var error = await FailAsync(2, reference, folder["store"]);

        Assert.That(error, Does.Contain(named).And.Contains("is not an image reference"));
        Assert.That(Directory.Exists(folder["store"]), Is.False);
    }

    [TestCase("--no-such-option", "--no-such-option")]
    [TestCase("--platform=windows", "platform 'windows'")]
    [TestCase("--concurrency=0", "--concurrency")]
    [TestCase("--concurrency=many", "many")]
    public async Task A_wrong_option_is_wrong_usage(string option, string named)
    {
        using var folder = new TempFolder();

        var error = await CimConvertProgram.FailAsync(2, "convert", "win/app:v1", "--output", folder["store"], option);

        Assert.That(error, Does.Match(named).And.Contains("cimconvert convert --help"));
        Assert.That(Directory.Exists(folder["store"]), Is.False);
    }

    [Test]
    public async Task A_missing_command_and_a_missing_output_are_wrong_usage()
    {
        Assert.That(await CimConvertProgram.FailAsync(2, "convert", "win/app:v1"), Does.Contain("--output"));
        Assert.That(await CimConvertProgram.FailAsync(2, "no-such-command"), Does.Contain("no-such-command"));
    }

    [Test]
    public async Task A_missing_tag()
    {
        using var folder = new TempFolder();
        await using var registry = await FakeRegistry.StartAsync();
        var reference = $"{registry.Host}/{Repository}:v9";

        var error = await FailAsync(1, reference, folder["store"]);

        Assert.That(error, Does.StartWith($"error: {reference}: ").And.Contains("404"));
        AssertNothingOf(folder["store"]);
    }

    [Test]
    public async Task An_image_of_another_platform()
    {
        using var folder = new TempFolder();
        var image = new ImageBuilder { OperatingSystem = "linux" }.Layer(WindowsImage.SmallBase());
        var (error, _, _) = await FailAsync(folder, image);

        Assert.That(error, Does.Contain("linux/amd64").And.Contains("windows/amd64"));
        AssertNothingOf(folder["store"]);
    }

    [TestCaseSource(nameof(DamagedBlobs))]
    public async Task A_damaged_blob_is_named(LayerFault fault, string[] named)
    {
        using var folder = new TempFolder();
        var image = new ImageBuilder().Layer(WindowsImage.SmallBase())
            .Layer(new LayerBuilder().Directory("Files").File("Files/x", SeededContent.Bytes(1, 300_000)), fault: fault)
            .Layer(new LayerBuilder().File("Files/y", "y"));

        var (error, written, reference) = await FailAsync(folder, image);

        Assert.That(error, Does.StartWith($"error: {reference}: layer 2 of 3 ({written.Layers[1].Digest}): "));
        foreach (var part in named)
        {
            Assert.That(error, Does.Contain(part));
        }

        await AssertOnlyWholeLayersAsync(folder["store"], written);
    }

    [Test]
    public async Task A_layer_of_another_size_than_the_manifest_says([Values(-1, 1)] int difference)
    {
        using var folder = new TempFolder();
        await using var registry = await FakeRegistry.StartAsync();
        var image = new ImageBuilder().Layer(WindowsImage.SmallBase()).WriteTo(folder["image"], "v1");
        registry.AddLayout(Repository, folder["image"]);
        var manifest = JsonNode.Parse(await File.ReadAllBytesAsync(image.BlobPath(image.ManifestDigest)))!;
        manifest["layers"]![0]!["size"] = image.Layers[0].Size + difference;
        registry.AddTag(Repository, "v1", registry.AddManifest(OciImage.ManifestMediaType, System.Text.Encoding.UTF8.GetBytes(manifest.ToJsonString())));
        var reference = $"{registry.Host}/{Repository}:v1";

        var error = await FailAsync(1, reference, folder["store"]);

        Assert.That(error, Does.StartWith($"error: {reference}: ").And.Contains(image.Layers[0].Digest).And.Contains("bytes"));
        AssertNothingOf(folder["store"]);
    }

    [TestCaseSource(nameof(BadTars))]
    public async Task A_bad_tar_is_named_with_its_entry(LayerBuilder layer, string[] named)
    {
        using var folder = new TempFolder();
        var image = new ImageBuilder().Layer(WindowsImage.SmallBase()).Layer(layer).Layer(new LayerBuilder().File("Files/y", "y"));

        var (error, written, reference) = await FailAsync(folder, image);

        Assert.That(error, Does.StartWith($"error: {reference}: layer 2 of 3 ({written.Layers[1].Digest}): "));
        foreach (var part in named)
        {
            Assert.That(error, Does.Contain(part));
        }

        await AssertOnlyWholeLayersAsync(folder["store"], written);
    }

    [Test]
    public async Task A_base_layer_without_hives_names_them()
    {
        using var folder = new TempFolder();

        var (error, _, reference) = await FailAsync(folder, new ImageBuilder().Layer(new LayerBuilder().File("Files/x", "x")));

        Assert.That(error, Does.StartWith($"error: {reference}: layer 1 of 1 ("));
        foreach (var hive in new[] { "SYSTEM", "SOFTWARE", "SAM", "SECURITY", "DEFAULT" })
        {
            Assert.That(error, Does.Contain(hive));
        }

        AssertNothingOf(folder["store"]);
    }

    [Test]
    public async Task A_link_to_nowhere_in_the_base_layer_names_both()
    {
        using var folder = new TempFolder();

        var (error, _, reference) = await FailAsync(folder, new ImageBuilder().Layer(WindowsImage.SmallBase().HardLink("Files/link", "Files/nowhere")));

        Assert.That(error, Does.StartWith($"error: {reference}: layer 1 of 1 (").And.Contains(@"Files\link").And.Contains(@"Files\nowhere"));
        AssertNothingOf(folder["store"]);
    }

    [Test]
    public async Task A_link_that_no_layer_has_the_target_of_names_both()
    {
        using var folder = new TempFolder();
        var image = new ImageBuilder().Layer(WindowsImage.SmallBase()).Layer(new LayerBuilder().HardLink("Files/link", "Files/nowhere"));

        var (error, written, reference) = await FailAsync(folder, image);

        Assert.That(error, Does.StartWith($"error: {reference}: ").And.Contains(@"Files\link").And.Contains(@"Files\nowhere"));
        await AssertOnlyWholeLayersAsync(folder["store"], written, whole: 2);
    }

    [Test]
    public async Task A_failed_conversion_leaves_the_images_of_the_store_as_they_were()
    {
        using var folder = new TempFolder();
        await using var registry = await FakeRegistry.StartAsync();
        new ImageBuilder().Layer(WindowsImage.SmallBase()).Layer(new LayerBuilder().File("Files/x", "x")).WriteTo(folder["image"], "good");
        new ImageBuilder().Layer(WindowsImage.SmallBase()).Layer(new LayerBuilder().File("Files/z", "z"), fault: LayerFault.TruncatedGzip).WriteTo(folder["image"], "bad");
        registry.AddLayout(Repository, folder["image"]);
        await CimConvertProgram.ConvertAsync($"{registry.Host}/{Repository}:good", folder["store"]);
        var before = StoreFiles.Snapshot(folder["store"]);

        await FailAsync(1, $"{registry.Host}/{Repository}:bad", folder["store"]);

        Assert.That(StoreFiles.Snapshot(folder["store"]), Is.EqualTo(before));
    }

    private static IEnumerable<TestCaseData> DamagedBlobs()
    {
        yield return new TestCaseData(LayerFault.WrongContent, new[] { "blob", "digest" }) { TestName = "A_blob_of_other_content" };
        yield return new TestCaseData(LayerFault.WrongDiffId, new[] { "diff ID" }) { TestName = "A_tar_of_another_diff_id" };
        yield return new TestCaseData(LayerFault.TruncatedGzip, new[] { "gzip" }) { TestName = "A_truncated_gzip" };
    }

    private static IEnumerable<TestCaseData> BadTars()
    {
        static LayerBuilder Layer() => new LayerBuilder().Directory("Files").File("Files/a", "a");
        yield return Case("A_path_that_climbs", Layer().File("Files/../../b", "b"), @"'Files\..\..\b'");
        yield return Case("A_stream_of_another_type", Layer().File("Files/a:s:$INDEX", "b"), @"'Files\a:s:$INDEX'", "$DATA");
        yield return Case("A_stream_without_its_file", Layer().File("Files/z:s", "b"), @"'Files\z:s'");
        yield return Case("A_device", Layer().Raw(new TarEntrySpec { Name = "Files/dev", Type = '3' }), @"'Files\dev'");
        yield return Case("A_link_named_like_a_hive", Layer().HardLink("Hives/SAM_DELTA", "Files/a"), @"'Hives\SAM_DELTA'");
        yield return Case("A_whiteout_of_nothing", Layer().Whiteout("Files/"), @"'Files\.wh.'");

        static TestCaseData Case(string name, LayerBuilder layer, params string[] named) => new(layer, named) { TestName = name };
    }

    private static Task<string> FailAsync(int exitCode, string reference, string store) =>
        CimConvertProgram.FailAsync(exitCode, "convert", reference, "--plain-http", "--quiet", "--output", store);

    private static async Task<(string Error, OciImage Image, string Reference)> FailAsync(TempFolder folder, ImageBuilder image)
    {
        await using var registry = await FakeRegistry.StartAsync();
        var written = image.WriteTo(folder["image"], "v1");
        registry.AddLayout(Repository, folder["image"]);
        var reference = $"{registry.Host}/{Repository}:v1";
        return (await FailAsync(1, reference, folder["store"]), written, reference);
    }

    private static void AssertNothingOf(string store)
    {
        using (Assert.EnterMultipleScope())
        {
            Assert.That(StoreFiles.Names(store, "layers"), Is.Empty);
            Assert.That(StoreFiles.Names(store, "blobs", "sha256"), Is.Empty);
            Assert.That(StoreFiles.Names(store, "ingest"), Is.Empty);
            Assert.That(File.Exists(Path.Combine(store, "index.json")), Is.False);
        }
    }

    /// <summary>Layers below the bad one may be finished, and then wholly; nothing else may be there.</summary>
    private static async Task AssertOnlyWholeLayersAsync(string store, OciImage image, int whole = 1)
    {
        Assert.That(StoreFiles.Names(store, "layers"), Is.SubsetOf(image.Layers.Take(whole).Select(layer => StoreFiles.Hex(layer.ChainId))));
        Assert.That(StoreFiles.Relative(store), Has.None.Contains("merged").And.None.EqualTo("index.json").And.None.StartsWith("blobs"));
        Assert.That(StoreFiles.Names(store, "ingest"), Is.Empty);
        var verified = await CimConvertProgram.RunAsync("verify", store);
        Assert.That((verified.ExitCode, verified.Error), Is.EqualTo((0, "")));
    }
}
