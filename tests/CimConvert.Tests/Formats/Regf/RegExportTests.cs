using System.Text;
using CimConvert.Formats.Regf;
using CimConvert.TestKit.Hives;
using NUnit.Framework;

namespace CimConvert.Tests.Formats.Regf;

/// <summary>Our export against hivexregedit's, of hives as Windows makes them, by hivex, the test kit, our writer and our merge.</summary>
[Category(Categories.Process)]
[Category(Categories.Tools)]
internal sealed class RegExportTests
{
    private readonly HiveTools _tools = new();

    [TearDown]
    public void RemoveFiles() => _tools.Dispose();

    [Test]
    public void An_empty_hive_as_Windows_makes_it() => AssertExportsAgree(HiveFiles.WindowsEmpty());

    [TestCase(3u)]
    [TestCase(5u)]
    public void Thousands_of_keys_made_by_hivexsh(uint minorVersion)
    {
        List<string> commands = [.. Enumerable.Range(0, 3_000).Select(i => $"add key{i * 7919 % 3_000:x}_{i}")];
        foreach (var i in Enumerable.Range(0, 100))
        {
            commands.AddRange([$"cd key{i * 7919 % 3_000:x}_{i}", "setval 2", "name", $"string:text {i}", "@", $"dword:{i}", @"cd \"]);
        }

        AssertExportsAgree(_tools.Edit(Empty(minorVersion), commands));
    }

    [Test]
    public void Deep_nesting_made_by_hivexsh()
    {
        var commands = Enumerable.Range(0, RegfLimits.Depth).SelectMany(i => (string[])[$"add level{i}", $"cd level{i}"]);
        AssertExportsAgree(_tools.Edit(Empty(), commands));
    }

    [TestCase(16_343)]
    [TestCase(16_344)]
    [TestCase(16_345)]
    [TestCase(900_000)]
    public void Large_values_made_by_hivex(int size)
    {
        var hex = string.Join(',', Bytes(size).Select(b => $"{b:x2}"));
        AssertExportsAgree(_tools.Merge(Empty(), $"[\\]\n\"large\"=hex(3):{hex}\n\"small\"=hex(3):00\n"));
    }

    [TestCase(16_344)]
    [TestCase(16_345)]
    [TestCase(32_688)]
    [TestCase(32_689)]
    [TestCase(1_000_001)]
    [TestCase(5_000_000)]
    public void Large_values_in_segments(int size)
    {
        var root = new KeySpec("root").With(new ValueSpec("large", 3, Bytes(size)), new ValueSpec("next", 3, [1]));
        var written = HiveFiles.Write(HiveFiles.Read(root));
        AssertExportsAgree(written);
        Assert.That(HiveReader.Read(written).Root.FindValue("large")!.Value.Data.ToArray(), Is.EqualTo(Bytes(size)));
    }

    [Test]
    public void Empty_default_and_oddly_typed_values()
    {
        var root = new KeySpec("root").With(
            new ValueSpec("zz", 1, []),
            new ValueSpec(string.Empty, 1, [0x61, 0, 0, 0]),
            new ValueSpec("short dword", 4, [1, 2]),
            new ValueSpec("dword", 4, [0x78, 0x56, 0x34, 0x12]),
            new ValueSpec("qword", 11, [1, 2, 3, 4, 5, 6, 7, 8]),
            new ValueSpec("big type", 0xFFFF_FFF0, [1]),
            new ValueSpec("handed type", 0x10, [1, 2, 3]),
            new ValueSpec("\"quoted\" \\ slashed", 0, [0xFF]));
        AssertAllAgree(new HiveBuilder(root).Build());
    }

    [Test]
    public void Names_of_every_width()
    {
        string[] names = ["plain", "Ünïcode", "ÿ", "日本語", "mixed é 日", "\U0001F600", "\uE000", "\uFB01", "a b", "100%", "wide"];
        var root = new KeySpec("root").With(
            [.. names.Select(name => new KeySpec(name) { WideName = name == "wide" }
                .With([.. names.Select(value => ValueSpec.Text(value, value) with { WideName = value == "wide" })])
                .With(new KeySpec("below ü"), new KeySpec("below 本")))]);
        AssertAllAgree(new HiveBuilder(root).Build());
    }

    [Test]
    public void Non_ASCII_names_made_by_hivexsh() => AssertExportsAgree(_tools.Edit(
        Empty(),
        ["add Ünïcode", "add 日本", "add _under", "add Zed", "cd 日本", "add é", "setval 2", "日本v", "string:x", "ä", "hex:1:", @"cd \_under"]));

    [TestCase(SubkeyLists.Hash)]
    [TestCase(SubkeyLists.Fast)]
    [TestCase(SubkeyLists.Index)]
    [TestCase(SubkeyLists.Root)]
    [TestCase(SubkeyLists.NestedRoot)]
    public void Lists_of_every_kind(SubkeyLists lists)
    {
        var root = new KeySpec("root") { Lists = lists }.With([.. Enumerable.Range(0, 20).Select(i => new KeySpec($"key{i:d2}"))]);
        AssertAllAgree(new HiveBuilder(root).Build());
    }

    [TestCase(506)]
    [TestCase(507)]
    [TestCase(508)]
    [TestCase(1_014)]
    [TestCase(1_015)]
    [TestCase(5_000)]
    public void Lists_on_both_sides_of_the_limit_of_a_leaf(int count)
    {
        var root = new HiveKey("root") { Subkeys = [.. Enumerable.Range(0, count).Select(i => new HiveKey($"key{i}"))] };
        AssertExportsAgree(HiveFiles.Write(new Hive(root)));
    }

    [Test]
    public void A_merged_hive()
    {
        var below = new KeySpec("root").With(
            new KeySpec("kept").With(ValueSpec.Text("v", "below")),
            new KeySpec("Löschen").With(new KeySpec("under")),
            new KeySpec("changed").With(ValueSpec.Text("gone", "x"), ValueSpec.Text("stays", "y")));
        var above = new KeySpec("root").With(
            new KeySpec("LÖSCHEN") { Layer = 1 },
            new KeySpec("CHANGED").With(ValueSpec.Tombstone("GONE"), ValueSpec.Text("new", "z")),
            new KeySpec("日本") { Layer = 3 }.With(new ValueSpec("large", 3, Bytes(40_000))));
        AssertExportsAgree(HiveFiles.Write(HiveMerge.Merge(HiveFiles.Read(below), HiveFiles.Read(above))));
    }

    [Test]
    public void A_large_merged_hive()
    {
        const int size = 3 << 20;
        var merged = HiveMerge.Merge(HiveReader.Read(SoftwareHive.Make(1, size)), HiveReader.Read(SoftwareHive.MakeDelta(1, size)));
        AssertExportsAgree(HiveFiles.Write(merged));
    }

    [Test]
    public void A_key_below_the_root_in_any_case()
    {
        var root = new KeySpec("root").With(new KeySpec("One").With(new KeySpec("Two").With(new KeySpec("Three"))));
        var hive = new HiveBuilder(root).Build();
        Assert.That(
            Encoding.UTF8.GetString(HiveFiles.Export(HiveReader.Read(hive), @"\one\TWO")),
            Is.EqualTo(Encoding.UTF8.GetString(_tools.Export(hive, @"\one\TWO"))));
    }

    private static byte[] Empty(uint minorVersion = 5) =>
        new HiveBuilder(new KeySpec("root") { Security = [1, 0, 4, 0x80] }) { MinorVersion = minorVersion }.Build();

    private static byte[] Bytes(int size)
    {
        var bytes = new byte[size];
        new Random(size).NextBytes(bytes);
        return bytes;
    }

    /// <summary>Of the hive as it is and as our writer writes it.</summary>
    private void AssertAllAgree(byte[] hive)
    {
        AssertExportsAgree(hive);
        AssertExportsAgree(HiveFiles.Write(HiveReader.Read(hive)));
    }

    private void AssertExportsAgree(byte[] hive)
    {
        var (theirs, ours) = (_tools.Export(hive), HiveFiles.Export(HiveReader.Read(hive)));
        if (!theirs.AsSpan().SequenceEqual(ours))
        {
            var at = theirs.AsSpan().CommonPrefixLength(ours);
            Assert.Fail($"exports differ at byte {at}: hivexregedit '{Around(theirs, at)}', ours '{Around(ours, at)}'");
        }

        static string Around(byte[] text, int at) =>
            Encoding.Latin1.GetString(text.AsSpan(Math.Max(0, at - 40)..Math.Min(text.Length, at + 40)));
    }
}
