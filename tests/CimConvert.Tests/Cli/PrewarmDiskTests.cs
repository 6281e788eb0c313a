using System.Text.Json;
using CimConvert.TestKit;
using CimConvert.TestKit.Images;
using CimConvert.TestKit.Registry;
using CimConvert.TestKit.Servers;
using NUnit.Framework;

namespace CimConvert.Tests.Cli;

/// <summary>Pre-warming on disks that are full, read-only, elsewhere, or not all ours.</summary>
[Platform(Exclude = "Win", Reason = "mounts of Unix")]
[Category(Categories.Process)]
[Category(Categories.Tools)]
public class PrewarmDiskTests
{
    private TempFolder _folder = null!;
    private FakeRegistry _registry = null!;
    private IReadOnlyList<OciImage> _images = null!;

    private string[] Names => [.. _images.Select(i => PrewarmTests.Name(_registry, i))];

    [SetUp]
    public async Task ServeAsync()
    {
        _folder = new TempFolder();
        _registry = await FakeRegistry.StartAsync();
        _images = PrewarmTests.WriteSharing(_folder["images"], 2);
        _registry.AddLayout("win/app", _folder["images"]);
    }

    [TearDown]
    public async Task RemoveAsync()
    {
        await _registry.DisposeAsync();
        _folder.Dispose();
    }

    [TestCase("minFree: 100TB", "minFree is 100000000000000")]
    [TestCase("maxStore: 4MiB", "maxStore is 4194304")]
    public async Task Beyond_its_budget_nothing_is_begun_and_nothing_left(string limit, string message)
    {
        var list = PrewarmTests.WriteList(_folder, "store", Names, $"disk: {{{limit}}}");
        var result = await CimConvertProgram.RunAsync("prewarm", list, "--plain-http", "--json", "--quiet");
        Assert.That(result.ExitCode, Is.EqualTo(1), result.Error);
        Assert.That(Errors(result), Is.All.Contains("the disk budget is used up").And.All.Contains(message));
        Assert.That(StoreFiles.Names(_folder["store"], "layers"), Is.Empty);
        Assert.That(StoreFiles.Names(_folder["store"], "ingest"), Is.Empty);
    }

    [Test]
    public async Task A_budget_that_fits_the_first_image_gets_the_first_image()
    {
        await CimConvertProgram.ConvertAsync(Names[0], _folder["one"]);
        var size = StoreFiles.Relative(_folder["one"]).Where(f => !f.StartsWith("blobs/", StringComparison.Ordinal)).Sum(f => new FileInfo(Path.Combine(_folder["one"], f)).Length);
        var list = PrewarmTests.WriteList(_folder, "store", Names, $"disk: {{maxStore: {size + 30_000}}}", "concurrency: {images: 1}");

        var result = await CimConvertProgram.RunAsync("prewarm", list, "--plain-http", "--json", "--quiet");

        Assert.That(result.ExitCode, Is.EqualTo(3), result.Error);
        Assert.That(Errors(result)[0], Is.Null);
        Assert.That(Errors(result)[1], Does.Contain("the disk budget is used up").And.Contains("cimconvert gc"));
        Assert.That((await CimConvertProgram.RunAsync("verify", _folder["store"])).ExitCode, Is.Zero);
    }

    [Test]
    public async Task A_full_disk_fails_what_does_not_fit_and_the_next_run_makes_it()
    {
        await using var disk = await SmallDisk.MountAsync("7m");
        var store = Path.Combine(disk.Path, "store");
        var list = PrewarmTests.WriteList(_folder, "unused", Names);

        var result = await CimConvertProgram.RunAsync("prewarm", list, "--plain-http", "--json", "--quiet", "--output", store);

        Assert.That(result.ExitCode, Is.EqualTo(4), result.Error);
        Assert.That(Errors(result), Is.All.Contains("No space left on device").IgnoreCase);
        Assert.That(StoreFiles.Names(store, "ingest"), Is.Empty);
        (await ExternalProcess.RunAsync(Tools.Require("mount"), ["-o", "remount,size=64m", disk.Path])).EnsureSuccess();
        await CimConvertProgram.SucceedAsync("prewarm", list, "--plain-http", "--quiet", "--output", store);
        Assert.That((await CimConvertProgram.RunAsync("verify", store)).ExitCode, Is.Zero);
    }

    [Test]
    public async Task A_store_that_cannot_be_written_is_one_clear_error_and_can_be_read()
    {
        await using var disk = await SmallDisk.MountAsync("64m");
        var store = Path.Combine(disk.Path, "store");
        var list = PrewarmTests.WriteList(_folder, "unused", Names);
        await CimConvertProgram.SucceedAsync("prewarm", list, "--plain-http", "--quiet", "--output", store);
        (await ExternalProcess.RunAsync(Tools.Require("mount"), ["-o", "remount,ro", disk.Path])).EnsureSuccess();

        var result = await CimConvertProgram.RunAsync("prewarm", list, "--plain-http", "--json", "--quiet", "--output", store);
        Assert.That(result.ExitCode, Is.EqualTo(1), result.Error);
        Assert.That(Errors(result), Is.All.Contains("Read-only file system"));
        Assert.That((await CimConvertProgram.RunAsync("verify", store)).ExitCode, Is.Zero);
    }

    [Test]
    public async Task The_store_may_be_on_another_file_system_than_the_temporary_folder()
    {
        await using var disk = await SmallDisk.MountAsync("64m");
        var list = PrewarmTests.WriteList(_folder, "unused", Names);
        (await CimConvertProgram.RunWithTempAsync(_folder.Sub("tmp"), "prewarm", list, "--plain-http", "--quiet", "--output", Path.Combine(disk.Path, "store"))).EnsureSuccess();
        await CimConvertProgram.SucceedAsync("prewarm", list, "--plain-http", "--quiet", "--output", _folder["here"]);
        Assert.That(StoreFiles.Snapshot(Path.Combine(disk.Path, "store")), Is.EqualTo(StoreFiles.Snapshot(_folder["here"])));
    }

    private static string?[] Errors(ProcessResult result) =>
        [.. JsonDocument.Parse(result.OutputBytes).RootElement.GetProperty("images").EnumerateArray().Select(i => i.GetProperty("error").GetString())];
}
