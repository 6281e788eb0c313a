using System.Text;
using System.Text.Json;
using CimConvert.Formats.Regf;
using CimConvert.TestKit;
using CimConvert.TestKit.Hives;
using CimConvert.TestKit.Servers;
using CimConvert.Tests.Formats.Regf;
using NUnit.Framework;

namespace CimConvert.Tests.Cli;

/// <summary><c>cimconvert hive</c>, as a process.</summary>
[Category(Categories.Process)]
[Category(Categories.Tools)]
internal sealed class HiveCommandTests : IDisposable
{
    private static readonly KeySpec Base = new KeySpec("ROOT").With(
        new KeySpec("Microsoft") { LastWritten = 133_444_736_000_000_000 }
            .With(new KeySpec("Windows").With(ValueSpec.Text("Böse", "ja"), new ValueSpec("Count", 4, [1, 2, 3, 4])))
            .With(ValueSpec.Text(string.Empty, "the default"), new ValueSpec("@C:\\x.dll,-1", 3, [0, 0xFF, 0x0A]), new ValueSpec("Odd", 0x12345, [])),
        new KeySpec("MIME").With(new KeySpec("text/html").With(ValueSpec.Text("Extension", ".htm"))));

    private static readonly KeySpec Delta = new KeySpec("ROOT").With(
        new KeySpec("MIME") { Layer = 1 },
        new KeySpec("Microsoft").With(ValueSpec.Tombstone("Odd")).With(new KeySpec("New") { Layer = 2 }.With(ValueSpec.Text("a", "b"))));

    private readonly TempFolder _folder = new();
    private readonly string _base;
    private readonly string _delta;

    public HiveCommandTests()
    {
        _base = _folder.Write("base", new HiveBuilder(Base).Build());
        _delta = _folder.Write("delta", new HiveBuilder(Delta) { MinorVersion = 6, Flags = 2 }.Build());
    }

    public void Dispose() => _folder.Dispose();

    [Test]
    public async Task Ls_lists_subkeys_and_values()
    {
        Assert.That((await CimConvertProgram.SucceedAsync("hive", "ls", _base, "microsoft")).Output, Is.EqualTo(
            """
            key        0 keys        2 values  Windows
            value REG_SZ                   24 B  @
            value REG_BINARY                3 B  @C:\x.dll,-1
            value 0x12345                   0 B  Odd

            """));
        Assert.That((await CimConvertProgram.SucceedAsync("hive", "ls", _delta)).Output, Is.EqualTo(
            """
            key        1 keys        1 values  Microsoft
            key        0 keys        0 values  MIME (removed)

            """));
    }

    [Test]
    public async Task Ls_as_json_says_what_a_script_needs()
    {
        using var json = JsonDocument.Parse((await CimConvertProgram.SucceedAsync("hive", "ls", _delta, "/Microsoft", "--json")).OutputBytes);
        Assert.That(JsonSerializer.Serialize(json), Is.EqualTo(
            """
            {"path":"\\Microsoft","lastWriteTime":130604389193744384,"layer":"merge",
            "subkeys":[{"name":"New","lastWriteTime":130604389193744384,"layer":"supersede-local","subkeyCount":0,"valueCount":1}],
            "values":[{"name":"Odd","type":"REG_NONE","size":0,"tombstone":true}]}
            """.ReplaceLineEndings(string.Empty)));
    }

    [TestCase(@"\Microsoft", "@", "7400680065002000640065006600610075006c0074000000")]
    [TestCase("Microsoft", "", "7400680065002000640065006600610075006c0074000000")]
    [TestCase("microsoft/windows", "COUNT", "01020304")]
    [TestCase(@"Microsoft\Windows", "böse", "6a0061000000")]
    [TestCase("Microsoft", "@C:\\x.dll,-1", "00ff0a")]
    [TestCase(@"MIME\text/html", "Extension", "2e00680074006d000000")]
    public async Task Cat_writes_the_data_as_it_is(string key, string value, string hex)
    {
        var result = await CimConvertProgram.SucceedAsync("hive", "cat", _base, key, value);
        Assert.That(Convert.ToHexStringLower(result.OutputBytes), Is.EqualTo(hex));
    }

