using System.Text.RegularExpressions;
using CimConvert.TestKit;
using CimConvert.TestKit.Images;
using CimConvert.TestKit.Layers;
using CimConvert.TestKit.Registry;
using CimConvert.TestKit.Servers;
using NUnit.Framework;

namespace CimConvert.Tests.Cli;

/// <summary>Runs that are interrupted, killed, or out of disk.</summary>
[Platform(Exclude = "Win", Reason = "signals and mounts of Unix")]
[Category(Categories.Process)]
[Category(Categories.Tools)]
public class InterruptionTests
{
    private const string Repository = "win/app";
    private const int LayerCount = 4;
    private const long Megabyte = 1 << 20;

    /// <summary>Well below the program's own timeout for a registry that stalls: only a signal ends it so soon.</summary>
    private static readonly TimeSpan s_prompt = TimeSpan.FromSeconds(20);

    [Test]
    public async Task A_signal_ends_a_run_at_once_and_leaves_no_leftovers([Values("INT", "TERM")] string signal)
    {
        using var folder = new TempFolder();
        await using var registry = await FakeRegistry.StartAsync();
        var image = Push(registry, folder);
        await using var run = await StartStalledAsync(registry, image, folder["store"], stalled: 2);

        await (signal == "INT" ? run.InterruptAsync() : run.TerminateAsync());
        var result = await run.WaitAsync(s_prompt);

        using (Assert.EnterMultipleScope())
        {
            Assert.That(result.ExitCode, Is.EqualTo(130), result.Error);
            Assert.That(result.Error.TrimEnd().Split('\n')[^1], Is.EqualTo("cancelled"));
            Assert.That(result.Error, Does.Not.Contain("error"));
            Assert.That(result.Output, Is.Empty);
            Assert.That(StoreFiles.Names(folder["store"], "ingest"), Is.Empty);
            Assert.That(StoreFiles.Names(folder["store"], "layers"), Is.EquivalentTo(image.Layers.Take(2).Select(l => StoreFiles.Hex(l.ChainId))));
            Assert.That(File.Exists(folder["store", "index.json"]), Is.False);
        }

        await AssertRunsToItsEndAsync(registry, folder, [true, true, false, false]);
    }

    [Test]
    public async Task A_killed_run_is_taken_up_by_the_next([Values(0, 2)] int stalled)
    {
        using var folder = new TempFolder();
        await using var registry = await FakeRegistry.StartAsync();
        var image = Push(registry, folder);
        await using var run = await StartStalledAsync(registry, image, folder["store"], stalled);

        run.Kill();
        await run.WaitAsync(s_prompt);

        Assert.That(StoreFiles.Names(folder["store"], "ingest"), Is.Not.Empty, "the run was killed too late to show anything");
        Assert.That(StoreFiles.Names(folder["store"], "layers"), Has.Count.EqualTo(stalled));
        Assert.That((await CimConvertProgram.RunAsync("verify", folder["store"])).ExitCode, Is.Zero);
        await AssertRunsToItsEndAsync(registry, folder, [.. Enumerable.Range(0, LayerCount).Select(i => i < stalled)]);
    }

    [Test]
    public async Task A_signal_ends_waiting_for_a_registry_that_does_not_answer()
    {
        using var folder = new TempFolder();
        await using var registry = await FakeRegistry.StartAsync();
        Push(registry, folder);
        registry.Faults.Add(Fault.StallAfter("/manifests/", 10, Fault.Always));
        await using var run = CimConvertProgram.Start("convert", Reference(registry), "--plain-http", "--output", folder["store"]);
        await registry.WaitForRequestAsync("/manifests/", CimConvertProgram.Patience);

        await run.InterruptAsync();
        var result = await run.WaitAsync(s_prompt);

        Assert.That(result.ExitCode, Is.EqualTo(130), result.Error);
        Assert.That(StoreFiles.Names(folder["store"], "ingest"), Is.Empty);
    }

