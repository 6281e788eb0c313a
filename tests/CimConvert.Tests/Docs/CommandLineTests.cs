using System.Globalization;
using System.Runtime.Versioning;
using System.Text.RegularExpressions;
using NUnit.Framework;

namespace CimConvert.Tests.Docs;

/// <summary>
/// The command lines of the README and of docs/ work. Each fenced block marked <c>sh</c> is run, line by line and page by page, in a
/// <see cref="PageFolder"/>:
/// <list type="bullet">
/// <item>A line ends with exit code 0, or with the N of a comment <c># exit code N</c> at its end.</item>
/// <item>A block with <c>&lt;!-- file: NAME --&gt;</c> before it is saved under that name before the lines after it run.</item>
/// <item>Of a block marked <c>text</c> right after lines that failed, each line must be in what they wrote to standard error; <c>…</c> stands for any text.</item>
/// <item>Lines that cannot run here are those of <see cref="s_notRun"/>; the files of the repository that they name must be there.</item>
/// <item>Lines that need Windows are those of <see cref="s_onlyOnWindows"/>; elsewhere the program must understand them.</item>
/// </list>
/// </summary>
[Category("Process")]
[Platform(Exclude = "Win", Reason = "the lines are run by a POSIX shell")]
[UnsupportedOSPlatform("windows")]
public partial class CommandLineTests
{
    private const int WrongUsage = 2;
    private const string RunFromSource = "dotnet run --project src/CimConvert.Cli -- ";

    private static readonly (string Start, string Reason)[] s_notRun =
    [
        ("dotnet publish ", "takes minutes; tests/run.sh publishes the program, and the tests run what it made"),
        ("dotnet run -c Release --project benchmarks/", "takes minutes"),
        ("tests/run.sh", "runs these tests"),
        ("tests/fuzz.sh ", "builds; FuzzTests runs what it runs"),
        ("benchmarks/run.sh", "takes minutes"),
        ("kubectl ", "needs a cluster; ConfigsTests checks the files"),
        ("skopeo ", "another program, which may not be installed"),
    ];

    private static readonly string[] s_onlyOnWindows = ["cimconvert mount ", "cimconvert dismount "];

    private static readonly string[] s_languages = ["sh", "text", "json", "yaml", "toml", "csharp", "xml"];

    public static IEnumerable<string> Pages => MarkdownPage.UserPages.Where(path => MarkdownPage.Read(path).Blocks.Any(block => block.Language is "sh"));

    [TestCaseSource(nameof(Pages))]
    [Category(Categories.Tools)]
    public async Task Every_command_line_works(string path)
    {
        await using var folder = await PageFolder.MakeAsync();
        var errors = string.Empty;
        foreach (var block in MarkdownPage.Read(path).Blocks)
        {
            if (block.FileName is { } file)
            {
                folder.Save(file, block.Text);
            }
            else if (block.Language is "sh")
            {
                errors = string.Empty;
                foreach (var (number, line) in CommandsOf(block))
                {
                    errors += await RunAsync(folder, $"{path}:{number}", line);
                }
            }
            else if (block.Language is "text" && errors.Length > 0)
            {
                Assert.That(block.Lines.Where(line => !Has(errors, line)), Is.Empty, $"{path}:{block.Line}\n{errors}");
                errors = string.Empty;
            }
        }
    }

    /// <summary>A command in a block of another kind would not be run.</summary>
    [Test]
    public void Blocks_say_what_they_are_and_commands_stand_in_those_that_are_run()
    {
        var pages = MarkdownPage.UserPages.Select(MarkdownPage.Read).ToArray();
        var unknown = pages.SelectMany(page => page.Blocks.Where(block => !s_languages.Contains(block.Language)).Select(block => $"{page.Path}:{block.Line}: '{block.Language}'"));
        var hidden =
            from page in pages
            from block in page.Blocks
            where block.Language is not "sh"
            from line in block.Lines
            where Command().IsMatch(line)
            select $"{page.Path}: {line}";
        Assert.That(unknown, Is.Empty);
        Assert.That(hidden, Is.Empty);
    }

