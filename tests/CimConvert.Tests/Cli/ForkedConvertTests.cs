using System.Text.Json;
using CimConvert.TestKit;
using CimConvert.TestKit.Layers;
using CimConvert.TestKit.Oracles;
using CimConvert.TestKit.Oracles.Cim;
using CimConvert.TestKit.Registry;
using NUnit.Framework;

namespace CimConvert.Tests.Cli;

/// <summary><c>convert --format forked</c>: an image as standard CIMs, each forked from the one below.</summary>
[Category(Categories.Process)]
public class ForkedConvertTests
{
    [Test]
    public async Task An_image_becomes_a_chain_that_holds_what_the_tars_say([Values(1, 4)] int concurrency)
    {
        using var folder = new TempFolder();
        await using var registry = await FakeRegistry.StartAsync();
        WindowsImage.Image(WindowsImage.Layers).WriteTo(folder["image"], "v1");
        registry.AddLayout("win/app", folder["image"]);
        var reference = $"{registry.Host}/win/app:v1";

        var first = await CimConvertProgram.ConvertAsync(reference, folder["store"], "--format", "forked", "--concurrency", $"{concurrency}");
        var top = first.GetProperty("layers")[3].GetProperty("path").GetString()!;
        await CimConvertProgram.SucceedAsync("gc", folder["store"]);
        var listed = await CimConvertProgram.SucceedAsync("ls", top, "-R", "--json", "--hash");
        var verified = await CimConvertProgram.RunAsync("verify", folder["store"]);
        var again = await CimConvertProgram.ConvertAsync(reference, folder["store"], "--format", "forked");

        using (Assert.EnterMultipleScope())
        {
            Assert.That(OracleDiff.Compare(WindowsImage.Expected, ListedEntry.ParseLines(listed.Output)), Is.Empty);
            Assert.That(verified.ExitCode, Is.Zero, verified.Error);
            Assert.That(first.GetProperty("merged").ValueKind, Is.EqualTo(JsonValueKind.Null));
            Assert.That(again.GetProperty("layers").EnumerateArray().Select(layer => layer.GetProperty("reused").GetBoolean()), Is.All.True);
            Assert.That(again.GetProperty("converted").GetProperty("digest").GetString(), Is.EqualTo(first.GetProperty("converted").GetProperty("digest").GetString()));
            Assert.That(StoreFiles.Names(folder["store"], "ingest").Where(name => !name.StartsWith("gc.", StringComparison.Ordinal)), Is.Empty);
            foreach (var layer in Directory.EnumerateDirectories(folder["store", "layers"]))
            {
                Assert.That(Directory.EnumerateFileSystemEntries(layer).Select(Path.GetFileName), Has.None.Contains("parent").And.None.Contains("partial").And.None.Contains("claim"));
            }

            Assert.That(OracleDiff.Compare(WindowsImage.Expected, WalkedListing.Of(Pull(folder, first))), Is.Empty);
        }
    }

    [Test]
    public async Task A_region_that_changed_is_found_and_one_that_is_gone_is_made_anew()
    {
        using var folder = new TempFolder();
        await using var registry = await FakeRegistry.StartAsync();
        WindowsImage.Image(WindowsImage.SmallBase(), new LayerBuilder().File("Files/x", "x")).WriteTo(folder["image"], "v1");
        registry.AddLayout("win/app", folder["image"]);
        var reference = $"{registry.Host}/win/app:v1";
        var first = await CimConvertProgram.ConvertAsync(reference, folder["store"], "--format", "forked");
        var layer = Path.GetDirectoryName(first.GetProperty("layers")[1].GetProperty("path").GetString()!)!;
        using var record = JsonDocument.Parse(await File.ReadAllBytesAsync(Path.Combine(layer, "layer.json")));
        var region = Path.Combine(layer, record.RootElement.GetProperty("cimFiles").EnumerateArray().Last().GetProperty("file").GetString()!);
        var bytes = await File.ReadAllBytesAsync(region);
        bytes[^1] ^= 1;
        await File.WriteAllBytesAsync(region, bytes);

        var damaged = await CimConvertProgram.RunAsync("verify", folder["store"]);
        File.Delete(region);
        var second = await CimConvertProgram.ConvertAsync(reference, folder["store"], "--format", "forked");

        Assert.That((damaged.ExitCode, damaged.Error), Is.EqualTo((1, damaged.Error)));
        Assert.That(damaged.Error, Does.Contain(Path.GetFileName(region)));
        Assert.That(second.GetProperty("layers").EnumerateArray().Select(made => made.GetProperty("reused").GetBoolean()), Is.EqualTo(new[] { true, false }));
        Assert.That(await File.ReadAllBytesAsync(region), Has.Length.EqualTo(bytes.Length));
    }

    [Test]
    public async Task Options_of_block_files_are_wrong_usage([Values("--integrity", "--vhd-footer")] string option) =>
        Assert.That(
            await CimConvertProgram.FailAsync(2, "convert", "localhost:1/x:y", "--output", "store", "--format", "forked", option),
            Does.Contain("--integrity and --vhd-footer are for block files"));

    /// <summary>As tools that pull artifacts do: every file by its title into one directory; then the topmost CIM, walked.</summary>
    private static WalkedCim Pull(TempFolder folder, JsonElement converted)
    {
        var pulled = folder.Sub("pulled");
        using var manifest = JsonDocument.Parse(File.ReadAllBytes(Blob(converted.GetProperty("converted").GetProperty("digest").GetString()!)));
        var title = string.Empty;
        foreach (var layer in manifest.RootElement.GetProperty("layers").EnumerateArray())
        {
            title = layer.GetProperty("annotations").GetProperty("org.opencontainers.image.title").GetString()!;
            File.Copy(Blob(layer.GetProperty("digest").GetString()!), Path.Combine(pulled, title));
        }

        return CimWalker.Walk(pulled, title);

        string Blob(string digest) => folder["store", "blobs", "sha256", StoreFiles.Hex(digest)];
    }
}
