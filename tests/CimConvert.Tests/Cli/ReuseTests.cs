using CimConvert.TestKit;
using CimConvert.TestKit.Images;
using CimConvert.TestKit.Layers;
using CimConvert.TestKit.Registry;
using NUnit.Framework;

namespace CimConvert.Tests.Cli;

/// <summary>What a store saves, and that what is in it does not depend on how it came there.</summary>
[Category(Categories.Process)]
public class ReuseTests
{
    private const string Repository = "win/app";

    [Test]
    public async Task A_second_run_downloads_no_layer_and_changes_no_byte()
    {
        using var folder = new TempFolder();
        await using var registry = await FakeRegistry.StartAsync();
        var image = Push(registry, folder, "v1", WindowsImage.Layers);
        await CimConvertProgram.ConvertAsync(Reference(registry, "v1"), folder["store"]);
        var before = StoreFiles.Snapshot(folder["store"]);
        var layerDigests = image.Layers.Select(layer => layer.Digest).ToArray();
        var blobGets = BlobGets(registry, layerDigests);

        var again = await CimConvertProgram.ConvertAsync(Reference(registry, "v1"), folder["store"]);

        using (Assert.EnterMultipleScope())
        {
            ConvertJson.AssertShape(again);
            Assert.That(again.Reused(), Is.EqualTo(new[] { true, true, true, true }));
            Assert.That(blobGets, Is.EqualTo(4));
            Assert.That(BlobGets(registry, layerDigests), Is.EqualTo(blobGets), "layers were asked for again");
            Assert.That(again.GetProperty("bytes").GetProperty("downloaded").GetInt64(), Is.LessThan(8192));
            Assert.That(again.GetProperty("bytes").GetProperty("decompressed").GetInt64(), Is.Zero);
            Assert.That(again.GetProperty("bytes").GetProperty("written").GetInt64(), Is.Zero);
            Assert.That(StoreFiles.Snapshot(folder["store"]), Is.EqualTo(before));
        }
    }

    [Test]
    public async Task A_second_image_converts_only_the_layers_that_are_new()
    {
        using var folder = new TempFolder();
        await using var registry = await FakeRegistry.StartAsync();
        var layers = WindowsImage.Layers;
        Push(registry, folder, "v1", layers);
        await CimConvertProgram.ConvertAsync(Reference(registry, "v1"), folder["store"]);
        var first = StoreFiles.Snapshot(folder["store"]).Where(line => line.StartsWith("layers/", StringComparison.Ordinal)).ToArray();
        var second = Push(registry, folder, "v2", [layers[0], layers[1], layers[3]]);
        var asked = registry.Requests.Count;

        var result = await CimConvertProgram.ConvertAsync(Reference(registry, "v2"), folder["store"]);

        var blobs = registry.Requests.Skip(asked).Where(r => r.Path.Contains("/blobs/", StringComparison.Ordinal)).Select(r => r.Path.Split('/')[^1]);
        var verified = await CimConvertProgram.RunAsync("verify", folder["store"]);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(result.Reused(), Is.EqualTo(new[] { true, true, false }));
            Assert.That(blobs, Is.EquivalentTo(new[] { second.ConfigDigest, second.Layers[2].Digest }));
            Assert.That(result.LayerPaths()[2], Does.Contain(StoreFiles.Hex(second.Layers[2].ChainId)));
            Assert.That(StoreFiles.Snapshot(folder["store"]), Is.SupersetOf(first));
            Assert.That(StoreFiles.Names(folder["store"], "layers"), Has.Count.EqualTo(5));
            Assert.That(verified.ExitCode, Is.Zero, verified.Error);
        }
    }

    [Test]
    public async Task Stores_are_identical_at_any_concurrency([Values] bool sealedWithFooter)
    {
        using var folder = new TempFolder();
        await using var registry = await FakeRegistry.StartAsync();
        Push(registry, folder, "v1", WindowsImage.Layers);
        string[] options = sealedWithFooter ? ["--integrity", "--vhd-footer"] : [];

        await CimConvertProgram.ConvertAsync(Reference(registry, "v1"), folder["one"], [.. options, "--concurrency", "1"]);
        await CimConvertProgram.ConvertAsync(Reference(registry, "v1"), folder["eight"], [.. options, "--concurrency", "8"]);

        var one = StoreFiles.Snapshot(folder["one"]);
        Assert.That(one, Has.Some.StartsWith("index.json ").And.Some.Contains("/merged."));
        Assert.That(StoreFiles.Snapshot(folder["eight"]), Is.EqualTo(one));
    }

    [Test]
    public async Task A_damaged_record_makes_its_layer_convert_again()
    {
        using var folder = new TempFolder();
        await using var registry = await FakeRegistry.StartAsync();
        Push(registry, folder, "v1", WindowsImage.Layers);
        var first = await CimConvertProgram.ConvertAsync(Reference(registry, "v1"), folder["store"]);
        var before = StoreFiles.Snapshot(folder["store"]);
        var damaged = first.LayerPaths()[1];
        await File.WriteAllTextAsync(Path.Combine(Path.GetDirectoryName(damaged)!, "layer.json"), "{");

        var again = await CimConvertProgram.ConvertAsync(Reference(registry, "v1"), folder["store"]);

        Assert.That(again.Reused(), Is.EqualTo(new[] { true, false, true, true }));
        Assert.That(StoreFiles.Snapshot(folder["store"]), Is.EqualTo(before));
    }

    [Test]
    public async Task An_image_of_one_layer_has_no_merged_cim()
    {
        using var folder = new TempFolder();
        await using var registry = await FakeRegistry.StartAsync();
        Push(registry, folder, "base", [WindowsImage.SmallBase()]);

        var result = await CimConvertProgram.ConvertAsync(Reference(registry, "base"), folder["store"]);

        ConvertJson.AssertShape(result);
        Assert.That(result.GetProperty("merged").ValueKind, Is.EqualTo(System.Text.Json.JsonValueKind.Null));
        Assert.That(StoreFiles.Relative(folder["store"]), Has.None.Contains("merged"));
    }

    private static OciImage Push(FakeRegistry registry, TempFolder folder, string tag, IEnumerable<LayerBuilder> layers)
    {
        var image = WindowsImage.Image(layers).WriteTo(folder["image"], tag);
        registry.AddLayout(Repository, folder["image"]);
        return image;
    }

    private static string Reference(FakeRegistry registry, string tag) => $"{registry.Host}/{Repository}:{tag}";

    private static int BlobGets(FakeRegistry registry, string[] digests) =>
        registry.Requests.Count(r => r.Method == "GET" && digests.Any(digest => r.Path.EndsWith(digest, StringComparison.Ordinal)));
}
