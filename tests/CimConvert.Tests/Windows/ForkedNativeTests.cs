using System.Text.Json;
using CimConvert.TestKit;
using CimConvert.TestKit.Images;
using CimConvert.TestKit.Layers;
using CimConvert.TestKit.Registry;
using CimConvert.TestKit.Servers;
using CimConvert.Tests.Layers;
using NUnit.Framework;

namespace CimConvert.Tests.Windows;

/// <summary>
/// Forked CIMs by Windows' own writer: the calls that hcsshim makes (https://github.com/microsoft/hcsshim, internal/wclayer/cim). No
/// trace of it was recorded; what is expected follows from that of the block import and from what hcsshim does differently there.
/// </summary>
[Category(Categories.Process)]
[Category(Categories.Tools)]
public class ForkedNativeTests
{
    [Test]
    public async Task The_recorded_layers_make_the_recorded_calls_but_for_links_and_whiteouts()
    {
        using var folder = new TempFolder();
        var traces = new Traces(folder["traces"]);
        await ImportAsync(folder, traces, ParityData.WriteTar(ParityData.Base, folder.Path), "0");
        await ImportAsync(folder, traces, ParityData.WriteTar(ParityData.Delta, folder.Path), "1", "0");

        Assert.That(traces.Images(), Has.Count.EqualTo(2));
        RecordedImport.AssertForkedCalls(traces.Images());
    }

    [Test]
    public async Task Links_are_made_at_once_and_standard_files_and_links_to_them_at_the_end()
    {
        var (calls, _) = await ImportChildAsync(new LayerBuilder()
            .Directory("Files")
            .HardLink("Files/lower", "Files/in/a/parent")
            .HardLink("Files/hive", "Files/Windows/System32/config/SYSTEM")
            .File("Files/Windows/System32/config/SYSTEM", "hive")
            .File("Files/file", "1")
            .HardLink("Files/own", "Files/file")
            .Whiteout("Files/gone")
            .HardLink("Files/chained", "Files/own")
            .File("Files/last", ""));

        Assert.That(calls, Is.EqualTo(new[]
        {
            "CreateImage", "CreateFile Files 0", "CloseStream 0",
            @"CreateHardLink Files\lower Files\in\a\parent",
            @"CreateFile Files\file 1", "CloseStream 1",
            @"CreateHardLink Files\own Files\file",
            @"DeletePath Files\gone",
            @"CreateHardLink Files\chained Files\own",
            @"CreateFile Files\last 0", "CloseStream 0",
            @"CreateFile Files\Windows\System32\config\SYSTEM 4", "CloseStream 4",
            @"CreateHardLink Files\hive Files\Windows\System32\config\SYSTEM",
            "CommitImage", "CloseImage",
        }));
    }

    /// <summary>The parent has the directories: making them anew would take away what is in them.</summary>
    [Test]
    public async Task Only_directories_that_the_layer_removed_are_made_and_what_comes_again_makes_way()
    {
        var (calls, _) = await ImportChildAsync(new LayerBuilder()
            .File("Files/a/b", "1").File("Files/A/B", "22").Whiteout("Files/a/b")
            .Whiteout("Files/old").Directory("Files/old").File("Files/old/new", "333")
            .Whiteout("Files/bare").File("Files/bare/file", "4444"));

        Assert.That(calls, Is.EqualTo(new[]
        {
            "CreateImage",
            @"CreateFile Files\a\b 1", "CloseStream 1",
            @"DeletePath Files\A\B", @"CreateFile Files\A\B 2", "CloseStream 2",
            @"DeletePath Files\old", @"CreateFile Files\old 0", "CloseStream 0", @"CreateFile Files\old\new 3", "CloseStream 3",
            @"DeletePath Files\bare", @"CreateFile Files\bare 0", "CloseStream 0", @"CreateFile Files\bare\file 4", "CloseStream 4",
            "CommitImage", "CloseImage",
        }));
    }

