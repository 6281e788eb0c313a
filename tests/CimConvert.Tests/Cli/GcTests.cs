using System.Diagnostics;
using CimConvert.Store;
using CimConvert.TestKit;
using CimConvert.TestKit.Images;
using CimConvert.TestKit.Layers;
using CimConvert.TestKit.Registry;
using CimConvert.Tests.Store;
using NUnit.Framework;

namespace CimConvert.Tests.Cli;

/// <summary>Collections beside conversions, and ones that are killed.</summary>
[Category(Categories.Process)]
public class GcTests
{
    private const string Repository = "win/app";
    private const long Megabyte = 1 << 20;

    [Test]
    public async Task What_goes_is_said_and_stays_away()
    {
        using var folder = new TempFolder();
        var store = ConversionStore.Open(folder["store"]);
        StoredImages.Age(store, await StoredImages.AddAsync(store, "host/old:1", "base", "old"), TimeSpan.FromDays(3));
        var young = await StoredImages.AddAsync(store, "host/young:1", "base", "young");
        string[] arguments = ["gc", store.Root, "--older-than", "36h", "--keep", "host/other:*", "--max-size", "1GiB"];

        var told = await CimConvertProgram.JsonAsync([.. arguments, "--dry-run"]);
        var there = StoreFiles.Names(store.Root, "layers");
        var text = (await CimConvertProgram.SucceedAsync(arguments)).Output;
        var again = await CimConvertProgram.JsonAsync(arguments);

        var old = StoredImages.Chain("base", "old")[1];
        using (Assert.EnterMultipleScope())
        {
            Assert.That(there, Has.Count.EqualTo(3));
            Assert.That(told.GetProperty("dryRun").GetBoolean(), Is.True);
            Assert.That(told.GetProperty("images").EnumerateArray().Select(image => image.GetString()), Is.EqualTo(new[] { "host/old:1" }));
            Assert.That(told.GetProperty("layers").EnumerateArray().Select(layer => layer.GetString()), Is.EqualTo(new[] { old.ToString() }));
            Assert.That(told.GetProperty("blobs").GetArrayLength(), Is.EqualTo(3));
            Assert.That(text, Does.StartWith($"removed image host/old:1\nremoved layer {old}\nremoved blob sha256:").And.Match(@"\nfreed \d[^\n]*B; \d[^\n]*B stay\n\z"));
            Assert.That(again.GetProperty("freed").GetInt64(), Is.Zero);
            Assert.That(again.GetProperty("remaining").GetInt64(), Is.EqualTo(told.GetProperty("remaining").GetInt64()));
            Assert.That(store.Images().Select(image => image.Manifest.Digest), Is.EqualTo(new[] { young.Digest }));
        }
    }

    [Test]
    public async Task What_stays_against_the_wish_is_part_of_a_failure()
    {
        using var folder = new TempFolder();
        var store = ConversionStore.Open(folder["store"]);
        var layer = (await StoredImages.AddLayersAsync(store, "claimed"))[0].ChainId;
        using var claim = await store.Ingest.ClaimAsync(layer, CancellationToken.None);

        var result = await CimConvertProgram.RunAsync("gc", store.Root);

        Assert.That((result.ExitCode, result.Error), Is.EqualTo((3, $"warning: layer {layer}: another process is working on it\n")));
    }

    [TestCase(2, "--max-size", "1.5GiB", "no size")]
    [TestCase(2, "--older-than", "30", "no duration")]
    [TestCase(2, "--keep", "", "is empty")]
    [TestCase(1, "--max-size", "1", "is no store")]
    public async Task Wrong_usage_is_told_from_what_is_no_store(int exitCode, string option, string value, string error)
    {
        using var folder = new TempFolder();
        Assert.That(await CimConvertProgram.FailAsync(exitCode, "gc", folder.Path, option, value), Does.Contain(error));
    }

