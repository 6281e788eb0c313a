using CimConvert.TestKit.Layers;
using CimConvert.TestKit.Oracles;
using NUnit.Framework;
using static CimConvert.Tests.TestKit.TarOracleMetadataTests;

namespace CimConvert.Tests.TestKit;

/// <summary>The oracle's tree rules, each by the smallest layers that show it.</summary>
public class TarOracleTreeTests
{
    private static readonly EntryOptions Hidden = new() { Attributes = FileAttributes.Hidden };

    [Test]
    public void Entries_are_sorted_by_upcased_component()
    {
        LayerBuilder layer = new LayerBuilder().File("a-b", "").Directory("a").File("a/z", "").File("B", "").File("_", "").File("ä", "").File("Z", "");

        Assert.That(Paths(layer), Is.EqualTo(new[] { "a", @"a\z", "a-b", "B", "Z", "_", "ä" }));
    }

    [Test]
    public void The_last_of_two_entries_wins_with_its_spelling()
    {
        OracleEntry entry = Entries(new LayerBuilder().File("File", "1").AlternateStream("File", "s", [1]).File("fILE", "22", Hidden)).Single();

        Assert.That((entry.Path, entry.Size, entry.Attributes, entry.Streams.Count), Is.EqualTo(("fILE", 2L, 2u, 0)));
    }

    [Test]
    public void A_directory_over_a_directory_keeps_its_children()
    {
        LayerBuilder twice = new LayerBuilder().Directory("d").File("d/f", "").Directory("D", new EntryOptions { Attributes = FileAttributes.Hidden });

        IReadOnlyList<OracleEntry> entries = Entries(twice);

        Assert.That(entries.Select(e => (e.Path, e.Attributes)), Is.EqualTo(new[] { ("D", 0x12u), (@"D\f", 0x20u) }));
    }

    [Test]
    public void Kinds_replace_each_other_whole()
    {
        using (Assert.EnterMultipleScope())
        {
            Assert.That(Paths(new LayerBuilder().File("x/f", "").File("x", "")), Is.EqualTo(new[] { "x" }));
            Assert.That(Paths(new LayerBuilder().File("x/f", ""), new LayerBuilder().File("x", "")), Is.EqualTo(new[] { "x" }));
            Assert.That(Entries(new LayerBuilder().File("x", "1"), new LayerBuilder().Directory("x")).Single().Type, Is.EqualTo("directory"));
            Assert.That(Paths(new LayerBuilder().Directory("x").File("x/f", ""), new LayerBuilder().MountPoint("x", "c:")), Is.EqualTo(new[] { "x" }));
        }
    }

    [Test]
    public void A_missing_parent_is_an_implicit_directory()
    {
        OracleEntry parent = Entries(new LayerBuilder().File("d/f", ""))[0];

        using (Assert.EnterMultipleScope())
        {
            Assert.That((parent.Path, parent.Type, parent.Attributes), Is.EqualTo(("d", "directory", 0x10u)));
            Assert.That(new[] { parent.CreationTime, parent.LastWriteTime, parent.ChangeTime, parent.LastAccessTime }, Is.All.Zero);
            Assert.That(parent.Sd, Is.EqualTo("0100048000000000000000000000000000000000"));
        }
    }

    [Test]
    public void An_implicit_directory_overrides_neither_layers_below_nor_entries_of_its_tar()
    {
        LayerBuilder real = new LayerBuilder().Directory("Dir", new EntryOptions { Attributes = FileAttributes.Hidden });

        IReadOnlyList<OracleEntry> across = Entries(real, new LayerBuilder().File("dir/f", ""));
        IReadOnlyList<OracleEntry> before = Entries(new LayerBuilder().File("dir/f", "").Directory("Dir", new EntryOptions { Attributes = FileAttributes.Hidden }));
        IReadOnlyList<OracleEntry> after = Entries(new LayerBuilder().Directory("Dir", new EntryOptions { Attributes = FileAttributes.Hidden }).File("dir/f", ""));

        foreach (IReadOnlyList<OracleEntry> entries in new[] { across, before, after })
        {
            Assert.That(entries.Select(e => (e.Path, e.Attributes)), Is.EqualTo(new[] { ("Dir", 0x12u), (@"Dir\f", 0x20u) }));
        }
    }

    [Test]
    public void An_upper_layer_replaces_by_folded_name_and_keeps_its_own_spelling() => Assert.That(
        Paths(new LayerBuilder().Directory("Files").File("Files/Name", "1"), new LayerBuilder().Directory("FILES").File("FILES/NAME", "2")),
        Is.EqualTo(new[] { "FILES", @"FILES\NAME" }));