    [TestCase("80070002")]
    [TestCase("80070003")]
    public async Task What_is_not_there_is_removed_all_the_same(string code)
    {
        var (calls, result) = await ImportChildAsync(new LayerBuilder().Directory("Files").Whiteout("Files/gone"), ("CIM_FAIL", $"DeletePath:1:{code}"));

        Assert.That(result.ExitCode, Is.Zero, result.Error);
        Assert.That(calls, Does.Contain(@"DeletePath Files\gone"));
    }

    [TestCase("CreateImage", "CimCreateImage failed on '")]
    [TestCase("DeletePath", @"CimDeletePath failed on 'Files\gone'")]
    [TestCase("CreateHardLink", @"CimCreateHardLink failed on 'Files\link")]
    [TestCase("CommitImage", "CimCommitImage failed on '")]
    public async Task A_failed_call_is_named_and_leaves_nothing(string call, string message)
    {
        using var folder = new TempFolder();
        var (_, result) = await ImportChildAsync(
            folder, new LayerBuilder().Directory("Files").Whiteout("Files/gone").HardLink("Files/link", "Files/below"), ("CIM_FAIL", call));

        Assert.That(result.ExitCode, Is.EqualTo(1));
        Assert.That(result.Error, Does.Contain(message).And.Contains("access is denied"));
        Assert.That(Names(folder), Is.EqualTo(new[] { "0.cim", "region_00000000-0000-0000-0000-000000000000_0" }));
        Assert.That(Directory.Exists(folder["layers", "1"]), Is.False);
    }

    [TestCase("directory first")]
    [TestCase("opaque whiteout")]
    public async Task A_directory_that_hides_the_parents_is_refused_by_name(string how)
    {
        var layer = new LayerBuilder().Directory("Files").File("Files/dir/file", "1");
        var (_, result) = await ImportChildAsync(how == "directory first" ? layer.Whiteout("Files/dir") : layer.OpaqueWhiteout("Files/dir"));

        Assert.That(result.ExitCode, Is.EqualTo(1));
        Assert.That(result.Error, Does.Contain(@"directory 'Files\dir' must hide what lower layers have in it"));
    }

    [Test]
    public async Task The_cims_of_a_chain_end_up_in_one_folder()
    {
        using var folder = new TempFolder();
        var (calls, result) = await ImportChildAsync(folder, new LayerBuilder().Directory("Files"));

        Assert.That(result.ExitCode, Is.Zero, result.Error);
        Assert.That(calls[0], Is.EqualTo("CreateImage"));
        Assert.That(Names(folder), Is.EqualTo(new[]
        {
            "0.cim", "1.cim", "region_00000000-0000-0000-0000-000000000000_0", "region_00000001-0000-0000-0000-000000000000_0",
        }));
        var created = (await File.ReadAllLinesAsync(folder["traces", "001.jsonl"]))[0];
        Assert.That(created, Does.Match("""^\{"op":"CreateImage","path":"[^"]*1\.cim\.partial","old":"0\.cim","new":"1\.cim"\}$"""));
    }

