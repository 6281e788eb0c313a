using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using CimConvert.TestKit.Servers;
using CimConvert.Tests.Prewarming;
using NUnit.Framework;

namespace CimConvert.Tests.Architecture;

/// <summary>What stands beside the code: workflows, pages and line ends.</summary>
[Category(Categories.Process)]
[Category(Categories.Tools)]
public partial class RepositoryTests
{
    private static readonly string s_github = Path.Combine(Repository.Root, ".github");

    private static IEnumerable<string> Configurations =>
        Directory.EnumerateFiles(s_github, "*.yml", SearchOption.AllDirectories).Select(file => Path.GetRelativePath(s_github, file));

    private static IEnumerable<string> Workflows => Configurations.Where(file => Path.GetDirectoryName(file) == "workflows");

    [TestCaseSource(nameof(Configurations))]
    public void Configurations_are_yaml(string file) => Assert.That(Read(file), Is.InstanceOf<JsonObject>());

    [TestCaseSource(nameof(Workflows))]
    public void Workflows_have_jobs_with_steps_of_pinned_actions_or_scripts(string file)
    {
        var steps = Steps(file).ToArray();
        Assert.That(steps, Is.Not.Empty);
        Assert.That(steps.Select(step => step["uses"] is null ^ step["run"] is null), Has.All.True);
        Assert.That(steps.Select(step => (string?)step["uses"]).OfType<string>(), Has.All.Match(@"^actions/[a-z-]+@v\d+$"));
        var scripts = Commands(file).SelectMany(run => Script().Matches(run)).Select(match => match.Value);
        Assert.That(scripts.Select(script => Path.Combine(Repository.Root, script)), Has.All.Exist);
    }

    [Test]
    public void CI_runs_what_everybody_runs() => Assert.That(Commands("workflows/ci.yml"), Has.Exactly(1).EndsWith("bash .ci/run"));

    [Test]
    public void Windows_leaves_out_the_categories_that_need_more() =>
        Assert.That(Commands("workflows/windows.yml"), Has.One.Contains("TestCategory!=Process&TestCategory!=Tools&TestCategory!=Slow"));

    [Test]
    public async Task Every_text_file_has_LF_ends()
    {
        var git = Tools.Require("git");
        var listed = await ExternalProcess.RunAsync(git, ["-C", Repository.Root, "ls-files", "--eol"]);
        if (listed.ExitCode != 0)
        {
            Assert.Ignore($"git does not list the files here: {listed.Error}");
        }

        var files = listed.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.That(files, Is.Not.Empty);
        Assert.That(files.Where(file => OtherEnds().IsMatch(file)), Is.Empty);
    }

    [Test]
    public void The_changelog_says_what_is_not_released_yet()
    {
        var page = File.ReadAllText(Path.Combine(Repository.Root, "CHANGELOG.md"));
        Assert.That(page, Does.Match(@"(?m)^## \[Unreleased\]\n+### (Added|Changed|Deprecated|Removed|Fixed|Security)\n+- \S"));
    }

    [GeneratedRegex(@"(?<![\w./-])(\.ci|tests|benchmarks)/[\w./-]+\.(sh|ps1)|\.ci/run", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Script();

    /// <summary>In the index (i/) or in the work tree (w/).</summary>
    [GeneratedRegex("^[^\t]*[iw]/(crlf|mixed)", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex OtherEnds();

    private static JsonNode? Read(string file) => YamlAsJson.Read(Path.Combine(s_github, file)).Single();

    private static IEnumerable<JsonNode> Steps(string file) =>
        Read(file)!["jobs"]!.AsObject().SelectMany(job => job.Value!["steps"]!.AsArray()).Select(step => step!);

    private static IEnumerable<string> Commands(string file) => Steps(file).Select(step => (string?)step["run"]).OfType<string>();
}
