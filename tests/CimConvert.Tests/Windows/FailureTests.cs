using System.Text.Json;
using CimConvert.TestKit;
using CimConvert.TestKit.Images;
using CimConvert.TestKit.Layers;
using CimConvert.TestKit.Registry;
using CimConvert.TestKit.Servers;
using NUnit.Framework;

namespace CimConvert.Tests.Windows;

/// <summary>
/// The native back end where a call fails: one line that names the call and says what its code means, exit code 1, the CIM
/// closed, and nothing under a final name, nor anything else of it.
/// </summary>
[Category(Categories.Process)]
[Category(Categories.Tools)]
public class FailureTests
{
    private static readonly string[] s_checked = ["--backend", "native", "--integrity", "--vhd-footer"];

    /// <summary>A layer that takes every call there is.</summary>
    private static LayerBuilder Child => new LayerBuilder()
        .Directory("Files")
        .File("Files/file", "first").AlternateStream("Files/file", "stream", [1, 2, 3])
        .File("Files/file", "comes again")
        .HardLink("Files/hard", "Files/file")
        .HardLink("Files/merge", "Files/in/a/parent")
        .Whiteout("Files/gone")
        .Directory("Hives").DeltaHives();

    private static LayerBuilder Base => new LayerBuilder().Directory("Files").BaseHives();

    [TestCase("CreateImage2", "another process is using it (0x80070020)", "80070020")]
    [TestCase("CreateFile")]
    [TestCase("CreateFile:3")]
    [TestCase("CreateAlternateStream")]
    [TestCase("WriteStream")]
    [TestCase("WriteStream:2")]
    [TestCase("CloseStream")]
    [TestCase("CloseStream:4")]
    [TestCase("CreateHardLink")]
    [TestCase("CreateMergeLink")]
    [TestCase("TombstoneFile")]
    [TestCase("DeletePath")]
    [TestCase("CommitImage", "the disk reports an I/O error (0x8007045D)", "8007045d")]
    [TestCase("SealImage", "this version of Windows does not support it (0x80070032)", "80070032")]
    [TestCase("GetVerificationInformation")]
    public async Task A_failed_call_of_an_import_is_named_and_leaves_nothing(
        string call, string meaning = "access is denied: run as administrator, and look at the folder's permissions (0x80070005)", string code = "80070005")
    {
        using var folder = new TempFolder();
        var (traces, result) = await ImportChildAsync(folder, ("CIM_FAIL", call.Contains(':', StringComparison.Ordinal) ? call : $"{call}:1:{code}"));

        AssertFailed(result, folder, $"Cim{call.Split(':')[0]} failed on '", meaning);
        AssertClosed(traces, wasOpened: call != "CreateImage2");
    }

    [Test]
    public async Task A_full_disk_is_the_machines_fault()
    {
        using var folder = new TempFolder();
        var (traces, result) = await ImportChildAsync(folder, ("CIM_FAIL", "WriteStream:5:80070070"));

        Assert.That((result.ExitCode, result.Error), Is.EqualTo((4, result.Error)));
        Assert.That(result.Error, Does.Contain("the disk is full (0x80070070); free some space and run the same command again"));
        Assert.That(Directory.EnumerateFileSystemEntries(folder["out"]), Is.Empty);
        AssertClosed(traces, wasOpened: true);
    }

    [TestCase("CIM_UNSEALED", "1", "is not sealed, although CimSealImage reported no error")]
    [TestCase("CIM_DIGEST", "cd", "was sealed with another root digest than it has now")]
    public async Task A_seal_that_did_not_hold_is_an_error(string variable, string value, string message)
    {
        using var folder = new TempFolder();
        var (traces, result) = await ImportChildAsync(folder, (variable, value));

        AssertFailed(result, folder, message);
        AssertClosed(traces, wasOpened: true);
    }

    [TestCase("OROpenHive:1009", "the registry hive is damaged")]
    [TestCase("OROpenHive:5", "OROpenHive failed on '")]
    [TestCase("ORMergeHives:87", "ORMergeHives failed on '")]
    [TestCase("ORSaveHive:112", "ORSaveHive failed on '", 4)]
    public async Task A_failed_merge_of_hives_is_named_and_leaves_nothing(string fails, string message, int exitCode = 1)
    {
        using var folder = new TempFolder();
        var (traces, result) = await ImportChildAsync(folder, ("OFFREG_FAIL", fails));

        Assert.That(result.ExitCode, Is.EqualTo(exitCode), result.Error);
        Assert.That(result.Error, Does.Contain(message).And.EndWith("\n").And.Not.Contain("\n   "));
        Assert.That(Directory.EnumerateFileSystemEntries(folder["out"]), Is.Empty);
        AssertClosed(traces, wasOpened: true);
    }

