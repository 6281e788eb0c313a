using System.Text.Json;
using CimConvert.TestKit;
using CimConvert.TestKit.Images;
using CimConvert.TestKit.Layers;
using CimConvert.TestKit.Registry;
using CimConvert.TestKit.Servers;
using NUnit.Framework;

namespace CimConvert.Tests.Windows;

/// <summary>Layers that hcsshim cannot import, or leaves to undocumented behaviour, by the calls they lead to.</summary>
[Category(Categories.Process)]
[Category(Categories.Tools)]
public class NativeLayerTests
{
    private static readonly string[] s_hives = ["DEFAULTUSER", "SAM", "SECURITY", "SOFTWARE", "SYSTEM"];

    /// <summary>hcsshim refuses both.</summary>
    [Test]
    public async Task Alternate_streams_come_after_small_files_and_with_or_without_their_type()
    {
        var calls = await ImportAsync(new LayerBuilder()
            .Directory("Files")
            .File("Files/small", "four").AlternateStream("Files/small", "one", [1, 2, 3, 4, 5]).AlternateStream("Files/small", "two", [6], withDataSuffix: false)
            .File("Files/next", ""));

        Assert.That(calls, Is.EqualTo(new[]
        {
            "CreateImage2", "CreateFile Files 0", "CloseStream 0",
            @"CreateFile Files\small 4", "CloseStream 4",
            @"CreateAlternateStream Files\small:one:$DATA 5", "CloseStream 5",
            @"CreateAlternateStream Files\small:two:$DATA 1", "CloseStream 1",
            @"CreateFile Files\next 0", "CloseStream 0",
            "CommitImage", "CloseImage",
        }));
    }

    /// <summary>What the API does with such names is not documented, and so not relied on.</summary>
    [Test]
    public async Task Missing_parents_are_made_and_what_comes_again_makes_way()
    {
        var calls = await ImportAsync(new LayerBuilder()
            .File("Files/a/b/file", "1")
            .Directory("Files/A")
            .File("Files/a/B/FILE", "22")
            .Whiteout("Files/gone").Whiteout("Files/gone").Whiteout("Files/gone/below").Whiteout("Files/a/b/file")
            .File("Files/gone", "333")
            .Whiteout("Elsewhere/gone"));

        Assert.That(calls, Is.EqualTo(new[]
        {
            "CreateImage2",
            "CreateFile Files 0", "CloseStream 0", @"CreateFile Files\a 0", "CloseStream 0", @"CreateFile Files\a\b 0", "CloseStream 0",
            @"CreateFile Files\a\b\file 1", "CloseStream 1",
            @"CreateFile Files\A 0", "CloseStream 0",
            @"DeletePath Files\a\B\FILE", @"CreateFile Files\a\B\FILE 2", "CloseStream 2",
            @"TombstoneFile Files\gone",
            @"DeletePath Files\gone", @"CreateFile Files\gone 3", "CloseStream 3",
            @"TombstoneFile Elsewhere\gone",
            "CommitImage", "CloseImage",
        }));
    }

    [TestCase("opaque whiteout")]
    [TestCase("directory first")]
    [TestCase("whiteout first")]
    public async Task A_directory_that_hides_lower_layers_is_refused_by_name(string how)
    {
        var layer = new LayerBuilder().Directory("Files");
        layer = how switch
        {
            "opaque whiteout" => layer.Directory("Files/dir").OpaqueWhiteout("Files/dir"),
            "directory first" => layer.Directory("Files/dir").Whiteout("Files/dir"),
            _ => layer.Whiteout("Files/dir").File("Files/dir/file", "below"),
        };
        using var folder = new TempFolder();
        var result = await RunAsync(folder, layer, new Traces(folder["traces"]));

        Assert.That(result.ExitCode, Is.EqualTo(1));
        Assert.That(result.Error, Does.Contain(@"directory 'Files\dir' is to hide what lower layers have in it, and Windows' writer has no call for that"));
        Assert.That(Directory.EnumerateFileSystemEntries(folder["out"]), Is.Empty);
    }