    [Test]
    public void Whiteouts_reach_lower_layers_only_whatever_their_order()
    {
        LayerBuilder lower = new LayerBuilder().Directory("d").File("d/old", "").File("F", "");
        LayerBuilder after = new LayerBuilder().Directory("d").File("d/new", "").Whiteout("d").Whiteout("f").Whiteout("absent/x");
        LayerBuilder before = new LayerBuilder().Whiteout("d").Whiteout("f").Directory("d").File("d/new", "");

        using (Assert.EnterMultipleScope())
        {
            Assert.That(Paths(lower, after), Is.EqualTo(new[] { "d", @"d\new" }));
            Assert.That(Paths(lower, before), Is.EqualTo(new[] { "d", @"d\new" }));
            Assert.That(Paths(new LayerBuilder().File("a", "").Whiteout("a")), Is.EqualTo(new[] { "a" }));
        }
    }

    [Test]
    public void A_directory_hidden_and_implied_anew_loses_its_metadata()
    {
        LayerBuilder lower = new LayerBuilder().Directory("d", new EntryOptions { Attributes = FileAttributes.Hidden });

        Assert.That(Entries(lower, new LayerBuilder().Whiteout("d").File("d/f", ""))[0].Attributes, Is.EqualTo(0x10u));
    }

    [Test]
    public void An_opaque_directory_hides_what_is_below_it_and_keeps_itself()
    {
        LayerBuilder lower = new LayerBuilder().Directory("d", new EntryOptions { Attributes = FileAttributes.Hidden }).File("d/old", "").File("d/s/x", "").File("e", "");

        IReadOnlyList<OracleEntry> entries = Entries(lower, new LayerBuilder().File("d/new", "").OpaqueWhiteout("D"));

        Assert.That(entries.Select(e => (e.Path, e.Attributes)), Is.EqualTo(new[] { ("d", 0x12u), (@"d\new", 0x20u), ("e", 0x20u) }));
    }

    [Test]
    public void Links_are_resolved_after_everything_else_in_tar_order()
    {
        LayerBuilder layer = new LayerBuilder().HardLink("early", "late").HardLink("second", "early").File("late", "x").File("other", "x");

        Assert.That(Groups(layer), Is.EqualTo("early+late+second other"));
    }

    [Test]
    public void A_link_finds_the_file_below_even_if_hidden_and_keeps_it()
    {
        LayerBuilder lower = new LayerBuilder().File("t", "old").AlternateStream("t", "s", [1]);
        LayerBuilder linking = new LayerBuilder().Whiteout("t").HardLink("l", "T");
        LayerBuilder replacing = new LayerBuilder().File("t", "newer");

        using (Assert.EnterMultipleScope())
        {
            Assert.That(Groups(lower, new LayerBuilder().HardLink("l", "t")), Is.EqualTo("l+t"));
            Assert.That(Groups(lower, linking), Is.EqualTo("l"));
            Assert.That(Groups(lower, linking, replacing), Is.EqualTo("l t"));
            Assert.That(Entries(lower, linking, replacing).Select(e => (e.Size, e.Streams.Count)), Is.EqualTo(new[] { (3L, 1), (5L, 0) }));
            Assert.That(Groups(lower, new LayerBuilder().File("t", "newer").HardLink("l", "t")), Is.EqualTo("l+t"));
        }
    }

    [Test]
    public void A_later_entry_takes_a_links_name() =>
        Assert.That(Groups(new LayerBuilder().File("t", "1").HardLink("l", "t").File("L", "2")), Is.EqualTo("L t"));

    [Test]
    public void A_link_to_nothing_or_to_a_directory_is_an_error()
    {
        using (Assert.EnterMultipleScope())
        {
            Assert.That(() => Entries(new LayerBuilder().HardLink("l", "nowhere")), Throws.TypeOf<OracleException>());
            Assert.That(() => Entries(new LayerBuilder().Directory("d").HardLink("l", "d")), Throws.TypeOf<OracleException>());
            Assert.That(() => Entries(new LayerBuilder().Directory("d"), new LayerBuilder().HardLink("l", "d")), Throws.TypeOf<OracleException>());
        }
    }

    [TestCase(true)]
    [TestCase(false)]
    public void Alternate_streams_belong_to_their_file(bool suffix)
    {
        OracleEntry entry = Entries(new LayerBuilder().File("f", "main")
            .AlternateStream("f", "b", [1, 2, 3], suffix).AlternateStream("f", "A", [9], suffix).AlternateStream("F", "B", [1, 2], suffix)).Single();

        Assert.That(
            (entry.Size, string.Join(' ', entry.Streams.Select(stream => $"{stream.Name}={stream.Size}"))),
            Is.EqualTo((4L, "A=1 B=2")));
    }

