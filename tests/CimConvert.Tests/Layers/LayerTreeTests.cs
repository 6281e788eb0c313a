using CimConvert.Cims;
using CimConvert.Formats.Cim;
using CimConvert.Formats.Windows;
using CimConvert.Layers;
using NUnit.Framework;

namespace CimConvert.Tests.Layers;

/// <summary>What CimFS' writer is told, as it keeps no tree of its own: parents first, names deleted before they come again, whiteouts once.</summary>
internal sealed class LayerTreeTests
{
    [Test]
    public void A_writer_that_keeps_a_tree_gets_the_entries_alone() => Assert.That(
        Calls(NameHandling.KeepsTree, layer => layer.File(@"a\b\f").File(@"a\b\f").Remove("g").File("g").Remove("g")),
        Is.EqualTo(new[] { @"file a\b\f", @"file a\b\f", "gone g", "file g", "gone g" }));

    [Test]
    public void Missing_directories_come_first_outermost_first_and_once() => Assert.That(
        Calls(NameHandling.Block, layer => layer.File(@"a\b\f").File(@"A\B\g").Link(@"a\c\h", @"a\b\f")),
        Is.EqualTo(new[] { "file a", @"file a\b", @"file a\b\f", @"file A\B\g", @"file a\c", @"hard a\c\h a\b\f" }));

    [Test]
    public void A_directory_that_came_itself_is_not_made_again() => Assert.That(
        Calls(NameHandling.Block, layer => layer.Directory("a").File(@"a\f").Directory("A")),
        Is.EqualTo(new[] { "file a", @"file a\f", "file A" }));

    [Test]
    public void A_name_that_comes_again_is_deleted_first() => Assert.That(
        Calls(NameHandling.Block, layer => layer.File("f").File("F").Link("F", "g")),
        Is.EqualTo(new[] { "file f", "delete F", "file F", "delete F", "hard F g" }));

    [Test]
    public void What_is_removed_and_comes_again_replaces_the_tombstone() => Assert.That(
        Calls(NameHandling.Block, layer => layer.Remove("f").Remove("f").File("f").Remove("f")),
        Is.EqualTo(new[] { "gone f", "delete f", "file f" }));

    [Test]
    public void Nothing_is_removed_below_what_is_removed() => Assert.That(
        Calls(NameHandling.Block, layer => layer.Remove(@"a\b").Remove(@"a\b\c").Remove("a")),
        Is.EqualTo(new[] { @"gone a\b", "gone a" }));

    [Test]
    public void No_directory_can_hide_what_lower_layers_have_in_it()
    {
        const string why = "is to hide what lower layers have in it";
        Assert.That(() => Calls(NameHandling.Block, layer => layer.Remove("a").Directory("a")), Refused("'a' " + why));
        Assert.That(() => Calls(NameHandling.Block, layer => layer.Remove("a").File(@"a\f")), Refused("'a' " + why));
        Assert.That(() => Calls(NameHandling.Block, layer => layer.Directory("a").Remove("a")), Refused("'a' " + why));
        Assert.That(() => Calls(NameHandling.Forked, layer => layer.File(@"a\f").Remove("a")), Refused("'a' " + why));
    }

    [Test]
    public void The_parent_of_a_forked_CIM_has_the_directories_that_the_layer_did_not_remove() => Assert.That(
        Calls(NameHandling.Forked, layer => layer.File(@"a\b\f").Remove("c").File(@"c\d\g")),
        Is.EqualTo(new[] { @"file a\b\f", "gone c", "file c", @"file c\d\g" }));

    [Test]
    public void What_is_removed_from_a_forked_CIM_is_gone_for_good() => Assert.That(
        Calls(NameHandling.Forked, layer => layer.Remove("f").File("f").File("F").Remove("d").Directory("d").Remove(@"e\f").Remove("e")),
        Is.EqualTo(new[] { "gone f", "file f", "delete F", "file F", "gone d", "file d", @"gone e\f", "gone e" }));

    [TestCase(NameHandling.KeepsTree)]
    [TestCase(NameHandling.Block)]
    [TestCase(NameHandling.Forked)]
    public void A_directory_and_something_else_do_not_replace_each_other(NameHandling names)
    {
        Assert.That(() => Calls(names, layer => layer.Directory("a").File("a")), Refused("the layer has a directory by that name"));
        Assert.That(() => Calls(names, layer => layer.File("a").Directory("a")), Refused("a directory where the layer has something else by that name"));
        Assert.That(() => Calls(names, layer => layer.File("a").File(@"a\f")), Refused("it lies below 'a', which is not a directory"));
        Assert.That(() => Calls(names, layer => layer.Remove("")), Refused("the root cannot be removed"));
    }

    private static NUnit.Framework.Constraints.ContainsConstraint Refused(string why) => Throws.TypeOf<InvalidDataException>().With.Message.Contains(why);

    private static string[] Calls(NameHandling names, Action<Layer> write)
    {
        using var cim = new RecordingCimWriter { Names = names };
        write(new Layer(cim));
        return LayerImportHarness.Summaries(cim).Select(line => line.EndsWith(" 0", StringComparison.Ordinal) ? line[..^2] : line).ToArray();
    }

    /// <summary>Claims each name as <see cref="CimLayerWriter"/> does, and makes it in the CIM.</summary>
    private sealed class Layer
    {
        private readonly LayerTree _tree = new(new InputLimits());
        private readonly RecordingCimWriter _writer;
        private readonly LayerCim _cim;

        public Layer(RecordingCimWriter writer) => (_writer, _cim) = (writer, new LayerCim(_tree, writer));

        public Layer File(string path) => Add(path, Win32Attributes.Normal);

        public Layer Directory(string path) => Add(path, Win32Attributes.Directory);

        public Layer Link(string path, string target)
        {
            Claim(path, isDirectory: false);
            _cim.CreateHardLink(CimPath.Parse(path), CimPath.Parse(target));
            return this;
        }

        public Layer Remove(string path)
        {
            _cim.Remove(path.Length == 0 ? CimPath.Root : CimPath.Parse(path));
            return this;
        }

        private Layer Add(string path, uint attributes)
        {
            Claim(path, attributes == Win32Attributes.Directory);
            _cim.CreateFile(CimPath.Parse(path), EntryMetadata.Made(attributes, 0));
            _writer.CloseStream();
            return this;
        }

        private void Claim(string path, bool isDirectory) =>
            _tree.Claim(CimPath.Parse(path), isDirectory, isLinkable: !isDirectory, isInCim: true, LayerTree.NothingPending);
    }
}
