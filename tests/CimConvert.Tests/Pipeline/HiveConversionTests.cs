using System.Text.Json;
using CimConvert.Formats.Regf;
using CimConvert.Layers.Hives;
using CimConvert.Store;
using CimConvert.TestKit;
using CimConvert.TestKit.Hives;
using CimConvert.TestKit.Layers;
using CimConvert.TestKit.Oracles;
using CimConvert.TestKit.Registry;
using CimConvert.TestKit.Servers;
using CimConvert.Tests.Cli;
using CimConvert.Tests.Registry;
using NUnit.Framework;

namespace CimConvert.Tests.Pipeline;

/// <summary>Images whose layers change the registry, from a registry server into a store.</summary>
internal sealed class HiveConversionTests : IDisposable
{
    private readonly TempFolder _folder = new();

    private string Store => _folder["store"];

    public void Dispose() => _folder.Dispose();

    [Test]
    [Category(Categories.Process), Category(Categories.Tools)]
    public async Task The_merged_image_has_the_registry_of_all_layers()
    {
        var hivexregedit = Tools.Require("hivexregedit");
        await using var registry = await FakeRegistry.StartAsync();
        LayerBuilder[] layers = [HiveImage.Base(), HiveImage.Without(), HiveImage.Changing("SOFTWARE_DELTA", HiveImage.BuildDelta(HiveImage.SoftwareDelta))];
        registry.Serve(_folder.Sub("image"), layers);

        var converted = await CimConvertProgram.SucceedAsync(
            "convert", registry.Reference().ToString(), "--output", Store, "--plain-http", "--json", "--quiet");
        using var json = JsonDocument.Parse(converted.OutputBytes);
        Assert.That(json.RootElement.GetProperty("hives").GetString(), Is.EqualTo("managed"));
        var merged = json.RootElement.GetProperty("merged").GetProperty("path").GetString()!;

        var hive = _folder.Write("hive", (await CimConvertProgram.SucceedAsync("cat", merged, @"Hives\SOFTWARE_BASE")).OutputBytes);
        Assert.That((await ExternalProcess.RunAsync(hivexregedit, ["--export", hive, @"\"])).EnsureSuccess().Output, Is.EqualTo(HiveImage.MergedSoftware));
        FileContentAssert.Equal(hive, Path.Combine(Path.GetDirectoryName(merged)!, "Hives", "SOFTWARE_BASE"));

        // The hive was judged above; where it lies in the CIM, and what is around it, the oracle knows.
        var bytes = await File.ReadAllBytesAsync(hive);
        var oracle = new TarOracle { MergedHives = (layer, name) => layer == 2 && name == "SOFTWARE" ? bytes : null };
        foreach (var layer in layers)
        {
            oracle.Add(layer.ToArray());
        }

        var listed = ListedEntry.ParseLines((await CimConvertProgram.SucceedAsync("ls", merged, "-R", "--json", "--hash")).Output);
        Assert.That(OracleDiff.Compare(oracle.Entries(), listed), Is.Empty);
    }

    [Test]
    public async Task Every_layer_merges_with_what_those_below_made()
    {
        await using var registry = await FakeRegistry.StartAsync();
        registry.Serve(
            _folder.Sub("image"),
            HiveImage.Base(),
            HiveImage.Changing("SAM_DELTA", Delta("one")),
            HiveImage.Without(),
            HiveImage.Changing("SAM_DELTA", Delta("two")),
            HiveImage.Changing("SYSTEM_DELTA", Delta("three")));
        var result = await registry.ConvertAsync(Store);
        Assert.That(KeysOf(result.Layers[1].Layer.HiveFile("SAM_BASE")), Is.EqualTo(new[] { "one", "SAM" }));
        Assert.That(KeysOf(result.Layers[3].Layer.HiveFile("SAM_BASE")), Is.EqualTo(new[] { "one", "SAM", "two" }));
        Assert.That(KeysOf(result.Layers[4].Layer.HiveFile("SYSTEM_BASE")), Is.EqualTo(new[] { "SYSTEM", "three" }));
        Assert.That(Directory.Exists(Path.Combine(result.Layers[2].Layer.Folder, "Hives")), Is.False);
        ByteAssert.Equal(await File.ReadAllBytesAsync(result.Layers[3].Layer.HiveFile("SAM_BASE")), result.ReadMerged(@"Hives\SAM_BASE"));
        ByteAssert.Equal(await File.ReadAllBytesAsync(result.Layers[4].Layer.HiveFile("SYSTEM_BASE")), result.ReadMerged(@"Hives\SYSTEM_BASE"));
    }

    [Test]
    public async Task Concurrency_does_not_show_in_the_output()
    {
        await using var registry = await FakeRegistry.StartAsync();
        registry.Serve(
            _folder.Sub("image"),
            HiveImage.Base(),
            HiveImage.Changing("SAM_DELTA", Delta("one")),
            HiveImage.Changing("SAM_DELTA", Delta("two")),
            HiveImage.Changing("SAM_DELTA", Delta("three")));
        await registry.ConvertAsync(Store, concurrency: 1);
        await registry.ConvertAsync(_folder["many"], concurrency: 4);
        var files = Files(Store);
        Assert.That(files, Has.Some.EndsWith("SAM_BASE"));
        Assert.That(Files(_folder["many"]), Is.EqualTo(files));
        foreach (var file in files)
        {
            FileContentAssert.Equal(Path.Combine(Store, file), _folder["many", file]);
        }
    }

    [Test]
    public async Task A_layer_of_a_store_without_its_merged_hive_is_made_anew_and_merged_anew()
    {
        await using var registry = await FakeRegistry.StartAsync();
        registry.Serve(_folder.Sub("image"), HiveImage.Base(), HiveImage.Changing("SAM_DELTA", Delta("one")), HiveImage.Without());

        // Other bytes than now, as a version without merging would have left them.
        var old = await registry.ConvertAsync(Store, merger: new Forgetful());
        Assert.That(HiveKeys(old.ReadMerged(@"Hives\SAM_BASE")), Is.EqualTo(new[] { "SAM" }));
        File.Delete(old.Layers[1].Layer.HiveFile("SAM_BASE"));

        var result = await registry.ConvertAsync(Store);
        Assert.That(result.Layers.Select(layer => layer.Reused), Is.EqualTo(new[] { true, false, true }));
        Assert.That(KeysOf(result.Layers[1].Layer.HiveFile("SAM_BASE")), Is.EqualTo(new[] { "one", "SAM" }));
        Assert.That(HiveKeys(result.ReadMerged(@"Hives\SAM_BASE")), Is.EqualTo(new[] { "one", "SAM" }));
        Assert.That(new StoreVerification(ConversionStore.OpenExisting(Store), default).Run(), Is.Empty);

        var again = await registry.ConvertAsync(Store);
        Assert.That(again.Layers.Select(layer => layer.Reused), Is.All.True);
        Assert.That(again.Bytes.Written, Is.Zero, "the merged CIM is of these layers now");
    }

    [Test]
    public async Task Verify_compares_the_hives_on_disk_with_those_in_the_image()
    {
        await using var registry = await FakeRegistry.StartAsync();
        registry.Serve(_folder.Sub("image"), HiveImage.Base(), HiveImage.Changing("SAM_DELTA", Delta("one")));
        var result = await registry.ConvertAsync(Store);
        foreach (var hive in new[] { result.Layers[0].Layer.HiveFile("SYSTEM_BASE"), result.Layers[1].Layer.HiveFile("SAM_BASE") })
        {
            Corrupter.FlipByteAt(hive, 5000);
            var problems = new StoreVerification(ConversionStore.OpenExisting(Store), default).Run();
            Corrupter.FlipByteAt(hive, 5000);
            Assert.That(problems, Has.Count.EqualTo(1));
            Assert.That(problems[0].ToString(), Does.Contain(hive));
        }

        Assert.That(new StoreVerification(ConversionStore.OpenExisting(Store), default).Run(), Is.Empty);
    }

    [Test]
    public async Task Sealing_waits_for_all_layers_below()
    {
        await using var registry = await FakeRegistry.StartAsync();
        var image = registry.Serve(_folder.Sub("image"), HiveImage.Base(), HiveImage.Without(), HiveImage.Changing("SAM_DELTA", Delta("one")));
        var first = await registry.ConvertAsync(Store);
        Directory.Delete(first.Layers[0].Layer.Folder, recursive: true);
        Directory.Delete(first.Layers[2].Layer.Folder, recursive: true);

        // The top layer is imported long before the base one, and its parent is there: yet the hive it needs is not.
        registry.Faults.Add(Fault.Slow(image.Layers[0].Digest, TimeSpan.FromMilliseconds(200)));
        var result = await registry.ConvertAsync(Store, concurrency: 3);
        Assert.That(result.Layers.Select(layer => layer.Reused), Is.EqualTo(new[] { false, true, false }));
        Assert.That(KeysOf(result.Layers[2].Layer.HiveFile("SAM_BASE")), Is.EqualTo(new[] { "one", "SAM" }));
    }

    [Test]
    public async Task A_broken_delta_fails_the_conversion_and_names_layer_hive_and_cell()
    {
        await using var registry = await FakeRegistry.StartAsync();
        var delta = Delta("one");
        delta[4096 + 32 + 4] ^= 0xFF; // the signature of the first key
        var image = registry.Serve(_folder.Sub("image"), HiveImage.Base(), HiveImage.Changing("SECURITY_DELTA", delta));
        var wrong = (await Assert.ThrowsAsync<ConversionException>(() => registry.ConvertAsync(Store)))!;
        Assert.That(wrong.Message, Does.Contain($"layer 2 of 2 ({image.Layers[1].Digest})").And.Contain("hive SECURITY").And.Contain("hive cell 0x00000020"));
        Assert.That(Directory.EnumerateDirectories(Path.Combine(Store, "layers")).Count(), Is.EqualTo(1), "the base layer alone");
        Assert.That(Directory.EnumerateFileSystemEntries(Path.Combine(Store, "ingest")), Is.Empty);
    }

    [Test]
    public async Task A_base_layer_with_something_else_than_hives_converts()
    {
        await using var registry = await FakeRegistry.StartAsync();
        registry.Serve(_folder.Sub("image"), new LayerBuilder().BaseHives(), HiveImage.Without());
        var result = await registry.ConvertAsync(Store);
        ByteAssert.Equal(result.ReadMerged(@"Files\Windows\System32\config\SAM"), result.ReadMerged(@"Hives\SAM_BASE"));
    }

    private static byte[] Delta(string key) => HiveImage.BuildDelta(new KeySpec("ROOT").With(new KeySpec(key)));

    private static string[] KeysOf(string file) => HiveKeys(File.ReadAllBytes(file));

    private static string[] HiveKeys(byte[] hive) => [.. HiveReader.Read(hive).Root.Subkeys.Select(key => key.Name)];

    private static string[] Files(string store) =>
        [.. Directory.EnumerateFiles(store, "*", SearchOption.AllDirectories).Select(file => Path.GetRelativePath(store, file)).Order(StringComparer.Ordinal)];

    /// <summary>Leaves the base hive as it is.</summary>
    private sealed class Forgetful : IHiveMerger
    {
        public string Name => "forgetful";

        public void Merge(IReadOnlyList<string> hives, string merged, CancellationToken cancellationToken) => File.Copy(hives[0], merged);
    }
}
