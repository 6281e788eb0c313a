using System.Text;
using System.Text.Json;
using CimConvert.TestKit;
using CimConvert.TestKit.Images;
using CimConvert.TestKit.Layers;
using CimConvert.TestKit.Oracles;
using CimConvert.TestKit.Servers;
using NUnit.Framework;

namespace CimConvert.Tests.Cli;

/// <summary><c>ls</c>, <c>cat</c> and <c>extract</c> on one merged CIM, which they only read.</summary>
[Category(Categories.Process)]
public class ReadingTests
{
    private static readonly EntryTimes s_times = new("1700000000.5");

    private static TempFolder s_folder = null!;

    private static string Child => s_folder["1", "layer.bcim"];

    private static string Merged => s_folder["merged.bcim"];

    private static string[] Sources => ["--source", Child, "--source", s_folder["0", "layer.bcim"]];

    [OneTimeSetUp]
    public static async Task ImportOnce()
    {
        s_folder = new TempFolder();
        Lower().WriteFile(s_folder["0.tar"]);
        Upper().WriteFile(s_folder["1.tar"]);
        (await CimConvertProgram.RunAsync("import", s_folder["0.tar"], "--block", s_folder["0", "layer.bcim"])).EnsureSuccess();
        (await CimConvertProgram.RunAsync("import", s_folder["1.tar"], "--block", Child, "--parent", s_folder["0", "layer.bcim"])).EnsureSuccess();
        (await CimConvertProgram.RunAsync("merge", "--block", Merged, Child, s_folder["0", "layer.bcim"])).EnsureSuccess();
    }

    [OneTimeTearDown]
    public static void Remove() => s_folder.Dispose();

    [Test]
    public async Task Ls_shows_attributes_size_time_path_and_where_links_lead()
    {
        var result = (await CimConvertProgram.RunAsync(["ls", Merged, "Files", .. Sources])).EnsureSuccess();

        Assert.That(result.Output, Is.EqualTo("""
            -a-hs-              6 2023-11-14 22:13:20 Files\hidden
            -a---l              0 2023-11-14 22:13:20 Files\inside -> target\file
            d----l              0 2023-11-14 22:13:20 Files\junction -> c:\somewhere
            -a----              5 2023-11-14 22:13:20 Files\linked
            -a---l              0 2023-11-14 22:13:20 Files\outside -> ..\..\etc
            -a-hs-              6 2023-11-14 22:13:20 Files\parents
            d-----              0 2023-11-14 22:13:20 Files\target
            d-----              0                   - Files\Windows

            """));
    }

    [Test]
    public async Task Ls_of_a_layer_shows_what_it_says_of_those_below()
    {
        var result = (await CimConvertProgram.RunAsync("ls", Child, "-R")).EnsureSuccess();

        Assert.That(result.Output, Is.EqualTo("""
            d-----              0                   - Files
            ------              0                   - Files\gone (removed)
            -a----              5 2023-11-14 22:13:20 Files\linked
            ------              0                   - Files\parents => Files\hidden
            d-----              0 2023-11-14 22:13:20 Files\target
            -a----              5 2023-11-14 22:13:20 Files\target\File

            """));
    }

    [Test]
    public async Task Ls_goes_below_a_path_or_shows_the_file_itself()
    {
        var below = (await CimConvertProgram.RunAsync(["ls", Merged, "files/TARGET", "-R", .. Sources])).EnsureSuccess();
        var file = (await CimConvertProgram.RunAsync(["ls", Merged, @"Files\target\file", .. Sources])).EnsureSuccess();
        var error = await CimConvertProgram.FailAsync(1, ["ls", Merged, "Files/gone", .. Sources]);

        Assert.That(below.Output, Does.EndWith(@"Files\target\File" + "\n").IgnoreCase.And.Matches(@"\A[^\n]+\n\z"));
        Assert.That(file.Output, Does.Contain(@"Files\target\file").IgnoreCase.And.Matches(@"\A[^\n]+\n\z"));
        Assert.That(error, Does.Contain(@"Files\gone"));
    }

    [Test]
    public async Task A_merged_cim_without_its_sources_says_what_is_missing() =>
        Assert.That(await CimConvertProgram.FailAsync(1, "cat", Merged, "Files/linked"), Does.Contain("region_"));

    [Test]
    public async Task The_json_of_ls_has_the_fields_that_scripts_rely_on()
    {
        var result = (await CimConvertProgram.RunAsync(["ls", Merged, "Files/target/file", "--json", "--hash", .. Sources])).EnsureSuccess();
        var plain = (await CimConvertProgram.RunAsync(["ls", Merged, "Files/target/file", "--json", .. Sources])).EnsureSuccess();

        using var json = JsonDocument.Parse(result.OutputBytes);
        string[] names =
        [
            "path", "type", "attributes", "size", "creationTime", "lastWriteTime", "changeTime", "lastAccessTime",
            "sd", "ea", "reparse", "streams", "fileId",
        ];
        using (Assert.EnterMultipleScope())
        {
            Assert.That(result.Output, Does.Match(@"\A\{[^\n]+\}\n\z"));
            Assert.That(ConvertJson.Names(json.RootElement), Is.EqualTo(names.Append("sha256")));
            Assert.That(ConvertJson.Names(JsonDocument.Parse(plain.OutputBytes).RootElement), Is.EqualTo(names));
            Assert.That(json.RootElement.GetProperty("lastWriteTime").GetInt64(), Is.EqualTo(133444736005000000));
            Assert.That(ConvertJson.Names(json.RootElement.GetProperty("streams")[0]), Is.EqualTo(new[] { "name", "size", "sha256" }));
            Assert.That(json.RootElement.GetProperty("sha256").GetString(), Is.EqualTo(StoreFiles.Hex(Digests.OfText("upper"))));
        }
    }

