using CimConvert.TestKit;
using CimConvert.TestKit.Images;
using CimConvert.TestKit.Registry;
using NUnit.Framework;

namespace CimConvert.Tests.Cli;

/// <summary>Downloads that a run did not finish, and what the next one makes of them.</summary>
[Category(Categories.Process)]
public class ResumeTests
{
    private const string Repository = "win/app";
    private const long Megabyte = 1 << 20;
    private const long LayerSize = 24 * Megabyte;
    private const long Cut = 18 * Megabyte;

    [Test]
    [Platform(Exclude = "Win", Reason = "kills as Unix does")]
    public async Task A_killed_run_s_download_is_gone_on_from()
    {
        using var folder = new TempFolder();
        await using var registry = await FakeRegistry.StartAsync();
        var image = Push(registry, folder);
        await KillDuringDownloadAsync(registry, image, folder["store"]);
        var partial = new FileInfo(PartialOf(folder["store"], image));
        Assert.That(partial.Length, Is.InRange(Cut - Megabyte, Cut));

        var result = await CimConvertProgram.ConvertAsync(Reference(registry), folder["store"]);

        Assert.That(Downloaded(result), Is.LessThan(LayerSize - partial.Length + Megabyte));
        Assert.That(registry.Requests.Last(r => r.Path.EndsWith(image.Layers[0].Digest, StringComparison.Ordinal)).Range, Is.EqualTo($"bytes={partial.Length}-"));
        await AssertAsUndisturbedAsync(registry, folder);
    }

    [Test]
    [Platform(Exclude = "Win", Reason = "kills as Unix does")]
    public async Task Where_ranges_are_not_honoured_the_download_starts_over()
    {
        using var folder = new TempFolder();
        await using var registry = await FakeRegistry.StartAsync();
        var image = Push(registry, folder);
        await KillDuringDownloadAsync(registry, image, folder["store"]);
        registry.Faults.Add(Fault.NoRanges(image.Layers[0].Digest));

        var result = await CimConvertProgram.ConvertAsync(Reference(registry), folder["store"]);

        Assert.That(Downloaded(result), Is.GreaterThan(LayerSize));
        await AssertAsUndisturbedAsync(registry, folder);
    }

    /// <summary>After a power failure a file may have its length and not its bytes.</summary>
    [TestCase(0L, false)]
    [TestCase(5 * Megabyte, false)]
    [TestCase(5 * Megabyte, true)]
    public async Task What_an_earlier_run_left_damaged_is_downloaded_anew(long at, bool whole)
    {
        using var folder = new TempFolder();
        await using var registry = await FakeRegistry.StartAsync();
        var image = Push(registry, folder);
        var content = await File.ReadAllBytesAsync(image.BlobPath(image.Layers[0].Digest));
        content[at] ^= 1;
        Leave(folder["store"], image, whole ? content : content[..(int)Cut]);

        var result = await CimConvertProgram.RunAsync("convert", Reference(registry), "--plain-http", "--output", folder["store"], "--json");

        Assert.That(result.ExitCode, Is.Zero, result.Error);
        Assert.That(result.Error, Does.Contain("what an earlier run left of it is damaged"));
        await AssertAsUndisturbedAsync(registry, folder);
    }

    [TestCase(LayerSize + Megabyte)]
    [TestCase(1)]
    public async Task What_is_too_long_or_nearly_nothing_does_no_harm(long size)
    {
        using var folder = new TempFolder();
        await using var registry = await FakeRegistry.StartAsync();
        var image = Push(registry, folder);
        Leave(folder["store"], image, new byte[size]);

        await CimConvertProgram.ConvertAsync(Reference(registry), folder["store"]);

        await AssertAsUndisturbedAsync(registry, folder);
    }

    /// <summary>The connection breaks, and then the registry is in trouble for longer than anybody waits.</summary>
    [Test]
    public async Task What_came_before_the_registry_failed_is_gone_on_from()
    {
        using var folder = new TempFolder();
        await using var registry = await FakeRegistry.StartAsync();
        var image = Push(registry, folder);
        registry.Faults.Add(Fault.DropAfter(image.Layers[0].Digest, Cut));
        registry.Faults.Add(Fault.TooManyRequests(image.Layers[0].Digest, "100000", Fault.Always) with { Skip = 1 });

        var failed = await CimConvertProgram.RunAsync("convert", Reference(registry), "--plain-http", "--quiet", "--output", folder["store"]);

        Assert.That(failed.ExitCode, Is.EqualTo(1));
        Assert.That(failed.Error, Does.Contain("(429)"));
        Assert.That(new FileInfo(PartialOf(folder["store"], image)).Length, Is.InRange(Cut - Megabyte, Cut));
        registry.Faults.Clear();
        var result = await CimConvertProgram.ConvertAsync(Reference(registry), folder["store"]);
        Assert.That(Downloaded(result), Is.LessThan(LayerSize - Cut + (2 * Megabyte)));
        await AssertAsUndisturbedAsync(registry, folder);
    }