    [Test]
    public void What_is_not_run_is_in_the_pages()
    {
        var lines = Pages.SelectMany(path => MarkdownPage.Read(path).Blocks.Where(block => block.Language is "sh")).SelectMany(CommandsOf).Select(line => line.Line).ToArray();
        var unused = s_notRun.Select(entry => entry.Start).Concat(s_onlyOnWindows).Where(start => !lines.Any(line => line.StartsWith(start, StringComparison.Ordinal)));
        Assert.That(unused, Is.Empty);
    }

    [Test]
    public void The_readme_has_the_two_commands_for_a_newcomer() =>
        Assert.That(
            MarkdownPage.Read("README.md").Blocks.Where(block => block.Language is "sh").SelectMany(CommandsOf).Select(line => line.Line.Split("  #")[0].TrimEnd()),
            Is.SupersetOf(new[] { RunFromSource + "demo", "tests/run.sh" }));

    /// <returns>What the line wrote to standard error, where it was to fail; else nothing.</returns>
    private static async Task<string> RunAsync(PageFolder folder, string place, string line)
    {
        if (s_notRun.Any(entry => line.StartsWith(entry.Start, StringComparison.Ordinal)))
        {
            Assert.That(FilesNamed(line).Where(file => !Path.Exists(Path.Combine(Repository.Root, file))), Is.Empty, place);
            return string.Empty;
        }

        var run = line.StartsWith(RunFromSource, StringComparison.Ordinal) ? "cimconvert " + line[RunFromSource.Length..] : line;
        var result = await folder.RunAsync(run);
        var told = $"{place}: {line}\n{result.Output}\n{result.Error}";
        if (s_onlyOnWindows.Any(start => line.StartsWith(start, StringComparison.Ordinal)))
        {
            Assert.That(result.ExitCode, Is.Not.EqualTo(WrongUsage), told);
            return string.Empty;
        }

        var expected = ExitCode().Match(line) is { Success: true } match ? int.Parse(match.Groups["code"].Value, CultureInfo.InvariantCulture) : 0;
        Assert.That(result.ExitCode, Is.EqualTo(expected), told);
        Assert.That(result.Error, Does.Not.Contain("internal error"), told);
        return expected == 0 ? string.Empty : result.Error;
    }

    private static bool Has(string errors, string line) =>
        Regex.IsMatch(errors, string.Join(".*", line.Split('…').Select(Regex.Escape)), RegexOptions.None, TimeSpan.FromSeconds(10));

    /// <summary>The lines of a block, those that end with <c>\</c> joined with the next; comments and empty lines are none.</summary>
    private static IEnumerable<(int Number, string Line)> CommandsOf(FencedBlock block)
    {
        var joined = string.Empty;
        for (var i = 0; i < block.Lines.Count; i++)
        {
            var line = joined + block.Lines[i].Trim();
            joined = line.EndsWith('\\') ? line[..^1] : string.Empty;
            if (joined.Length == 0 && line.Length > 0 && !line.StartsWith('#'))
            {
                yield return (block.Line + i, line);
            }
        }
    }

    /// <summary>Words that look like paths of the repository.</summary>
    private static IEnumerable<string> FilesNamed(string line) => RepositoryPath().Matches(line).Select(match => match.Value);

    [GeneratedRegex(@"^\s*([A-Z_]+=\S+ )*(\$ |> )?(cimconvert|dotnet|git|kubectl|skopeo|bash|sh|tests/\w+\.sh|benchmarks/\w+\.sh) ", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Command();

    [GeneratedRegex("# exit code (?<code>[0-9]+)", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex ExitCode();

    [GeneratedRegex(@"\b(src|tests|benchmarks|configs)/[\w./-]*[\w]", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex RepositoryPath();
}
