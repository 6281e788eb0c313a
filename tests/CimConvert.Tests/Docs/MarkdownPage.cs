using System.Text.RegularExpressions;

namespace CimConvert.Tests.Docs;

/// <summary>A fenced block of a page: its language, its lines, and the file its content is to be saved as, where the page says so.</summary>
/// <param name="Language">The word after the opening fence; empty if there is none.</param>
/// <param name="FileName">From a comment <c>&lt;!-- file: NAME --&gt;</c> on the line before the block; else null.</param>
/// <param name="Line">Number of the block's first line of content.</param>
/// <param name="Lines">Its content.</param>
internal sealed record FencedBlock(string Language, string? FileName, int Line, IReadOnlyList<string> Lines)
{
    public string Text => string.Concat(Lines.Select(line => line + "\n"));
}

/// <summary>A markdown file of the repository.</summary>
internal sealed partial class MarkdownPage
{
    private const string Fence = "```";

    private MarkdownPage(string path)
    {
        Path = path;
        Lines = File.ReadAllLines(System.IO.Path.Combine(Repository.Root, path));
        Blocks = ReadBlocks();
    }

    /// <summary>The README and what lies under docs/: the pages whose command lines are run.</summary>
    public static IReadOnlyList<string> UserPages => [.. AllPaths.Where(path => path is "README.md" || path.StartsWith("docs/", StringComparison.Ordinal))];

    /// <summary>Every markdown file, by its path in the repository.</summary>
    public static IReadOnlyList<string> AllPaths { get; } = FindAll();

    /// <summary>From the repository's root, with <c>/</c>.</summary>
    public string Path { get; }

    public IReadOnlyList<string> Lines { get; }

    public IReadOnlyList<FencedBlock> Blocks { get; }

    /// <summary>The lines outside fenced blocks, with their numbers.</summary>
    public IEnumerable<(int Number, string Line)> Prose
    {
        get
        {
            var fenced = Blocks.SelectMany(block => Enumerable.Range(block.Line - 1, block.Lines.Count + 2)).ToHashSet();
            return Lines.Select((line, i) => (Number: i + 1, Line: line)).Where(line => !fenced.Contains(line.Number));
        }
    }

    /// <summary>What stands between backticks outside fenced blocks.</summary>
    public IEnumerable<(int Number, string Code)> InlineCode =>
        Prose.SelectMany(line => CodeSpan().Matches(line.Line).Select(match => (line.Number, match.Groups["code"].Value)));

    /// <summary>Targets of links and pictures.</summary>
    public IEnumerable<(int Number, string Target)> Links =>
        Prose.SelectMany(line => Link().Matches(CodeSpan().Replace(line.Line, string.Empty)).Select(match => (line.Number, match.Groups["target"].Value)));

    /// <summary>The names that headings can be linked to by, as GitHub makes them.</summary>
    public IReadOnlySet<string> Anchors => Prose.Where(line => line.Line.StartsWith('#'))
        .Select(line => Anchor(line.Line.TrimStart('#').Trim()))
        .ToHashSet(StringComparer.Ordinal);

    public static MarkdownPage Read(string path) => new(path);

    private static string Anchor(string heading) =>
        NotInAnchor().Replace(heading.ToLowerInvariant(), string.Empty).Replace(' ', '-');

    private static string[] FindAll()
    {
        var skipped = new[] { "bin", "obj", ".git", "node_modules", "TestResults" };
        var found = new List<string>();
        var folders = new Stack<string>([Repository.Root]);
        while (folders.TryPop(out var folder))
        {
            found.AddRange(Directory.EnumerateFiles(folder, "*.md").Select(file => System.IO.Path.GetRelativePath(Repository.Root, file).Replace('\\', '/')));
            foreach (var child in Directory.EnumerateDirectories(folder).Where(child => !skipped.Contains(System.IO.Path.GetFileName(child))))
            {
                folders.Push(child);
            }
        }

        return [.. found.Order(StringComparer.Ordinal)];
    }

    private List<FencedBlock> ReadBlocks()
    {
        var blocks = new List<FencedBlock>();
        for (var i = 0; i < Lines.Count; i++)
        {
            if (!Lines[i].StartsWith(Fence, StringComparison.Ordinal))
            {
                continue;
            }

            var end = i + 1;
            while (Lines[end] != Fence)
            {
                end++;
            }

            var file = i > 0 ? SavedAs().Match(Lines[i - 1]) : Match.Empty;
            blocks.Add(new FencedBlock(
                Lines[i][Fence.Length..], file.Success ? file.Groups["name"].Value : null, i + 2, [.. Lines.Skip(i + 1).Take(end - i - 1)]));
            i = end;
        }

        return blocks;
    }

    [GeneratedRegex("`(?<code>[^`]+)`", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex CodeSpan();

    [GeneratedRegex(@"\]\((?<target>[^)\s]+)\)|(src|href|srcset)=""(?<target>[^""]+)""", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Link();

    [GeneratedRegex("^<!-- file: (?<name>[^ ]+) -->$", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex SavedAs();

    [GeneratedRegex(@"[^\p{L}\p{N} _-]", RegexOptions.None, matchTimeoutMilliseconds: 1000)]
    private static partial Regex NotInAnchor();
}
