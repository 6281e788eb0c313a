using System.Buffers.Binary;
using System.Text.Json;
using CimConvert.TestKit;
using CimConvert.TestKit.Oracles;
using CimConvert.TestKit.Registry;
using CimConvert.TestKit.Servers;
using NUnit.Framework;

namespace CimConvert.Tests.Cli;

/// <summary>Sealed stores and VHD footers: what <c>--integrity</c> and <c>--vhd-footer</c> promise.</summary>
[Category(Categories.Process)]
[Category(Categories.Tools)]
public class SealTests
{
    [Test]
    public async Task A_sealed_store_keeps_its_roots_and_verifies()
    {
        using var folder = new TempFolder();
        var result = await ConvertAsync(folder, "--integrity");

        var verified = await CimConvertProgram.RunAsync("verify", folder["store"]);
        var listed = (await CimConvertProgram.RunAsync("ls", result.MergedPath(), "-R", "--json", "--hash")).EnsureSuccess();
        using (Assert.EnterMultipleScope())
        {
            foreach (var layer in result.GetProperty("layers").EnumerateArray())
            {
                AssertRoot(layer, "integrity_checksum");
            }

            AssertRoot(result.GetProperty("merged"), "merged_integrity_checksum");
            Assert.That((verified.ExitCode, verified.Error), Is.EqualTo((0, "")));
            Assert.That(OracleDiff.Compare(WindowsImage.Expected, ListedEntry.ParseLines(listed.Output)), Is.Empty);
        }
    }

    [Test]
    public async Task A_root_that_is_not_the_files_is_found()
    {
        using var folder = new TempFolder();
        var result = await ConvertAsync(folder, "--integrity");
        var layer = result.LayerPaths()[1];
        await File.WriteAllTextAsync(Path.Combine(Path.GetDirectoryName(layer)!, "integrity_checksum"), new string('0', 64));

        var verified = await CimConvertProgram.RunAsync("verify", layer);

        Assert.That(verified.ExitCode, Is.EqualTo(1));
        Assert.That(verified.Error, Does.StartWith("error: ").And.Contains("root digest").And.Matches(@"\A[^\n]+\n\z"));
    }

    [Test]
    public async Task A_changed_byte_in_a_sealed_file_is_found_by_verify_and_ls()
    {
        using var folder = new TempFolder();
        var result = await ConvertAsync(folder, "--integrity");
        var merged = result.MergedPath();

        // The file's last blocks hold its directory, its first the CIM: both are read by every command.
        foreach (var (name, offset) in new[] { ("front", 0L), ("end", new FileInfo(merged).Length - 100) })
        {
            var damaged = Path.Combine(Path.GetDirectoryName(merged)!, name);
            File.Copy(merged, damaged);
            Corrupter.FlipByteAt(damaged, offset);
            string[] sources = [.. result.LayerPaths().Reverse().SelectMany(path => new[] { "--source", path })];
            foreach (var run in new[] { await CimConvertProgram.RunAsync(["verify", damaged, .. sources]), await CimConvertProgram.RunAsync(["ls", damaged, "-R", .. sources]) })
            {
                Assert.That(run.ExitCode, Is.EqualTo(1), run.Command);
                Assert.That(run.Error, Does.Match(@"\Aerror: [^\n]+\n\z"), run.Command);
                Assert.That(run.Error, Does.Contain(name), run.Command);
            }
        }
    }

    [Test]
    public async Task A_changed_byte_of_a_layers_data_makes_the_store_bad([Values] bool sealedFiles)
    {
        using var folder = new TempFolder();
        var result = await ConvertAsync(folder, sealedFiles ? ["--integrity"] : []);
        var layer = result.LayerPaths()[0];
        Corrupter.FlipByteAt(layer, 100_000);

        var verified = await CimConvertProgram.RunAsync("verify", folder["store"], "--json");

        using var json = JsonDocument.Parse(verified.OutputBytes);
        Assert.That(verified.ExitCode, Is.EqualTo(1));
        Assert.That(json.RootElement.GetProperty("ok").GetBoolean(), Is.False);
        Assert.That(
            json.RootElement.GetProperty("problems").EnumerateArray().Select(p => p.GetString()),
            Has.Some.Contains(Path.GetFileName(Path.GetDirectoryName(layer))));
        Assert.That(verified.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries), Is.All.StartsWith("error: "));
    }

    [Test]
    public async Task Qemu_reads_the_vhd_footer([Values] bool sealedFiles)
    {
        var qemu = Tools.Require("qemu-img");
        using var folder = new TempFolder();
        var result = await ConvertAsync(folder, sealedFiles ? ["--vhd-footer", "--integrity"] : ["--vhd-footer"]);

        var verified = await CimConvertProgram.RunAsync("verify", folder["store"]);
        Assert.That((verified.ExitCode, verified.Error), Is.EqualTo((0, "")));
        foreach (var path in result.LayerPaths().Append(result.MergedPath()))
        {
            Assert.That(path, Does.EndWith(".vhd"));
            var info = (await ExternalProcess.RunAsync(qemu, ["info", "-f", "vpc", "--output=json", path])).EnsureSuccess();
            using var json = JsonDocument.Parse(info.OutputBytes);
            Assert.That(json.RootElement.GetProperty("format").GetString(), Is.EqualTo("vpc"));
            Assert.That(json.RootElement.GetProperty("actual-size").GetInt64(), Is.Positive);

            // The footer's "current size"; qemu shows the geometry's instead, which stays zero as in Microsoft's footer.
            var footer = (await File.ReadAllBytesAsync(path))[^512..];
            Assert.That(BinaryPrimitives.ReadInt64BigEndian(footer.AsSpan(48)), Is.EqualTo(new FileInfo(path).Length - 512));
        }
    }

    [Test]
    public async Task Other_options_convert_again_and_leave_a_good_store()
    {
        using var folder = new TempFolder();
        await ConvertAsync(folder);

        var result = await ConvertAsync(folder, "--integrity");

        var verified = await CimConvertProgram.RunAsync("verify", folder["store"]);
        Assert.That(result.Reused(), Is.All.False);
        Assert.That((verified.ExitCode, verified.Error), Is.EqualTo((0, "")));
    }

    private static async Task<JsonElement> ConvertAsync(TempFolder folder, params string[] options)
    {
        await using var registry = await FakeRegistry.StartAsync();
        WindowsImage.Image(WindowsImage.Layers).WriteTo(folder["image"], "v1");
        registry.AddLayout("win/app", folder["image"]);
        return await CimConvertProgram.ConvertAsync($"{registry.Host}/win/app:v1", folder["store"], options);
    }

    private static void AssertRoot(JsonElement file, string name)
    {
        var kept = File.ReadAllText(Path.Combine(Path.GetDirectoryName(file.GetProperty("path").GetString())!, name));
        Assert.That(kept, Does.Match("^[0-9a-f]{64}$"));
        Assert.That(file.GetProperty("integrity").GetString(), Is.EqualTo(kept));
    }
}
