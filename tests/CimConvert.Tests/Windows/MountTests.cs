using System.Text.Json;
using CimConvert.TestKit;
using CimConvert.TestKit.Images;
using CimConvert.TestKit.Layers;
using CimConvert.TestKit.Registry;
using NUnit.Framework;

namespace CimConvert.Tests.Windows;

/// <summary>Mounting on a Windows that is new enough, by the calls it leads to: nothing here has been mounted on a real one.</summary>
[Category(Categories.Process)]
[Category(Categories.Tools)]
public class MountTests
{
    private const int SingleFile = 0x20;
    private const int BlockDevice = 0x10;

    private static readonly string s_root = string.Concat(Enumerable.Repeat("ab", 32));

    [Test]
    public async Task A_layer_is_mounted_as_a_volume_and_dismounted_by_the_same_name()
    {
        using var folder = new TempFolder();
        var traces = new Traces(folder["traces"]);
        var block = WinePrefix.PathOf(folder.Write("layer.bcim", new byte[4096]));

        var mounted = (await WindowsProgram.NewWindows.RunAsync(["mount", block], traces.Environment())).EnsureSuccess().Output.Trim();
        (await WindowsProgram.NewWindows.RunAsync(["dismount", block], traces.Environment())).EnsureSuccess();
        (await WindowsProgram.NewWindows.RunAsync(["dismount", mounted], traces.Environment())).EnsureSuccess();

        Assert.That(mounted, Does.Match(@"^\\\\\?\\Volume\{[0-9a-f-]{36}\}\\$"));
        var volume = mounted[@"\\?\Volume{".Length..^@"}\".Length];
        Assert.That(traces.Mounts(), Is.EqualTo(new[]
        {
            $$"""{"op":"MountImage","dir":"{{Escaped(block)}}","name":"layer.cim","flags":{{SingleFile}},"volume":"{{volume}}"}""",
            $$"""{"op":"DismountImage","flags":0,"volume":"{{volume}}"}""",
            $$"""{"op":"DismountImage","flags":0,"volume":"{{volume}}"}""",
        }));
    }

    [Test]
    public async Task A_sealed_layer_is_mounted_against_its_root_digest()
    {
        using var folder = new TempFolder();
        var traces = new Traces(folder["traces"]);
        var block = WinePrefix.PathOf(folder.Write("layer.bcim", new byte[4096]));
        folder.Write("integrity_checksum", System.Text.Encoding.ASCII.GetBytes(s_root));

        var json = await WindowsProgram.NewWindows.JsonAsync(["mount", block + "::other.cim"], traces.Environment());

        var volume = json.GetProperty("volume").GetString()!.Split('{', '}')[1];
        Assert.That(json.GetProperty("verified").GetBoolean());
        Assert.That(traces.Mounts(), Is.EqualTo(new[]
        {
            $$"""{"op":"MountVerifiedImage","dir":"{{Escaped(block)}}","name":"other.cim","flags":{{SingleFile}},"volume":"{{volume}}","hash":"{{s_root}}"}""",
        }));
    }

    [TestCase("MergeMountImage")]
    [TestCase("MergeMountVerifiedImage", "--integrity")]
    public async Task An_image_of_a_store_is_mounted_with_all_its_layers(string call, params string[] options)
    {
        using var folder = new TempFolder();
        var traces = new Traces(folder["traces"]);
        await using var registry = await FakeRegistry.StartAsync();
        new ImageBuilder()
            .Layer(new LayerBuilder().Directory("Files").BaseHives())
            .Layer(new LayerBuilder().Directory("Files").File("Files/app", "app"))
            .WriteTo(folder["image"], "v1");
        registry.AddLayout("win/app", folder["image"]);
        var store = WinePrefix.PathOf(folder["store"]);
        var reference = $"{registry.Host}/win/app:v1";
        var converted = await WindowsProgram.NewWindows.JsonAsync(
            ["convert", reference, "--plain-http", "--output", store, "--quiet", "--backend", "native", .. options], traces.Environment());

        var mounted = await WindowsProgram.NewWindows.JsonAsync(["mount", $"{store}::{reference}"], traces.Environment());
        var merged = converted.GetProperty("merged").GetProperty("path").GetString()!;
        var byFile = await WindowsProgram.NewWindows.JsonAsync(["mount", merged], traces.Environment());

        var layers = converted.GetProperty("layers").EnumerateArray().Select(layer => layer.GetProperty("path").GetString()!).ToArray();
        var volume = mounted.GetProperty("volume").GetString()!.Split('{', '}')[1];
        var hash = options.Length > 0 ? $",\"hash\":\"{s_root}\"" : "";
        string Path(string file, string name) => $"\"dir\":\"{Escaped(file)}\",\"name\":\"{name}\"";
        var expected = $$"""{"op":"{{call}}",{{Path(merged, "merged.cim")}},{{Path(layers[1], "layer.cim")}},{{Path(layers[0], "layer.cim")}},"flags":{{SingleFile}},"volume":"{{volume}}"{{hash}}}""";
        Assert.That(traces.Mounts(), Is.EqualTo(new[] { expected, expected }));
        Assert.That(mounted.GetProperty("sources").EnumerateArray().Select(source => source.GetString()), Is.EqualTo(layers.Reverse()));
        Assert.That(byFile.GetProperty("volume").GetString(), Is.EqualTo(mounted.GetProperty("volume").GetString()));

        var unknown = await WindowsProgram.NewWindows.RunAsync(["mount", $"{store}::win/other:v1"], traces.Environment());
        Assert.That(unknown.ExitCode, Is.EqualTo(1));
        Assert.That(unknown.Error, Does.Contain($"has no image 'win/other:v1'; it has: {reference}"));
    }

    [Test]
    public async Task A_standard_cim_and_a_device_are_mounted_as_what_they_are()
    {
        using var folder = new TempFolder();
        var traces = new Traces(folder["traces"]);
        folder.Write("standard.cim", [1]);
        (await WindowsProgram.NewWindows.RunAsync(["mount", WinePrefix.PathOf(folder["standard.cim"])], traces.Environment())).EnsureSuccess();
        (await WindowsProgram.NewWindows.RunAsync(["mount", @"\\.\PhysicalDrive7"], traces.Environment())).EnsureSuccess();

        var calls = traces.Mounts().Select(line => JsonDocument.Parse(line).RootElement).ToArray();
        Assert.That(calls.Select(call => call.GetProperty("dir").GetString()), Is.EqualTo(new[] { WinePrefix.PathOf(folder.Path), @"\\.\PhysicalDrive7" }));
        Assert.That(calls.Select(call => call.GetProperty("name").GetString()), Is.EqualTo(new[] { "standard.cim", "layer.cim" }));
        Assert.That(calls.Select(call => call.GetProperty("flags").GetInt32()), Is.EqualTo(new[] { 0, BlockDevice }));
    }

    [Test]
    public async Task What_cannot_be_mounted_is_refused_with_the_reason()
    {
        using var folder = new TempFolder();
        var traces = new Traces(folder["traces"]);
        var block = WinePrefix.PathOf(folder.Write("layer.bcim", new byte[4096]));
        var ours = WinePrefix.PathOf(folder.Write("ours.bcim", "cimblock of ours"u8));
        (WinePrefix Windows, string Cim, string Reason)[] refused =
        [
            (WindowsProgram.WithoutLibraries, block, "CIMs cannot be mounted here: cimfs.dll is not in this machine's System32"),
            (WindowsProgram.OldWindows, block, "this is Windows build 19045: CIMs need Server 2022 of revision 2031, or build 26100"),
            (WindowsProgram.NewWindows, ours, "was written by the managed back end"),
        ];
        foreach (var (windows, cim, reason) in refused)
        {
            var result = await windows.RunAsync(["mount", cim], traces.Environment());
            Assert.That(result.ExitCode, Is.EqualTo(1));
            Assert.That(result.Error, Does.Contain(reason));
        }

        var failed = await WindowsProgram.NewWindows.RunAsync(["mount", block], traces.Environment(("CIM_FAIL", "MountImage:1:800704c7")));
        Assert.That(failed.ExitCode, Is.EqualTo(1));
        Assert.That(failed.Error, Does.Contain($"CimMountImage failed on '{block}::layer.cim': ").And.Contain("(0x800704C7)"));
    }

    private static string Escaped(string path) => path.Replace(@"\", @"\\", StringComparison.Ordinal);
}