    [TestCase("CreateImage2")]
    [TestCase("AddFsToMergedImage2")]
    [TestCase("AddFsToMergedImage2:2")]
    [TestCase("CommitImage")]
    [TestCase("SealImage")]
    [TestCase("GetVerificationInformation")]
    public async Task A_failed_call_of_a_merge_is_named_and_leaves_nothing(string call)
    {
        using var folder = new TempFolder();
        folder.Sub("out");
        var traces = new Traces(folder["traces"]);
        string[] sources = [Source(folder, "top"), Source(folder, "bottom")];

        var result = await WindowsProgram.WithWriter.RunAsync(
            ["merge", "--block", WinePrefix.PathOf(folder["out", "merged.bcim"]), .. sources, .. s_checked], traces.Environment(("CIM_FAIL", call)));

        AssertFailed(result, folder, $"Cim{call.Split(':')[0]} failed on '", "(0x80070005)");
        AssertClosed(traces, wasOpened: call != "CreateImage2");
    }

    [Test]
    public async Task A_merge_refuses_what_it_cannot_merge()
    {
        using var folder = new TempFolder();
        folder.Sub("out");
        var traces = new Traces(folder["traces"]);
        var merged = WinePrefix.PathOf(folder["out", "merged.bcim"]);
        var (top, bottom) = (Source(folder, "top"), Source(folder, "bottom"));
        var device = @"\\.\PhysicalDrive7";
        var taken = WinePrefix.PathOf(folder.Write("taken.bcim", [1]));

        using (Assert.EnterMultipleScope())
        {
            AssertFailed(await MergeAsync(taken, top, bottom), folder, "exists already: remove it first");
            AssertFailed(await MergeAsync(merged, top, device), folder, "are not of one type");
            AssertFailed(await MergeAsync(device, top, bottom), folder, "are not of one type");
            AssertFailed(await MergeAsync(merged, top, WinePrefix.PathOf(folder["none"])), folder, "none");
            AssertFailed(
                await MergeAsync(merged, top, WinePrefix.PathOf(folder.Write("ours.bcim", "cimblock of ours"u8))), folder, "was written by the managed back end");
            Assert.That((await MergeAsync(merged, top)).ExitCode, Is.EqualTo(2));
            Assert.That(traces.Images(), Is.Empty, "nothing was created for it");
        }

        Task<ProcessResult> MergeAsync(string target, params string[] sources) =>
            WindowsProgram.WithWriter.RunAsync(["merge", "--block", target, .. sources, "--backend", "native"], traces.Environment());
    }

    [Test]
    public async Task A_failed_conversion_leaves_no_layer()
    {
        using var folder = new TempFolder();
        var traces = new Traces(folder["traces"]);
        await using var registry = await FakeRegistry.StartAsync();
        new ImageBuilder().Layer(Base).Layer(Child).WriteTo(folder["image"], "v1");
        registry.AddLayout("win/app", folder["image"]);

        var result = await WindowsProgram.WithWriter.RunAsync(
            ["convert", $"{registry.Host}/win/app:v1", "--plain-http", "--output", WinePrefix.PathOf(folder["out"]), "--quiet", .. s_checked],
            traces.Environment(("CIM_FAIL", "CreateMergeLink")));

        Assert.That(result.ExitCode, Is.EqualTo(1), result.Error);
        Assert.That(result.Error, Does.Contain("layer 2 of 2").And.Contain("CimCreateMergeLink failed on 'Files\\merge' -> 'Files\\in\\a\\parent'"));
        Assert.That(Directory.EnumerateFileSystemEntries(folder["out", "ingest"]), Is.Empty);
        foreach (var layer in Directory.EnumerateDirectories(folder["out", "layers"]))
        {
            Assert.That(File.Exists(Path.Combine(layer, "layer.json")), "a layer that is there is whole");
        }

        foreach (var image in traces.Images())
        {
            Assert.That(Traces.Operations(image).Count(op => op == "CloseImage"), Is.EqualTo(1));
        }
    }

    [Test]
    public async Task A_library_that_lacks_a_function_is_named_with_it()
    {
        using var folder = new TempFolder();
        foreach (var backend in (string[])["native", "auto"])
        {
            var (traces, result) = await ImportAsync(folder, WindowsProgram.WithOldWriter, Base, "--backend", backend, "--integrity");

            AssertFailed(result, folder, @"\cimwriter.dll' does not have CimGetVerificationInformation: it is of another version than this program needs");
            Assert.That(traces.Images(), Is.Empty);
        }
    }

    [Test]
    public async Task Without_a_library_native_says_so_and_auto_takes_the_managed_one()
    {
        using var folder = new TempFolder();
        var (_, native) = await ImportAsync(folder, WindowsProgram.WithoutLibraries, Base, "--backend", "native");
        AssertFailed(native, folder, "neither cimwriter.dll (in System32 or beside the program) nor cimfs.dll (in System32) is on this machine");

        var (_, auto) = await ImportAsync(folder, WindowsProgram.WithoutLibraries, Base, "--json");
        AssertBackend(auto, "managed", "managed");
    }