    [TestCase("f:s:$INDEX_ALLOCATION")]
    [TestCase("f:s:$DATA:x")]
    [TestCase("f::$DATA")]
    [TestCase("g:s")]
    public void Other_stream_names_are_errors(string name) =>
        Assert.That(() => Entries(new LayerBuilder().File("f", "").File(name, "")), Throws.TypeOf<OracleException>());

    [Test]
    public void A_base_layer_gets_hive_links_and_layout()
    {
        IReadOnlyList<OracleEntry> entries = TarOracle.Apply(new LayerBuilder().BaseHives().Directory("hives", Hidden).ToArray());

        using (Assert.EnterMultipleScope())
        {
            Assert.That(Text(entries), Does.EndWith(
                @"CONFIG\DEFAULT+DEFAULTUSER_BASE CONFIG\SAM+SAM_BASE CONFIG\SECURITY+SECURITY_BASE CONFIG\SOFTWARE+SOFTWARE_BASE CONFIG\SYSTEM+SYSTEM_BASE Hives layout"
                    .Replace(@"CONFIG\", @"Files\Windows\System32\config\", StringComparison.Ordinal)
                    .Replace("+", @"+Hives\", StringComparison.Ordinal)));
            OracleEntry hives = entries.Single(entry => entry.Path == "Hives");
            Assert.That((hives.Attributes, hives.LastWriteTime), Is.EqualTo((0x10u, 0L)));
            OracleEntry layout = entries[^1];
            Assert.That((layout.Attributes, layout.Size, layout.CreationTime), Is.EqualTo((0x80u, 15L, 0L)));
        }
    }

    [Test]
    public void A_base_layer_without_hives_is_an_error_that_names_them() => Assert.That(
        () => TarOracle.Apply(new LayerBuilder().File("Files/Windows/System32/config/SAM", "").ToArray()),
        Throws.TypeOf<OracleException>().With.Message.Contains("SYSTEM, SOFTWARE, SECURITY, DEFAULT"));

    [Test]
    public void Child_layers_keep_deltas_and_get_the_merged_hives_they_are_given()
    {
        TarOracle oracle = new() { MergedHives = (layer, hive) => layer == 1 && hive == "SAM" ? [1, 2, 3] : null };
        oracle.Add(new LayerBuilder().BaseHives().ToArray()).Add(new LayerBuilder().Directory("Hives").DeltaHives().ToArray());

        Dictionary<string, OracleEntry> entries = oracle.Entries().ToDictionary(entry => entry.Path, StringComparer.Ordinal);

        using (Assert.EnterMultipleScope())
        {
            Assert.That(entries[@"Hives\SAM_BASE"].Size, Is.EqualTo(3));
            Assert.That(entries[@"Hives\SAM_BASE"].LinkGroup, Is.Not.EqualTo(entries[@"Files\Windows\System32\config\SAM"].LinkGroup));
            Assert.That(entries[@"Hives\SYSTEM_BASE"].LinkGroup, Is.EqualTo(entries[@"Files\Windows\System32\config\SYSTEM"].LinkGroup));
            Assert.That(entries[@"Hives\SAM_DELTA"].Attributes, Is.EqualTo(0x20u));
        }
    }

    [Test]
    public void Links_and_streams_may_not_take_a_standard_files_name()
    {
        LayerBuilder withStream = new LayerBuilder().BaseHives().AlternateStream("Files/Windows/System32/config/SAM", "s", [1]);
        LayerBuilder withLink = new LayerBuilder().BaseHives().File("a", "").HardLink("utilityvm/files/efi/microsoft/boot/bcd", "a");

        using (Assert.EnterMultipleScope())
        {
            Assert.That(() => TarOracle.Apply(withStream.ToArray()), Throws.TypeOf<OracleException>());
            Assert.That(() => TarOracle.Apply(withLink.ToArray()), Throws.TypeOf<OracleException>());
        }
    }

    private static IEnumerable<string> Paths(params LayerBuilder[] layers) => Entries(layers).Select(entry => entry.Path);

    private static string Groups(params LayerBuilder[] layers) => Text(Entries(layers));

    private static string Text(IReadOnlyList<OracleEntry> entries) =>
        string.Join(' ', entries.GroupBy(entry => entry.LinkGroup).Select(group => string.Join('+', group.Select(entry => entry.Path))));
}
