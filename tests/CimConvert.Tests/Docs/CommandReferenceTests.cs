using System.Text.RegularExpressions;
using CimConvert.Tests.Cli;
using NUnit.Framework;

namespace CimConvert.Tests.Docs;

/// <summary>docs/cli.md has every command and every option of the program, and no page has one that is not there.</summary>
[Category("Process")]
public partial class CommandReferenceTests
{
    private const string Page = "docs/cli.md";

    /// <summary>Every command has them, and the page says so once.</summary>
    private static readonly string[] s_common = ["--help"];

    private static readonly Lazy<Task<Dictionary<string, string[]>>> s_program = new(ReadProgramAsync);

    [Test]
    public async Task The_reference_has_each_command_with_its_options()
    {
        var program = await s_program.Value;
        var page = Sections().ToDictionary(section => section.Command, section => section.Options, StringComparer.Ordinal);
        Assert.That(page.Keys, Is.EquivalentTo(program.Keys));
        using (Assert.EnterMultipleScope())
        {
            foreach (var (command, options) in program)
            {
                Assert.That(page[command], Is.EquivalentTo(options), $"{Page}: {command}");
            }
        }
    }

    [Test]
    public async Task Commands_named_in_text_are_there_with_their_options()
    {
        var program = await s_program.Value;
        var wrong =
            from path in MarkdownPage.UserPages
            from span in MarkdownPage.Read(path).InlineCode
            where span.Code.StartsWith("cimconvert ", StringComparison.Ordinal)
            let words = span.Code.Split(' ')
            let command = program.Keys.Where(name => (span.Code + " ").StartsWith($"cimconvert {name} ", StringComparison.Ordinal)).MaxBy(name => name.Length)
            where words[1] is not ("COMMAND" or "--help" or "--version")
                && (command is null || words.Where(word => word.StartsWith("--", StringComparison.Ordinal)).Except([.. program[command], .. s_common]).Any())
            select $"{path}:{span.Number}: {span.Code}";
        Assert.That(wrong, Is.Empty);
    }

    /// <summary>Sections headed by <c>### `cimconvert NAME ...`</c>, each with a table whose rows begin with the option.</summary>
    private static IEnumerable<(string Command, string[] Options)> Sections()
    {
        string? command = null;
        var options = new List<string>();
        foreach (var (_, line) in MarkdownPage.Read(Page).Prose)
        {
            if (line.StartsWith('#'))
            {
                if (command is not null)
                {
                    yield return (command, [.. options]);
                }

                var heading = Heading().Match(line);
                (command, options) = (heading.Success ? heading.Groups["name"].Value : null, []);
            }
            else if (Row().Match(line) is { Success: true } row)
            {
                options.Add(row.Groups["option"].Value);
            }
            else if (command is not null && line.StartsWith("Also: ", StringComparison.Ordinal))
            {
                options.AddRange(OptionName().Matches(line).Select(match => match.Value));
            }
        }

        if (command is not null)
        {
            yield return (command, [.. options]);
        }
    }

    private static async Task<Dictionary<string, string[]>> ReadProgramAsync()
    {
        var found = new Dictionary<string, string[]>(StringComparer.Ordinal);
        var groups = new Queue<string[]>([[]]);
        while (groups.TryDequeue(out var group))
        {
            var help = (await CimConvertProgram.SucceedAsync([.. group, "--help"])).Output;
            var commands = HelpCommand().Matches(Part(help, "Commands:")).Select(match => match.Groups["name"].Value).ToArray();
            foreach (var command in commands)
            {
                groups.Enqueue([.. group, command]);
            }

            // A group that does something by itself has options for it.
            string[] options = [.. HelpOption().Matches(Part(help, "Options:")).Select(match => match.Groups["name"].Value).Except(s_common)];
            if (group.Length > 0 && (commands.Length == 0 || options.Length > 0))
            {
                found.Add(string.Join(' ', group), options);
            }
        }

        return found;
    }

    private static string Part(string help, string title)
    {
        var at = help.IndexOf($"\n{title}", StringComparison.Ordinal);
        var rest = at < 0 ? string.Empty : help[(at + 1)..];
        var end = rest.IndexOf("\n\n", StringComparison.Ordinal);
        return end < 0 ? rest : rest[..end];
    }

    [GeneratedRegex("^### `cimconvert (?<name>[a-z-]+( [a-z-]+)?)[ `]", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Heading();

    [GeneratedRegex(@"^\| `(-\w, )?(?<option>--[a-z-]+)", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Row();

    [GeneratedRegex("--[a-z-]+", RegexOptions.None, matchTimeoutMilliseconds: 1000)]
    private static partial Regex OptionName();

    [GeneratedRegex("^  (?<name>[a-z-]+) ", RegexOptions.Multiline | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex HelpCommand();

    [GeneratedRegex(@"^  (-\S+, )*(?<name>--[a-z-]+)", RegexOptions.Multiline | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex HelpOption();
}