    /// <summary>hcsshim looks in the parent alone: here the third layer merges with the base layer's hives, the second has none.</summary>
    [Test]
    public async Task Hives_are_merged_over_a_layer_without_any()
    {
        using var folder = new TempFolder();
        var traces = new Traces(folder["traces"]);
        await using var registry = await FakeRegistry.StartAsync();
        new ImageBuilder()
            .Layer(new LayerBuilder().Directory("Files").BaseHives())
            .Layer(new LayerBuilder().Directory("Files").File("Files/middle", "no hives"))
            .Layer(new LayerBuilder().Directory("Hives").DeltaHives())
            .WriteTo(folder["image"], "v1");
        registry.AddLayout("win/app", folder["image"]);

        var json = await WindowsProgram.WithWriter.JsonAsync(
            ["convert", $"{registry.Host}/win/app:v1", "--plain-http", "--output", WinePrefix.PathOf(folder["store"]), "--quiet", "--backend", "native"],
            traces.Environment());

        Assert.That(json.GetProperty("backend").GetString(), Is.EqualTo("native"));
        var layers = Directory.EnumerateDirectories(folder["store", "layers"]).ToArray();
        var merged = layers.Single(layer => File.Exists(Path.Combine(layer, "merged.bcim")));
        var below = layers.Single(layer => File.Exists(Path.Combine(layer, "Hives", "SYSTEM_BASE")) && layer != merged);
        foreach (var hive in s_hives.Select(hive => Path.Combine("Hives", hive + "_BASE")))
        {
            // The stand-in copies the base hive.
            Assert.That(await File.ReadAllBytesAsync(Path.Combine(merged, hive)), Is.EqualTo(await File.ReadAllBytesAsync(Path.Combine(below, hive))));
        }

        var calls = traces.Images().Select(image => image.Select(Short).ToArray()).ToArray();
        var child = calls.Single(image => image.Contains(@"CreateFile Hives\SYSTEM_DELTA 8192"));
        Assert.That(
            child.Where(call => call.Contains("_BASE", StringComparison.Ordinal)),
            Is.EquivalentTo(s_hives.Select(hive => $@"CreateFile Hives\{hive}_BASE 8192")));
        Assert.That(calls.Single(image => image.Contains(@"CreateFile Files\middle 8")), Has.None.Contains("Hives"));
        Assert.That(calls.Single(image => image[1].StartsWith("AddFs", StringComparison.Ordinal)), Has.Length.EqualTo(6), "three sources");
    }

    [Test]
    public async Task A_layer_is_not_imported_into_a_device_nor_on_top_of_one()
    {
        using var folder = new TempFolder();
        var traces = new Traces(folder["traces"]);
        var tar = WinePrefix.PathOf(new LayerBuilder().Directory("Files").WriteFile(folder["layer.tar"]));
        const string device = @"\\.\PhysicalDrive7";
        string[][] refused = [["--block", device], ["--block", WinePrefix.PathOf(folder["layer.bcim"]), "--parent", device]];
        foreach (var options in refused)
        {
            var result = await WindowsProgram.WithWriter.RunAsync(["import", tar, .. options, "--backend", "native"], traces.Environment());
            Assert.That(result.ExitCode, Is.EqualTo(1));
            Assert.That(result.Error, Does.Contain("registry hives must lie in a folder beside its block file, and a device has none"));
        }

        Assert.That(traces.Images(), Is.Empty);
    }