    [Test]
    public async Task Convert_forks_each_layer_from_the_one_below()
    {
        using var folder = new TempFolder();
        var traces = new Traces(folder["traces"]);
        await using var registry = await FakeRegistry.StartAsync();
        new ImageBuilder()
            .Layer(new LayerBuilder().Directory("Files").BaseHives())
            .Layer(new LayerBuilder().Directory("Files").HardLink("Files/link", "Files/below"))
            .WriteTo(folder["image"], "v1");
        registry.AddLayout("win/app", folder["image"]);

        var json = await WindowsProgram.WithWriter.JsonAsync(
            [
                "convert", $"{registry.Host}/win/app:v1", "--plain-http", "--output", WinePrefix.PathOf(folder["store"]), "--quiet",
                "--backend", "native", "--format", "forked",
            ],
            traces.Environment());

        Assert.That(json.GetProperty("backend").GetString(), Is.EqualTo("native"));
        var images = traces.Images().Select(image => image.Select(Short).ToArray()).ToArray();
        Assert.That(images, Has.Length.EqualTo(2));
        Assert.That(images[1], Is.EqualTo(new[]
        {
            "CreateImage", "CreateFile Files 0", "CloseStream 0", @"CreateHardLink Files\link Files\below", "CommitImage", "CloseImage",
        }));
        Assert.That(traces.Images()[1][0], Does.EndWith("""\\layer.cim.partial","old":"parent.cim","new":"layer.cim"}"""));
        foreach (var (n, layer) in json.GetProperty("layers").EnumerateArray().Index())
        {
            var names = Directory.EnumerateFiles(folder["store", "layers", layer.GetProperty("chainId").GetString()!["sha256:".Length..]]).Select(Path.GetFileName);
            Assert.That(names.Order(StringComparer.Ordinal), Is.EqualTo((string[])
            [
                "layer.cim", "layer.json", .. Enumerable.Range(0, n + 1).Select(number => $"region_0000000{number}-0000-0000-0000-000000000000_0"),
            ]));
        }
    }

    private static string[] Names(TempFolder folder) =>
        [.. Directory.EnumerateFileSystemEntries(folder["cims"]).Select(path => Path.GetFileName(path)).Order(StringComparer.Ordinal)];

    private static async Task<(string[] Calls, ProcessResult Result)> ImportChildAsync(LayerBuilder layer, params (string Name, string Value)[] environment)
    {
        using var folder = new TempFolder();
        return await ImportChildAsync(folder, layer, environment);
    }

    /// <summary>Imports a layer on a base layer, and gives its calls.</summary>
    private static async Task<(string[] Calls, ProcessResult Result)> ImportChildAsync(
        TempFolder folder, LayerBuilder layer, params (string Name, string Value)[] environment)
    {
        var traces = new Traces(folder["traces"]);
        var below = new LayerBuilder().Directory("Files").BaseHives().WriteFile(folder["0.tar"]);
        await ImportAsync(folder, traces, below, "0");
        var result = await RunAsync(folder, layer.WriteFile(folder["1.tar"]), "1", "0", traces.Environment(environment));
        return ([.. traces.Images()[1].Select(Short)], result);
    }

    private static async Task ImportAsync(TempFolder folder, Traces traces, string tar, string id, string? parent = null) =>
        (await RunAsync(folder, tar, id, parent, traces.Environment())).EnsureSuccess();

    private static Task<ProcessResult> RunAsync(TempFolder folder, string tar, string id, string? parent, Dictionary<string, string?> environment)
    {
        string[] below = parent is null ? [] : ["--parent-cim", Wine("cims", parent + ".cim"), "--parent-dir", Wine("layers", parent)];
        return WindowsProgram.WithWriter.RunAsync(
            ["import", WinePrefix.PathOf(tar), "--forked", "--cim", Wine("cims", id + ".cim"), "--layer-dir", Wine("layers", id), "--backend", "native", "--quiet", .. below],
            environment);

        string Wine(params string[] parts) => WinePrefix.PathOf(folder[parts]);
    }

    private static string Short(string line)
    {
        using var json = JsonDocument.Parse(line);
        var call = json.RootElement;
        var op = call.GetProperty("op").GetString()!;
        return op switch
        {
            "CreateImage" or "CommitImage" or "CloseImage" => op,
            "CloseStream" => $"{op} {call.GetProperty("bytes")}",
            "CreateHardLink" => $"{op} {call.GetProperty("new")} {call.GetProperty("old")}",
            "CreateFile" => $"{op} {call.GetProperty("path")} {call.GetProperty("size")}",
            _ => $"{op} {call.GetProperty("path")}",
        };
    }
}