    [Test]
    public async Task A_conversion_loses_nothing_to_collections_beside_it()
    {
        using var folder = new TempFolder();
        await using var registry = await FakeRegistry.StartAsync();
        var image = Push(registry, folder);
        registry.Faults.Add(Fault.Slow(image.Layers[1].Digest, TimeSpan.FromMilliseconds(10)));
        await using var run = CimConvertProgram.Start("convert", Reference(registry), "--plain-http", "--output", folder["store"]);
        await run.Error.WaitForLineAsync(line => line.Contains("layer 1 of 2", StringComparison.Ordinal) && line.Contains(": sealed as ", StringComparison.Ordinal), CimConvertProgram.Patience);
        var store = ConversionStore.OpenExisting(folder["store"]);
        var beside = await new StoreCollection(store, new() { MaxSize = 0 }).RunAsync(CancellationToken.None);
        Assert.That(store.Images(), Is.Empty, "the conversion was over before the collection began");

        // What it reports as done stays done, whenever a collection looks.
        var finished = run.WaitAsync(CimConvertProgram.Patience);
        while (!finished.IsCompleted)
        {
            await new StoreCollection(store, new() { OlderThan = TimeSpan.FromDays(1) }).RunAsync(CancellationToken.None);
            await Task.Delay(50);
        }

        var result = await finished;
        await CimConvertProgram.ConvertAsync(Reference(registry), folder["undisturbed"]);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(result.ExitCode, Is.Zero, result.Error);
            Assert.That((beside.Layers.Count, beside.Blobs.Count), Is.EqualTo((0, 0)));
            Assert.That(registry.Requests.Count(r => r.Path.EndsWith(image.Layers[0].Digest, StringComparison.Ordinal)), Is.EqualTo(2), "one for each store");
            Assert.That(StoreFiles.Snapshot(store.Root), Is.EqualTo(StoreFiles.Snapshot(folder["undisturbed"])));
        }
    }

    [Test]
    [Platform(Exclude = "Win", Reason = "kills as Unix does")]
    public async Task What_a_killed_conversion_used_is_collected()
    {
        using var folder = new TempFolder();
        await using var registry = await FakeRegistry.StartAsync();
        var image = Push(registry, folder);
        registry.Faults.Add(Fault.StallAfter(image.Layers[1].Digest, Megabyte, Fault.Always));
        await using var run = CimConvertProgram.Start("convert", Reference(registry), "--plain-http", "--output", folder["store"]);
        await run.Error.WaitForLineAsync(line => line.Contains("layer 1 of 2", StringComparison.Ordinal) && line.Contains(": sealed as ", StringComparison.Ordinal), CimConvertProgram.Patience);
        run.Kill();
        await run.WaitAsync(CimConvertProgram.Patience);
        Assert.That(StoreFiles.Names(folder["store"], "ingest"), Has.One.EndsWith(".lease"));

        var result = await CimConvertProgram.JsonAsync("gc", folder["store"]);

        Assert.That(result.GetProperty("layers").GetArrayLength(), Is.EqualTo(1));
        Assert.That(StoreFiles.Relative(folder["store"]), Is.EqualTo(new[] { "oci-layout" }));
    }

    [Test]
    [Platform(Exclude = "Win", Reason = "kills as Unix does")]
    public async Task Killed_at_any_point_a_collection_leaves_a_good_store_and_the_next_finishes()
    {
        const int rounds = 15;
        using var folder = new TempFolder();
        var full = await FillAsync(folder["full"]);
        var random = new Random(6);
        var expected = StoredImages.Copy(full.Root, folder["expected"]);
        var clock = Stopwatch.StartNew();
        await CimConvertProgram.SucceedAsync("gc", expected.Root, "--older-than", "1d");
        var whole = clock.Elapsed;
        var kept = StoreFiles.Snapshot(expected.Root);
        Assert.That(kept, Has.Count.LessThan(StoreFiles.Relative(full.Root).Count / 2));
        for (var round = 0; round < rounds; round++)
        {
            var store = StoredImages.Copy(full.Root, folder[$"store{round}"]);
            Age(store);
            var index = new FileInfo(Path.Combine(store.Root, "index.json"));
            var before = index.Length;
            await using (var run = CimConvertProgram.Start("gc", store.Root, "--older-than", "1d"))
            {
                // Its first write is the index; most of its time before it only starts.
                for (clock.Restart(); clock.Elapsed < whole * 3 && before == index.Length; index.Refresh())
                {
                    await Task.Delay(1);
                }

                await Task.Delay(random.Next(30));
                run.Kill();
                await run.WaitAsync(CimConvertProgram.Patience);
            }

            Assert.That(new StoreVerification(store, CancellationToken.None).Run(), Is.Empty, $"round {round}");
            var result = await new StoreCollection(store, new() { OlderThan = TimeSpan.FromDays(1) }).RunAsync(CancellationToken.None);
            Assert.That(result.Problems, Is.Empty, $"round {round}");
            Assert.That(StoreFiles.Snapshot(store.Root), Is.EqualTo(kept), $"round {round}");
            await TestContext.Out.WriteLineAsync($"round {round}: the killed one left {result.Layers.Count} layers, {result.Blobs.Count} blobs, {result.Leftovers.Count} leftovers");
        }
    }

    /// <summary>Old images on a few common layers, and one of today.</summary>
    private static async Task<ConversionStore> FillAsync(string folder)
    {
        const int images = 16;
        var store = ConversionStore.Open(folder);
        for (var i = 0; i < images; i++)
        {
            await StoredImages.AddAsync(store, $"host/old:{i}", "base", $"common{i % 3}", $"middle{i}", $"top{i}");
        }

        await StoredImages.AddAsync(store, "host/young:1", "base", "common0", "young");
        Age(store);
        return store;
    }

    private static void Age(ConversionStore store)
    {
        foreach (var (reference, manifest) in store.Images())
        {
            StoredImages.Age(store, manifest, reference.Contains("old", StringComparison.Ordinal) ? TimeSpan.FromDays(2) : TimeSpan.Zero);
        }
    }

    private static string Reference(FakeRegistry registry) => $"{registry.Host}/{Repository}:v1";

    private static OciImage Push(FakeRegistry registry, TempFolder folder)
    {
        var top = new LayerBuilder().Directory("Files").File("Files/large", 2 * Megabyte, () => SeededContent.Stream(1, 2 * Megabyte));
        var image = new ImageBuilder().Layer(WindowsImage.SmallBase()).Layer(top, LayerCompression.None).WriteTo(folder["image"], "v1");
        registry.AddLayout(Repository, folder["image"]);
        return image;
    }
}
