using CimConvert.TestKit;
using CimConvert.TestKit.Images;
using CimConvert.TestKit.Registry;
using CimConvert.Tests.Cli;
using CimConvert.Tests.Layers;
using NUnit.Framework;

namespace CimConvert.Tests.Windows;

/// <summary>
/// The Windows program with the native back end makes the calls that Microsoft's own importer made on the same layers: the same
/// calls, arguments and bytes, in the same order within a CIM. What may differ, and why:
/// <list type="bullet">
/// <item>The name while a CIM is written: hcsshim leaves a failed import under its final name, which nothing half-done gets here.</item>
/// <item>The newest hcsshim reads the verification information of a merged CIM, too; the recorded one did not (Data/Parity/README.md).</item>
/// </list>
/// </summary>
[Category(Categories.Process)]
[Category(Categories.Tools)]
public class TraceParityTests
{
    private static readonly string s_root = string.Concat(Enumerable.Repeat("ab", 32));

    [TestCase("plain")]
    [TestCase("integrity-vhd", "--integrity", "--vhd-footer")]
    public async Task Import_and_merge_make_the_recorded_calls(string trace, params string[] options)
    {
        using var folder = new TempFolder();
        var traces = new Traces(folder["traces"]);
        foreach (var name in (string[])["0", "1", "merged"])
        {
            folder.Sub("out", name);
        }

        var (below, above, merged) = (Out("0", "layer.bcim"), Out("1", "layer.bcim"), Out("merged", "merged.bcim"));
        var first = await RunAsync("import", WinePrefix.PathOf(ParityData.WriteTar(ParityData.Base, folder.Path)), "--block", below);
        var second = await RunAsync("import", WinePrefix.PathOf(ParityData.WriteTar(ParityData.Delta, folder.Path)), "--block", above, "--parent", below);
        await RunAsync("merge", "--block", merged, above, below);

        var images = traces.Images().Select(lines => lines.Select(line => line
            .Replace(RecordedImport.Json(WinePrefix.PathOf(folder["out"])), "<out>", StringComparison.Ordinal)
            .Replace(RecordedImport.Partial, "", StringComparison.Ordinal)).ToArray()).ToArray();
        RecordedImport.AssertCalls(images, RecordedImport.Calls(trace));
        var sealedUp = trace != "plain";
        using (Assert.EnterMultipleScope())
        {
            Assert.That(first.GetProperty("hives").GetString(), Is.EqualTo("offreg"));
            Assert.That(second.GetProperty("hives").GetString(), Is.EqualTo("offreg"));
            Assert.That(first.GetProperty("integrity").GetString(), Is.EqualTo(sealedUp ? s_root : null));
            Assert.That(RecordedImport.FilesOf(folder["out"]), Is.EqualTo(RecordedImport.Files("0", "1", "merged", "bcim", sealedUp)));
            RecordedImport.AssertFooter(folder["out", "0", "layer.bcim"], sealedUp, sealedUp);
            RecordedImport.AssertFooter(folder["out", "merged", "merged.bcim"], sealedUp, sealedUp);
        }

        string Out(params string[] parts) => WinePrefix.PathOf(folder[["out", .. parts]]);

        async Task<System.Text.Json.JsonElement> RunAsync(params string[] arguments)
        {
            var json = await WindowsProgram.WithWriter.JsonAsync([.. arguments, "--backend", "native", .. options], traces.Environment());
            Assert.That(json.GetProperty("backend").GetString(), Is.EqualTo("native"));
            return json;
        }
    }

    [TestCase("plain", "bcim", 1)]
    [TestCase("integrity-vhd", "vhd", 4, "--integrity", "--vhd-footer")]
    public async Task Convert_makes_the_recorded_calls(string trace, string extension, int concurrency, params string[] options)
    {
        using var folder = new TempFolder();
        var traces = new Traces(folder["traces"]);
        await using var registry = await FakeRegistry.StartAsync();
        var image = new ImageBuilder()
            .Layer(ParityData.Tar(ParityData.Base))
            .Layer(ParityData.Tar(ParityData.Delta))
            .WriteTo(folder["image"], "v1");
        registry.AddLayout("win/app", folder["image"]);

        var json = await WindowsProgram.WithWriter.JsonAsync(
            [
                "convert", $"{registry.Host}/win/app:v1", "--plain-http", "--output", WinePrefix.PathOf(folder["store"]), "--quiet",
                "--backend", "native", "--concurrency", $"{concurrency}", .. options,
            ],
            traces.Environment());

        var chains = image.Layers.Select(layer => layer.ChainId["sha256:".Length..]).ToArray();
        var images = traces.Images().Select(lines => lines.Select(Canonical).ToArray()).OrderBy(lines => lines[0], StringComparer.Ordinal).ToArray();
        RecordedImport.AssertCalls(images, RecordedImport.Calls(trace));
        using (Assert.EnterMultipleScope())
        {
            Assert.That(json.GetProperty("backend").GetString(), Is.EqualTo("native"));
            Assert.That(json.GetProperty("hives").GetString(), Is.EqualTo("offreg"));
            Assert.That(Directory.EnumerateFileSystemEntries(folder["store", "ingest"]), Is.Empty);
            Assert.That(File.Exists(folder["store", "layers", chains[1], $"merged.{extension}"]));
            Assert.That(File.Exists(folder["store", "layers", chains[1], "merged_integrity_checksum"]), Is.EqualTo(options.Length > 0));
            var manifest = await File.ReadAllTextAsync(
                folder["store", "blobs", "sha256", json.GetProperty("converted").GetProperty("digest").GetString()!["sha256:".Length..]]);
            Assert.That(manifest, Does.Contain("\"io.cimconvert.backend\":\"native\""));
            Assert.That(manifest.Contains("\"io.cimconvert.integrity-scheme\":\"cimfs-verified\"", StringComparison.Ordinal), Is.EqualTo(options.Length > 0));
            await AssertVerifiedAsync(folder["store"], folder["store", "layers", chains[0], $"layer.{extension}"]);
        }

        string Canonical(string line)
        {
            for (var i = 0; i < chains.Length; i++)
            {
                line = line
                    .Replace(Store("ingest", chains[i], $"merged.{extension}{RecordedImport.Partial}"), @"<out>\\merged\\merged.bcim", StringComparison.Ordinal)
                    .Replace(Store("ingest", chains[i], $"layer.{extension}{RecordedImport.Partial}"), $@"<out>\\{i}\\layer.bcim", StringComparison.Ordinal)
                    .Replace(Store("layers", chains[i], $"layer.{extension}"), $@"<out>\\{i}\\layer.bcim", StringComparison.Ordinal);
            }

            return line;
        }

        string Store(params string[] parts) => RecordedImport.Json(WinePrefix.PathOf(folder[["store", .. parts]]));
    }

    /// <summary>Nobody but Windows can look inside; that a byte has changed is seen anywhere.</summary>
    private static async Task AssertVerifiedAsync(string store, string layer)
    {
        var good = await CimConvertProgram.RunAsync("verify", store);
        Assert.That(good.ExitCode, Is.Zero, good.Error);

        Corrupter.FlipByteAt(layer, 100);
        var damaged = await CimConvertProgram.RunAsync("verify", store);
        Assert.That(damaged.ExitCode, Is.EqualTo(1));
        Assert.That(damaged.Error, Does.Contain("its record says"));
    }
}
