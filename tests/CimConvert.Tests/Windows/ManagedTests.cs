using System.Text.Json;
using CimConvert.TestKit;
using CimConvert.TestKit.Registry;
using CimConvert.Tests.Cli;
using NUnit.Framework;

namespace CimConvert.Tests.Windows;

/// <summary>The Windows program with the managed back end: the same layers give the same bytes as on this machine.</summary>
[Category(Categories.Process)]
[Category(Categories.Tools)]
public class ManagedTests
{
    [Test]
    public async Task Import_merge_ls_and_verify_do_the_same_on_windows()
    {
        using var folder = new TempFolder();
        string[] tars = [WindowsImage.Base().WriteFile(folder["base.tar"]), WindowsImage.App().WriteFile(folder["app.tar"])];
        foreach (var (system, run, path) in Systems())
        {
            string At(params string[] parts) => path(folder[[system, .. parts]]);
            folder.Sub(system, "merged");
            await run(["import", path(tars[0]), "--block", At("base", "layer.bcim"), "--backend", "managed", "--integrity", "--vhd-footer"]);
            await run(["import", path(tars[1]), "--block", At("app", "layer.bcim"), "--parent", At("base", "layer.bcim"), "--backend", "managed", "--integrity"]);
            await run(["merge", "--block", At("merged", "merged.bcim"), At("app", "layer.bcim"), At("base", "layer.bcim"), "--backend", "managed", "--integrity"]);
            string[] merged = [At("merged", "merged.bcim"), "--source", At("app", "layer.bcim"), "--source", At("base", "layer.bcim")];
            folder.Write(Path.Combine(system, "listing"), await run(["ls", .. merged, "-R", "--json", "--hash"]));
            await run(["verify", .. merged]);
            await run(["verify", At("base", "layer.bcim")]);
        }

        Assert.That(StoreFiles.Snapshot(folder["windows"]), Is.EqualTo(StoreFiles.Snapshot(folder["here"])));
        Assert.That(StoreFiles.Relative(folder["windows"]), Has.Count.GreaterThan(8));
    }

    [Test]
    public async Task Convert_makes_the_same_store_on_windows()
    {
        using var folder = new TempFolder();
        await using var registry = await FakeRegistry.StartAsync();
        WindowsImage.Image(WindowsImage.Layers).WriteTo(folder["image"], "v1");
        registry.AddLayout("win/app", folder["image"]);
        string[] convert = ["convert", $"{registry.Host}/win/app:v1", "--plain-http", "--quiet", "--backend", "managed", "--integrity", "--json", "--output"];
        var remaining = new List<long>();
        foreach (var (system, run, path) in Systems())
        {
            using var first = JsonDocument.Parse(await run([.. convert, path(folder[system])]));
            using var again = JsonDocument.Parse(await run([.. convert, path(folder[system])]));
            Assert.That(first.RootElement.GetProperty("backend").GetString(), Is.EqualTo("managed"));
            Assert.That(first.RootElement.Reused(), Is.All.False);
            Assert.That(again.RootElement.Reused(), Is.All.True);
            folder.Write(Path.Combine(system, "ingest", "1-1.lease"), "of a process that is gone"u8);
            using var collected = JsonDocument.Parse(await run(["gc", path(folder[system]), "--json"]));
            Assert.That(collected.RootElement.GetProperty("leftovers").EnumerateArray().Select(name => name.GetString()), Is.EqualTo(new[] { "1-1.lease" }));
            remaining.Add(collected.RootElement.GetProperty("remaining").GetInt64());
            await run(["verify", path(folder[system])]);
            Assert.That(Directory.EnumerateFileSystemEntries(folder[system, "ingest"]), Is.Empty);
        }

        Assert.That(StoreFiles.Snapshot(folder["windows"]), Is.EqualTo(StoreFiles.Snapshot(folder["here"])));
        Assert.That(StoreFiles.Relative(folder["windows"]), Has.Count.GreaterThan(12));
        Assert.That(remaining.Distinct().Count(), Is.EqualTo(1), "a layer and its blob are one file on both");
    }

    private static (string System, Func<string[], Task<byte[]>> Run, Func<string, string> Path)[] Systems() =>
    [
        ("here", async arguments => (await CimConvertProgram.RunAsync(arguments)).EnsureSuccess().OutputBytes, path => path),
        ("windows", async arguments => (await WindowsProgram.WithWriter.RunAsync(arguments)).EnsureSuccess().OutputBytes, WinePrefix.PathOf),
    ];
}