    [Test]
    public async Task A_download_that_stalls_for_as_long_as_was_said_is_continued()
    {
        using var folder = new TempFolder();
        await using var registry = await FakeRegistry.StartAsync();
        var image = Push(registry, folder);
        registry.Faults.Add(Fault.StallAfter(image.Layers[0].Digest, Cut));

        var result = await CimConvertProgram.RunAsync("convert", Reference(registry), "--plain-http", "--output", folder["store"], "--stall-timeout", "1");

        Assert.That(result.ExitCode, Is.Zero, result.Error);
        Assert.That(result.Error, Does.Contain("no data for 1 s; continuing at byte"));
        await AssertAsUndisturbedAsync(registry, folder);
    }

    [Test]
    public async Task A_whole_blob_is_not_asked_for_again()
    {
        using var folder = new TempFolder();
        await using var registry = await FakeRegistry.StartAsync();
        var image = Push(registry, folder);
        Leave(folder["store"], image, await File.ReadAllBytesAsync(image.BlobPath(image.Layers[0].Digest)));

        await CimConvertProgram.ConvertAsync(Reference(registry), folder["store"]);

        Assert.That(registry.Requests.Select(r => r.Path), Has.None.Contains(image.Layers[0].Digest));
        await AssertAsUndisturbedAsync(registry, folder);
    }

    [Test]
    public async Task Two_images_that_share_a_blob_in_different_places_convert_side_by_side()
    {
        using var folder = new TempFolder();
        await using var registry = await FakeRegistry.StartAsync();
        var image = Push(registry, folder);
        using (new FileStream(MakePartial(folder["store"], image), FileMode.Create, FileAccess.ReadWrite, FileShare.None))
        {
            // Another process has what was got of the blob: this one does without.
            await CimConvertProgram.ConvertAsync(Reference(registry), folder["store"]);
        }

        Assert.That((await CimConvertProgram.RunAsync("verify", folder["store"])).ExitCode, Is.Zero);
    }

    private static string Reference(FakeRegistry registry) => $"{registry.Host}/{Repository}:v1";

    private static OciImage Push(FakeRegistry registry, TempFolder folder)
    {
        var layer = WindowsImage.SmallBase().File("Files/large", LayerSize, () => SeededContent.Stream(1, LayerSize));
        var image = new ImageBuilder().Layer(layer, LayerCompression.None).WriteTo(folder["image"], "v1");
        registry.AddLayout(Repository, folder["image"]);
        return image;
    }

    private static async Task KillDuringDownloadAsync(FakeRegistry registry, OciImage image, string store)
    {
        registry.Faults.Add(Fault.StallAfter(image.Layers[0].Digest, Cut, Fault.Always));
        await using var run = CimConvertProgram.Start("convert", Reference(registry), "--plain-http", "--output", store);
        var deadline = TimeProvider.System.GetUtcNow() + CimConvertProgram.Patience;
        while (new FileInfo(PartialOf(store, image)) is var partial && (!partial.Exists || partial.Length < Cut - Megabyte))
        {
            Assert.That(TimeProvider.System.GetUtcNow(), Is.LessThan(deadline), run.Error.ToString());
            await Task.Delay(20);
        }

        run.Kill();
        await run.WaitAsync(CimConvertProgram.Patience);
        registry.Faults.Clear();
    }

    private static string PartialOf(string store, OciImage image) => Path.Combine(store, "ingest", StoreFiles.Hex(image.Layers[0].Digest) + ".blob");

    private static string MakePartial(string store, OciImage image)
    {
        var path = PartialOf(store, image);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        return path;
    }

    private static void Leave(string store, OciImage image, byte[] content) => File.WriteAllBytes(MakePartial(store, image), content);

    private static long Downloaded(System.Text.Json.JsonElement result) => result.GetProperty("bytes").GetProperty("downloaded").GetInt64();

    private static async Task AssertAsUndisturbedAsync(FakeRegistry registry, TempFolder folder)
    {
        registry.Faults.Clear();
        await CimConvertProgram.ConvertAsync(Reference(registry), folder["undisturbed"]);
        Assert.That(StoreFiles.Snapshot(folder["store"]), Is.EqualTo(StoreFiles.Snapshot(folder["undisturbed"])));
        Assert.That(StoreFiles.Names(folder["store"], "ingest"), Is.Empty);
    }
}
