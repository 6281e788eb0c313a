using NUnit.Framework;

namespace CimConvert.Tests.Docs;

/// <summary>What all markdown files of the repository keep to.</summary>
public class PageTests
{
    private const int LongestReadme = 150;

    /// <summary>What a reader of the repository cannot open.</summary>
    private static readonly string[] s_notInTheRepository = ["shared/", "shared reference", "/work/"];

    [Test]
    public void Links_lead_somewhere()
    {
        var broken =
            from page in MarkdownPage.AllPaths.Select(MarkdownPage.Read)
            from link in page.Links
            where !Uri.TryCreate(link.Target, UriKind.Absolute, out _) && !Leads(page, link.Target)
            select $"{page.Path}:{link.Number}: {link.Target}";
        Assert.That(broken, Is.Empty);
    }

    [Test]
    public void Pages_cite_what_a_reader_can_open()
    {
        var wrong =
            from page in MarkdownPage.AllPaths.Select(MarkdownPage.Read)
            from line in page.Lines.Index()
            from words in s_notInTheRepository
            where line.Item.Contains(words, StringComparison.OrdinalIgnoreCase)
            select $"{page.Path}:{line.Index + 1}: {words}";
        Assert.That(wrong, Is.Empty);
    }

    [Test]
    public void Every_page_of_docs_is_linked_from_the_readme()
    {
        var linked = MarkdownPage.Read("README.md").Links.Select(link => link.Target.Split('#')[0]);
        Assert.That(MarkdownPage.AllPaths.Where(path => path.StartsWith("docs/", StringComparison.Ordinal)), Is.SubsetOf(linked));
    }

    /// <summary>Where pages say which file to look in, they give its name, or the end of its path.</summary>
    [Test]
    public void Files_of_the_code_that_are_named_are_there()
    {
        var files = Directory.EnumerateFiles(Repository.Root, "*.cs", SearchOption.AllDirectories)
            .Select(file => "/" + Path.GetRelativePath(Repository.Root, file).Replace('\\', '/')).ToArray();
        var missing =
            from page in MarkdownPage.AllPaths.Select(MarkdownPage.Read)
            from span in page.InlineCode
            where span.Code.EndsWith(".cs", StringComparison.Ordinal) && !span.Code.Contains(' ', StringComparison.Ordinal)
            where !files.Any(file => file.EndsWith("/" + span.Code, StringComparison.Ordinal))
            select $"{page.Path}:{span.Number}: {span.Code}";
        Assert.That(missing, Is.Empty);
    }

    [Test]
    public void The_readme_is_short() => Assert.That(MarkdownPage.Read("README.md").Lines, Has.Count.AtMost(LongestReadme));

    /// <summary>Headings of the pages on troubleshooting are messages of the program; <c>…</c> stands for what differs.</summary>
    [TestCase("docs/troubleshooting.md")]
    [TestCase("docs/containerd.md")]
    public void Messages_with_advice_are_in_the_source(string path)
    {
        var source = string.Concat(Directory.EnumerateFiles(Path.Combine(Repository.Root, "src"), "*.cs", SearchOption.AllDirectories).Select(File.ReadAllText));
        var messages = MarkdownPage.Read(path).Prose.Where(line => line.Line.StartsWith("### `", StringComparison.Ordinal))
            .Select(line => line.Line.Split('`')[1]).ToArray();
        var missing = messages.SelectMany(message => message.Split('…', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
            .Where(part => !source.Contains(part, StringComparison.Ordinal));
        Assert.That(messages, Has.Length.GreaterThan(10));
        Assert.That(missing, Is.Empty);
    }

    private static bool Leads(MarkdownPage from, string target)
    {
        var parts = target.Split('#', 2);
        var path = parts[0].Length == 0 ? from.Path : Path.GetRelativePath(Repository.Root, Path.Combine(Repository.Root, Path.GetDirectoryName(from.Path)!, parts[0])).Replace('\\', '/');
        return Path.Exists(Path.Combine(Repository.Root, path))
            && (parts.Length == 1 || !path.EndsWith(".md", StringComparison.Ordinal) || MarkdownPage.Read(path).Anchors.Contains(parts[1]));
    }
}