    [TestCase(@"\")]
    [TestCase(@"\Microsoft")]
    public async Task Export_writes_what_hivexregedit_writes(string key)
    {
        var theirs = (await ExternalProcess.RunAsync(Tools.Require("hivexregedit"), ["--export", _base, key])).EnsureSuccess();
        var ours = key == @"\" ? await CimConvertProgram.SucceedAsync("hive", "export", _base) : await CimConvertProgram.SucceedAsync("hive", "export", _base, key);
        ByteAssert.Equal(theirs.OutputBytes, ours.OutputBytes);
    }

    [Test]
    public async Task Merge_makes_the_merged_hive_and_says_so()
    {
        var second = _folder.Write("second", new HiveBuilder(new KeySpec("ROOT").With(new KeySpec("Microsoft") { Layer = 3 })).Build());
        var output = _folder["merged"];
        using var json = JsonDocument.Parse((await CimConvertProgram.SucceedAsync("hive", "merge", _base, _delta, "--output", output, "--json")).OutputBytes);
        Assert.That(json.RootElement.GetProperty("path").GetString(), Is.EqualTo(output));
        Assert.That(json.RootElement.GetProperty("size").GetInt64(), Is.EqualTo(new FileInfo(output).Length));
        Assert.That(json.RootElement.GetProperty("hives").GetString(), Is.EqualTo("managed"));
        var merged = HiveReader.Read(await File.ReadAllBytesAsync(output));
        Assert.That(merged.Root.Subkeys.Select(key => key.Name), Is.EqualTo(new[] { "Microsoft" }));
        Assert.That(merged.Root.Subkeys[0].Subkeys.Select(key => key.Name), Is.EqualTo(new[] { "New", "Windows" }));
        Assert.That(merged.Root.Subkeys[0].Values.Select(value => value.Name), Is.EqualTo(new[] { "", "@C:\\x.dll,-1" }));

        await CimConvertProgram.SucceedAsync("hive", "merge", _base, _delta, second, "-o", _folder["chain"]);
        var chain = HiveReader.Read(await File.ReadAllBytesAsync(_folder["chain"]));
        Assert.That(Encoding.UTF8.GetString(HiveFiles.Export(chain)), Is.EqualTo("Windows Registry Editor Version 5.00\n\n[\\]\n\n[\\Microsoft]\n\n"));
    }

    [Test]
    public async Task Merge_replaces_nothing_and_leaves_nothing_half_done()
    {
        var there = _folder.Write("there", "precious"u8);
        Assert.That(await CimConvertProgram.FailAsync(1, "hive", "merge", _base, _delta, "--output", there), Does.Contain("exists already"));
        Assert.That(await File.ReadAllTextAsync(there), Is.EqualTo("precious"));

        Assert.That(await CimConvertProgram.FailAsync(1, "hive", "merge", _base, there, "--output", _folder["new"]), Does.Contain(there).And.Contain("too few"));
        Assert.That(Directory.EnumerateFiles(_folder.Path).Select(Path.GetFileName), Is.EquivalentTo(new[] { "base", "delta", "there" }));
    }

    [Test]
    public async Task What_is_not_there_is_said_in_one_line()
    {
        Assert.That(await CimConvertProgram.FailAsync(1, "hive", "ls", _base, "Nowhere"), Is.EqualTo($"error: '{_base}' has no key 'Nowhere'"));
        Assert.That(await CimConvertProgram.FailAsync(1, "hive", "cat", _base, @"MIME", "x"), Is.EqualTo(@"error: key '\MIME' has no value 'x'"));
        Assert.That(await CimConvertProgram.FailAsync(1, "hive", "cat", _base, @"\", "@"), Is.EqualTo(@"error: key '\' has no default value"));
        Assert.That(await CimConvertProgram.FailAsync(1, "hive", "cat", _delta, "Microsoft", "Odd"), Does.Contain("is a tombstone"));
        Assert.That(await CimConvertProgram.FailAsync(2, "hive", "merge", _base, "--output", _folder["new"]), Does.Contain("--help"));
    }
}