    [TestCase(0x14, 2)]
    [TestCase(0x54, 6, "--integrity")]
    public async Task Devices_are_merged_into_a_device(int create, int merge, params string[] options)
    {
        using var folder = new TempFolder();
        var traces = new Traces(folder["traces"]);
        var json = await WindowsProgram.WithWriter.JsonAsync(
            ["merge", "--block", @"\\.\PhysicalDrive9", @"\\.\PhysicalDrive8\", @"\\.\PhysicalDrive7", "--backend", "native", .. options], traces.Environment());

        string[] expected =
        [
            $$"""{"op":"CreateImage2","path":"\\\\.\\PhysicalDrive9","flags":{{create}},"old":null,"new":"merged.cim"}""",
            $$"""{"op":"AddFsToMergedImage2","path":"\\\\.\\PhysicalDrive8\\layer.cim","flags":{{merge}}}""",
            $$"""{"op":"AddFsToMergedImage2","path":"\\\\.\\PhysicalDrive7\\layer.cim","flags":{{merge}}}""",
            """{"op":"CommitImage"}""",
            """{"op":"CloseImage"}""",
        ];
        string[] sealing =
        [
            """{"op":"SealImage","path":"\\\\.\\PhysicalDrive9"}""",
            """{"op":"GetVerificationInformation","path":"\\\\.\\PhysicalDrive9"}""",
        ];
        Assert.That(traces.Only(), Is.EqualTo(options.Length > 0 ? expected.Concat(sealing) : expected));
        Assert.That(json.GetProperty("integrity").ValueKind, Is.EqualTo(options.Length > 0 ? JsonValueKind.String : JsonValueKind.Null));
    }

    [Test]
    public async Task Long_paths_reach_the_library_in_their_long_form()
    {
        using var folder = new TempFolder();
        var traces = new Traces(folder["traces"]);
        var deep = Path.Combine([folder.Path, .. Enumerable.Repeat(new string('d', 100), 3)]);
        Directory.CreateDirectory(deep);
        var tar = WinePrefix.PathOf(new LayerBuilder().Directory("Files").BaseHives().WriteFile(folder["layer.tar"]));
        var block = WinePrefix.PathOf(Path.Combine(deep, "layer.bcim"));
        (await WindowsProgram.WithWriter.RunAsync(["import", tar, "--block", block, "--backend", "native"], traces.Environment())).EnsureSuccess();

        using var created = JsonDocument.Parse(traces.Only()[0]);
        Assert.That(created.RootElement.GetProperty("path").GetString(), Is.EqualTo($@"\\?\{block}.partial"));
        Assert.That(File.Exists(Path.Combine(deep, "layer.bcim")));
    }

    private static async Task<string[]> ImportAsync(LayerBuilder layer)
    {
        using var folder = new TempFolder();
        var traces = new Traces(folder["traces"]);
        (await RunAsync(folder, layer, traces)).EnsureSuccess();
        return [.. traces.Only().Select(Short)];
    }

    /// <summary>Imports a layer that has a parent.</summary>
    private static Task<ProcessResult> RunAsync(TempFolder folder, LayerBuilder layer, Traces traces)
    {
        var tar = layer.WriteFile(folder["layer.tar"]);
        var parent = folder.Write(Path.Combine("parent", "layer.bcim"), new byte[4096]);
        folder.Sub("out");
        return WindowsProgram.WithWriter.RunAsync(
            [
                "import", WinePrefix.PathOf(tar), "--block", WinePrefix.PathOf(folder["out", "layer.bcim"]), "--parent", WinePrefix.PathOf(parent),
                "--backend", "native",
            ],
            traces.Environment());
    }

    private static string Short(string line)
    {
        using var json = JsonDocument.Parse(line);
        var call = json.RootElement;
        var op = call.GetProperty("op").GetString()!;
        return op switch
        {
            "CreateImage2" or "CommitImage" or "CloseImage" => op,
            "CloseStream" => $"{op} {call.GetProperty("bytes")}",
            "CreateHardLink" or "CreateMergeLink" => $"{op} {call.GetProperty("new")} {call.GetProperty("old")}",
            "CreateFile" or "CreateAlternateStream" => $"{op} {call.GetProperty("path")} {call.GetProperty("size")}",
            _ => $"{op} {call.GetProperty("path")}",
        };
    }
}
