using System.Text.Json;
using System.Text.RegularExpressions;
using CimConvert.TestKit;
using NUnit.Framework;

namespace CimConvert.Tests.Cli;

/// <summary><c>demo</c>: the main line with no other server.</summary>
[Category(Categories.Process)]
public partial class DemoTests
{
    [Test]
    public async Task It_shows_the_merged_image_and_leaves_nothing()
    {
        using var folder = new TempFolder();

        var result = await CimConvertProgram.RunWithTempAsync(folder.Path, "demo", "--quiet");

        Assert.That((result.ExitCode, result.Error), Is.EqualTo((0, "")));
        Assert.That(result.Output, Does.Contain(@"Files\app\app.exe").And.Contains("merged").And.Not.Contains("License.txt"));
        Assert.That(StoreFiles.Relative(folder.Path).Where(path => path.Contains("cimconvert", StringComparison.Ordinal)), Is.Empty);
    }

    [Test]
    public async Task Its_json_is_that_of_convert_and_its_store_verifies()
    {
        using var folder = new TempFolder();

        var result = await CimConvertProgram.JsonAsync("demo", "--output", folder["store"], "--quiet");

        var verified = await CimConvertProgram.RunAsync("verify", folder["store"], "--json");
        using var json = JsonDocument.Parse(verified.OutputBytes);
        ConvertJson.AssertShape(result);
        Assert.That(result.LayerPaths(), Has.Count.EqualTo(3).And.All.StartsWith(folder["store"]));
        Assert.That(verified.ExitCode, Is.Zero, verified.Error);
        Assert.That(ConvertJson.Names(json.RootElement), Is.EqualTo(new[] { "ok", "problems", "repaired" }));
        Assert.That(json.RootElement.GetProperty("ok").GetBoolean(), Is.True);
    }

    [Test]
    [Platform(Exclude = "Win")]
    public async Task It_says_where_the_native_back_end_cannot_be_used()
    {
        using var folder = new TempFolder();

        var result = await CimConvertProgram.RunWithTempAsync(folder.Path, "demo", "--quiet", "--backend", "native");

        Assert.That((result.ExitCode, result.Error), Is.EqualTo((1, "error: the native back end cannot be used: only Windows has it, and this is not Windows\n")));
        Assert.That(StoreFiles.Relative(folder.Path).Where(path => path.Contains("cimconvert", StringComparison.Ordinal)), Is.Empty);
    }

    [Test]
    public async Task The_demo_shows_the_registry_of_all_its_layers()
    {
        var output = (await CimConvertProgram.SucceedAsync("demo", "--quiet")).Output;
        var registry = output[output.IndexOf("Windows Registry Editor", StringComparison.Ordinal)..];
        Assert.That(registry.Split('\n').Where(line => line.StartsWith('[')), Is.EqualTo(new[]
        {
            @"[\]", @"[\Demo]", @"[\Demo\App]", @"[\Microsoft]", @"[\Microsoft\Windows NT]", @"[\Microsoft\Windows NT\CurrentVersion]",
            @"[\Vendor]", @"[\Vendor\Setup]",
        }));
        Assert.That(registry, Does.Contain("\"UBR\"=dword:00000a8c").And.Contain("\"State\"=hex(1):64,00,6f,00,6e,00,65,00,00,00").And.Not.Contain("Reboots"));
    }

    [Test]
    public async Task Its_digests_are_the_same_in_every_run_and_those_of_the_readme()
    {
        var first = Digests((await CimConvertProgram.JsonAsync("demo", "--quiet")).ToString());
        var second = Digests((await CimConvertProgram.JsonAsync("demo", "--quiet")).ToString());

        Assert.That(first, Has.Length.GreaterThan(10));
        Assert.That(second, Is.EqualTo(first));
        var shown = Block().Matches(await File.ReadAllTextAsync(Path.Combine(Repository.Root, "README.md")))
            .Where(block => block.Value.Contains("/demo/app:v1", StringComparison.Ordinal))
            .SelectMany(block => Digests(block.Value));
        Assert.That(shown.Where(digest => !first.Any(whole => whole.StartsWith(digest, StringComparison.Ordinal))), Is.Empty);
    }

    /// <summary>Digests, whole or cut short, without their algorithm.</summary>
    private static string[] Digests(string text) => [.. Hex().Matches(text).Select(match => match.Value)];

    [GeneratedRegex(@"\b[0-9a-f]{12,64}\b", RegexOptions.None, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Hex();

    /// <summary>What a page shows between fences.</summary>
    [GeneratedRegex(@"^```.*?^```", RegexOptions.Multiline | RegexOptions.Singleline, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Block();
}