    [Test]
    public async Task A_full_disk_is_the_machines_fault_and_leaves_what_is_whole([Values(0, 1)] int tooLarge)
    {
        await using var disk = await SmallDisk.MountAsync("4m");
        using var folder = new TempFolder();
        await using var registry = await FakeRegistry.StartAsync();
        var layers = new[] { WindowsImage.SmallBase(), new LayerBuilder().Directory("Files") };
        layers[tooLarge].File("Files/large", 16 * Megabyte, () => SeededContent.Stream(1, 16 * Megabyte));
        var image = new ImageBuilder().Layer(layers[0]).Layer(layers[1]).WriteTo(folder["image"], "v1");
        registry.AddLayout(Repository, folder["image"]);
        var store = Path.Combine(disk.Path, "store");

        var error = await CimConvertProgram.FailAsync(4, "convert", Reference(registry), "--plain-http", "--quiet", "--output", store, "--concurrency", "1");

        using (Assert.EnterMultipleScope())
        {
            // The layer before is sealed while the large one fills the disk: either may be the one that finds it full.
            Assert.That(error, Does.Match($@"^error: {Regex.Escape(Reference(registry))}: layer [12] of 2 \(").And.Contains("free some space"));
            Assert.That(StoreFiles.Names(store, "layers"), Is.SubsetOf(image.Layers.Take(tooLarge).Select(l => StoreFiles.Hex(l.ChainId))));
            Assert.That(StoreFiles.Names(store, "blobs", "sha256"), Is.Empty);
            Assert.That(StoreFiles.Names(store, "ingest"), Is.Empty);
            Assert.That(File.Exists(Path.Combine(store, "index.json")), Is.False);
        }
    }

    [Test]
    public async Task Importing_to_a_full_disk_leaves_nothing()
    {
        await using var disk = await SmallDisk.MountAsync("4m");
        using var folder = new TempFolder();
        var tar = WindowsImage.SmallBase().File("Files/large", 16 * Megabyte, () => SeededContent.Stream(1, 16 * Megabyte)).WriteFile(folder["layer.tar"]);

        var error = await CimConvertProgram.FailAsync(4, "import", tar, "--quiet", "--block", Path.Combine(disk.Path, "layer.bcim"));

        Assert.That(error, Does.StartWith($"error: {tar}: ").And.Contains("free some space"));
        Assert.That(Directory.EnumerateFileSystemEntries(disk.Path), Is.Empty);
    }

    private static string Reference(FakeRegistry registry) => $"{registry.Host}/{Repository}:v1";

    private static OciImage Push(FakeRegistry registry, TempFolder folder)
    {
        var image = new ImageBuilder();
        for (var i = 0; i < LayerCount; i++)
        {
            var seed = i;
            var layer = i == 0 ? WindowsImage.SmallBase() : new LayerBuilder().Directory("Files");
            image.Layer(layer.File($"Files/{i}", 2 * Megabyte, () => SeededContent.Stream(seed, 2 * Megabyte)), LayerCompression.None);
        }

        var written = image.WriteTo(folder["image"], "v1");
        registry.AddLayout(Repository, folder["image"]);
        return written;
    }

    /// <summary>A run whose one layer hangs half way, when all it can do without that layer is done.</summary>
    private static async Task<ExternalProcess> StartStalledAsync(FakeRegistry registry, OciImage image, string store, int stalled)
    {
        registry.Faults.Add(Fault.StallAfter(image.Layers[stalled].Digest, Megabyte, Fault.Always));
        var run = CimConvertProgram.Start("convert", Reference(registry), "--plain-http", "--output", store, "--concurrency", "4");
        try
        {
            for (var i = 0; i < LayerCount; i++)
            {
                if (i != stalled)
                {
                    var done = FormattableString.Invariant($"layer {i + 1} of {LayerCount} ");
                    var how = i < stalled ? ": sealed as " : ": imported ";
                    await run.Error.WaitForLineAsync(
                        line => line.Contains(done, StringComparison.Ordinal) && line.Contains(how, StringComparison.Ordinal), CimConvertProgram.Patience);
                }
            }

            return run;
        }
        catch
        {
            await run.DisposeAsync();
            throw;
        }
    }

    /// <summary>Without the fault, the store becomes what it would have been at once.</summary>
    private static async Task AssertRunsToItsEndAsync(FakeRegistry registry, TempFolder folder, bool[] reused)
    {
        registry.Faults.Clear();
        var result = await CimConvertProgram.ConvertAsync(Reference(registry), folder["store"]);
        await CimConvertProgram.ConvertAsync(Reference(registry), folder["undisturbed"]);

        Assert.That(result.Reused(), Is.EqualTo(reused));
        Assert.That(StoreFiles.Snapshot(folder["store"]), Is.EqualTo(StoreFiles.Snapshot(folder["undisturbed"])));
        Assert.That(StoreFiles.Names(folder["store"], "ingest"), Is.Empty);
    }
}