    [Test]
    public async Task On_an_old_windows_native_says_so_and_auto_takes_the_managed_one()
    {
        using var folder = new TempFolder();
        var (_, native) = await ImportAsync(folder, WindowsProgram.OldWindows, Base, "--backend", "native");
        AssertFailed(native, folder, "this is Windows build 19045: block CIMs came with build 27766");

        var (traces, auto) = await ImportAsync(folder, WindowsProgram.OldWindows, Base, "--json");
        AssertBackend(auto, "managed", "managed");
        Assert.That(traces.Images(), Is.Empty);
    }

    [Test]
    public async Task On_a_new_windows_auto_takes_its_own_library()
    {
        using var folder = new TempFolder();
        var (traces, auto) = await ImportAsync(folder, WindowsProgram.NewWindows, Base, "--json", "--integrity");
        AssertBackend(auto, "native", "offreg");
        Assert.That(traces.Only()[^1], Does.Contain("GetVerificationInformation"));
    }

    [Test]
    public async Task A_cimwriter_beside_the_program_is_taken_and_a_cimfs_is_not()
    {
        using var folder = new TempFolder();
        var with = await WindowsProgram.CopyWithRecorderAsync(folder["writer"], "cimwriter.dll");
        var (_, taken) = await ImportAsync(folder, WindowsProgram.WithoutLibraries, Base, with, ["--json"]);
        AssertBackend(taken, "native", "managed");

        var without = await WindowsProgram.CopyWithRecorderAsync(folder["fs"], "cimfs.dll");
        folder.Sub("second");
        var (_, left) = await ImportAsync(folder, WindowsProgram.WithoutLibraries, Base, without, ["--backend", "native"], "second");
        Assert.That((left.ExitCode, left.Output), Is.EqualTo((1, "")), left.Error);
    }

    private static Task<(Traces Traces, ProcessResult Result)> ImportAsync(TempFolder folder, WinePrefix prefix, LayerBuilder layer, params string[] options) =>
        ImportAsync(folder, prefix, layer, program: null, options);

    private static async Task<(Traces Traces, ProcessResult Result)> ImportAsync(
        TempFolder folder, WinePrefix prefix, LayerBuilder layer, string? program, string[] options, string output = "out")
    {
        var traces = new Traces(folder["traces"]);
        var tar = layer.WriteFile(folder["layer.tar"]);
        folder.Sub(output);
        var result = await prefix.RunAsync(
            ["import", WinePrefix.PathOf(tar), "--block", WinePrefix.PathOf(folder[output, "layer.bcim"]), .. options], traces.Environment(), program);
        return (traces, result);
    }

    /// <summary>Imports <see cref="Child"/> on top of a base layer that is there, with the recorder told to fail.</summary>
    private static async Task<(Traces Traces, ProcessResult Result)> ImportChildAsync(TempFolder folder, (string Name, string Value) variable)
    {
        var traces = new Traces(folder["traces"]);
        var tar = Child.WriteFile(folder["child.tar"]);
        folder.Sub("out");
        var parent = Source(folder, "parent");
        foreach (var hive in (string[])["DEFAULTUSER", "SAM", "SECURITY", "SOFTWARE", "SYSTEM"])
        {
            folder.Write(Path.Combine("parent", "Hives", hive + "_BASE"), [1]);
        }

        var result = await WindowsProgram.WithWriter.RunAsync(
            ["import", WinePrefix.PathOf(tar), "--block", WinePrefix.PathOf(folder["out", "layer.bcim"]), "--parent", parent, .. s_checked],
            traces.Environment(variable));
        return (traces, result);
    }

    /// <summary>A block file as Windows' writer would leave it: nothing looks into it.</summary>
    private static string Source(TempFolder folder, string name) => WinePrefix.PathOf(folder.Write(Path.Combine(name, "layer.bcim"), new byte[4096]));

    private static void AssertFailed(ProcessResult result, TempFolder folder, params string[] messages)
    {
        Assert.That(result.ExitCode, Is.EqualTo(1), result.Error);
        Assert.That(result.Output, Is.Empty);
        Assert.That(result.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries), Has.Length.EqualTo(1), "one line");
        foreach (var message in messages)
        {
            Assert.That(result.Error, Does.Contain(message));
        }

        Assert.That(Directory.EnumerateFileSystemEntries(folder["out"]), Is.Empty);
    }

    private static void AssertClosed(Traces traces, bool wasOpened) =>
        Assert.That(Traces.Operations(traces.Only()).Count(op => op == "CloseImage"), Is.EqualTo(wasOpened ? 1 : 0));

    private static void AssertBackend(ProcessResult result, string backend, string hives)
    {
        using var json = JsonDocument.Parse(result.EnsureSuccess().OutputBytes);
        Assert.That(json.RootElement.GetProperty("backend").GetString(), Is.EqualTo(backend));
        Assert.That(json.RootElement.GetProperty("hives").GetString(), Is.EqualTo(hives));
    }
}