    [Test]
    [Platform(Exclude = "Win", Reason = "uses a Unix shell for the pipe")]
    public async Task A_reader_that_has_seen_enough_is_no_error()
    {
        var shell = await ExternalProcess.RunAsync(
            "/bin/sh", ["-c", "\"$@\" | head -c 4", "sh", .. CimConvertProgram.CommandLine(["cat", Merged, "Files/Windows/large", .. Sources])]);

        Assert.That((shell.ExitCode, shell.Error), Is.EqualTo((0, "")));
        Assert.That(shell.OutputBytes, Is.EqualTo(SeededContent.Bytes(2, 4)));
    }

    [Test]
    public async Task Cat_writes_a_file_or_one_of_its_streams_byte_for_byte()
    {
        var file = (await CimConvertProgram.RunAsync(["cat", Merged, "Files/Windows/System32/config/SAM", .. Sources])).EnsureSuccess();
        var link = (await CimConvertProgram.RunAsync(["cat", Merged, @"files\LINKED", .. Sources])).EnsureSuccess();
        var stream = (await CimConvertProgram.RunAsync(["cat", Merged, "Files/target/file:Data", .. Sources])).EnsureSuccess();

        using (Assert.EnterMultipleScope())
        {
            Assert.That(file.OutputBytes, Is.EqualTo(SeededContent.Bytes(7002, 8192)));
            Assert.That(link.Output, Is.EqualTo("upper"));
            Assert.That(stream.OutputBytes, Is.EqualTo(SeededContent.Bytes(1, 5000)));
        }
    }

    [TestCase("Files/none", @"'Files\none'")]
    [TestCase("Files/target", "directory")]
    [TestCase("Files/inside", "symlink")]
    [TestCase("Files/target/file:none", "'none'")]
    [TestCase("../outside", "..")]
    public async Task Cat_of_what_is_no_file_is_an_error(string path, string named) =>
        Assert.That(await CimConvertProgram.FailAsync(1, ["cat", Merged, path, .. Sources]), Does.Contain(named));

    [Test]
    public async Task Extract_writes_the_files_and_only_links_that_stay_inside()
    {
        using var folder = new TempFolder();
        var result = (await CimConvertProgram.RunAsync(["extract", Merged, folder["out"], "--json", .. Sources])).EnsureSuccess();

        var expected = TarOracle.Apply(Lower().ToArray(), Upper().ToArray());
        var files = expected.Where(e => e.Type == "file").ToArray();
        using var json = JsonDocument.Parse(result.OutputBytes);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(ConvertJson.Names(json.RootElement), Is.EqualTo(new[] { "files", "directories", "links", "bytes", "skipped" }));
            Assert.That(json.RootElement.GetProperty("files").GetInt32(), Is.EqualTo(files.Length));
            Assert.That(json.RootElement.GetProperty("directories").GetInt32(), Is.EqualTo(expected.Count(e => e.Type == "directory")));
            Assert.That(json.RootElement.GetProperty("bytes").GetInt64(), Is.EqualTo(files.Sum(e => e.Size)));
            Assert.That(json.RootElement.GetProperty("links").GetInt32(), Is.EqualTo(1));
            Assert.That(json.RootElement.GetProperty("skipped").GetInt32(), Is.EqualTo(4), result.Error);
            Assert.That(new FileInfo(folder["out", "Files", "inside"]).LinkTarget, Is.EqualTo("target/file"));
            Assert.That(
                StoreFiles.Relative(folder.Path).Except([Path.Combine("out", "Files", "inside")]),
                Is.EquivalentTo(files.Select(e => "out/" + e.Path.Replace('\\', '/'))));
            foreach (var file in files)
            {
                Assert.That(StoreFiles.Hex(Digests.OfFile(folder["out", file.Path.Replace('\\', '/')])), Is.EqualTo(file.Sha256), file.Path);
            }
        }
    }

    [Test]
    public async Task Extract_refuses_a_directory_with_something_in_it()
    {
        using var folder = new TempFolder();
        folder.Write("out/mine", Encoding.ASCII.GetBytes("mine"));

        var error = await CimConvertProgram.FailAsync(1, ["extract", Merged, folder["out"], .. Sources]);

        Assert.That(error, Does.Contain("not empty"));
        Assert.That(StoreFiles.Relative(folder.Path), Is.EqualTo(new[] { "out/mine" }));
    }

    private static LayerBuilder Lower() => new LayerBuilder()
        .BaseHives()
        .File("Files/Windows/large", SeededContent.Bytes(2, 2 << 20))
        .File("Files/gone", "gone")
        .File("Files/hidden", "hidden", With(FileAttributes.Hidden | FileAttributes.System | FileAttributes.Archive))
        .Symlink("Files/inside", "target/file", new EntryOptions { Times = s_times })
        .Symlink("Files/outside", "../../etc", new EntryOptions { Times = s_times })
        .MountPoint("Files/junction", @"c:\somewhere", new EntryOptions { Times = s_times });

    private static LayerBuilder Upper() => new LayerBuilder()
        .Whiteout("Files/gone")
        .Directory("Files/target", With(FileAttributes.Directory))
        .File("Files/target/File", "upper", With(FileAttributes.Archive))
        .AlternateStream("Files/target/File", "data", SeededContent.Bytes(1, 5000))
        .HardLink("Files/linked", "Files/target/file")
        .HardLink("Files/parents", "Files/hidden");

    private static EntryOptions With(FileAttributes attributes) => new() { Attributes = attributes, Times = s_times };
}
