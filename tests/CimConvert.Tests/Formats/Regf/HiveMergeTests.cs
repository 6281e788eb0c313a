using CimConvert.Formats.Regf;
using CimConvert.TestKit.Hives;
using NUnit.Framework;

namespace CimConvert.Tests.Formats.Regf;

/// <summary>Merges worked out by hand from the description of layered keys; trees are written as <see cref="KeyNotation"/> says.</summary>
internal sealed class HiveMergeTests
{
    // Merge.
    [TestCase("r{v=1 w=2}", "r{w=3 x=4}", "r{v=1 w=3 x=4}", TestName = "Merge at the root")]
    [TestCase("r{m{v=1 l{y=1}}}", "r{m{v=2}}", "r{m{v=2 l{y=1}}}", TestName = "Merge in the middle")]
    [TestCase("r{m{l{v=1}} n}", "r{m{l{w=2}}}", "r{m{l{v=1 w=2}} n}", TestName = "Merge at a leaf")]
    [TestCase("r{b}", "r{a{v=1} c{d}}", "r{a{v=1} b c{d}}", TestName = "New keys among old ones")]
    [TestCase("r{a{v=1}}", "r", "r{a{v=1}}", TestName = "An empty delta")]
    [TestCase("r", "r{a{v=1}}", "r{a{v=1}}", TestName = "An empty base")]

    // Tombstones.
    [TestCase("r@S#1{v=1 a{w=2}}", "!r@T#2", "r@T#2", TestName = "Tombstone at the root")]
    [TestCase("r{m{v=1 l{w=2}} n}", "r{!m}", "r{n}", TestName = "Tombstone in the middle")]
    [TestCase("r{m{v=1 l{w=2}}}", "r{m{!l}}", "r{m{v=1}}", TestName = "Tombstone at a leaf")]
    [TestCase("r{a}", "r{!b}", "r{a}", TestName = "Tombstone of what is not there")]
    [TestCase("r{a}", "r{b{!c d}}", "r{a b{d}}", TestName = "Tombstone in a new key")]
    [TestCase("r{m{a b}}", "r{!m{v=1 c}}", "r", TestName = "Tombstone with contents it should not have")]

    // Supersede local.
    [TestCase("r:c{v=1 a{w=2}}", "~r:d{x=3}", "r:d{x=3 a{w=2}}", TestName = "Supersede local at the root")]
    [TestCase("r{m:c{v=1 l{w=2}}}", "r{~m{x=3 l{y=4}}}", "r{m{x=3 l{w=2 y=4}}}", TestName = "Supersede local in the middle")]
    [TestCase("r{m{l:c{v=1}}}", "r{m{~l}}", "r{m{l}}", TestName = "Supersede local at a leaf")]
    [TestCase("r", "r{~a{v=1 -w ~b}}", "r{a{v=1 b}}", TestName = "Supersede local of what is not there")]
    [TestCase("r{m{v=1 a b}}", "r{~m{-v !a}}", "r{m{b}}", TestName = "Tombstones under a key superseded locally")]

    // Supersede tree.
    [TestCase("r:c{v=1 a{w=2}}", "^r{x=3 ^b}", "r{x=3 b}", TestName = "Supersede tree at the root")]
    [TestCase("r{m{v=1 l{w=2} k}}", "r{^m{^l{x=3}}}", "r{m{l{x=3}}}", TestName = "Supersede tree in the middle")]
    [TestCase("r{m{l:c{v=1}}}", "r{m{^l}}", "r{m{l}}", TestName = "Supersede tree at a leaf")]
    [TestCase("r{m{a{v=1} b{w=2}}}", "r{^m{!a ^b{-w x=3}}}", "r{m{b{x=3}}}", TestName = "Tombstones under a superseded tree")]
    [TestCase("r{m{a{v=1 b{w=1}}}}", "r{^m{a{x=3}}}", "r{m{a{x=3}}}", TestName = "A merging key under a superseded tree")]

    // Values.
    [TestCase("r{v=1 w=2 x=3}", "r{-w}", "r{v=1 x=3}", TestName = "A tombstone value")]
    [TestCase("r{v=1}", "r{-w}", "r{v=1}", TestName = "A tombstone value of what is not there")]
    [TestCase("r{.=1}", "r{-.}", "r", TestName = "A tombstone of the default value")]
    [TestCase("r{.=1 v=1}", "r{.=2}", "r{.=2 v=1}", TestName = "The default value")]
    [TestCase("r{a{v=1}}", "r{a{-v b}}", "r{a{b}}", TestName = "A tombstone value beside a new key")]
    [TestCase("r{z=1 a=2}", "r{m=3 a=4 b=5}", "r{z=1 a=4 m=3 b=5}", TestName = "Values keep their places, new ones follow")]

    // Class.
    [TestCase("r{a:old}", "r{a:new}", "r{a:new}", TestName = "The delta's class wins")]
    [TestCase("r{a:old}", "r{a}", "r{a}", TestName = "The delta's class wins when it has none")]
    [TestCase("r{a:old}", "r{*a}", "r{a:old}", TestName = "An inherited class")]
    [TestCase("r:old", "*r{v=1}", "r:old{v=1}", TestName = "An inherited class at the root")]
    [TestCase("r{a}", "r{*a:own}", "r{a}", TestName = "An inherited class where there is none")]
    [TestCase("r", "r{*a:own}", "r{a:own}", TestName = "Nothing to inherit a class from")]
    [TestCase("r{a:old}", "r{*~a:own}", "r{a:own}", TestName = "A key superseded locally inherits nothing")]
    [TestCase("r{a:old}", "r{*^a}", "r{a}", TestName = "A superseded tree inherits nothing")]

    // Security and times.
    [TestCase("r@S{a@S}", "r@S{a@T}", "r@S{a@T}", TestName = "Security of a changed key")]
    [TestCase("r@S{a@S}", "r@S{b@T{c@U}}", "r@S{a@S b@T{c@U}}", TestName = "Security of new keys")]
    [TestCase("r@S{a@S{b@S}}", "r@T{~a@T}", "r@T{a@T{b@S}}", TestName = "Security of keys passed through and superseded")]
    [TestCase("r@S{a@S}", "r{a}", "r@S{a@S}", TestName = "Security stays where the delta has none")]
    [TestCase("r#5{a#5 b#5}", "r#3{a#9}", "r#3{a#9 b#5}", TestName = "Times are the delta's where it has the key")]

    // Case.
    [TestCase("r{Key{Val=1}}", "r{KEY{vAL=2}}", "r{Key{vAL=2}}", TestName = "Names that differ in case")]
    [TestCase("r{Äb}", "r{äB{v=1}}", "r{Äb{v=1}}", TestName = "Names beyond ASCII that differ in case")]
    [TestCase("r{Key{Val=1}}", "r{!kEY}", "r", TestName = "A tombstone that differs in case")]
    [TestCase("r{Val=1}", "r{-vAL}", "r", TestName = "A tombstone value that differs in case")]
    [TestCase("r{a _ b}", "r{B{v=1} ^c}", "r{a b{v=1} c _}", TestName = "Sorted by upcased name")]
    [TestCase("Base{a}", "Delta{b}", "Base{a b}", TestName = "The root keeps its name")]

    // Chains, nearest to the base first.
    [TestCase("r{v=1}", "r{v=2} | r{v=3}", "r{v=3}", TestName = "The last delta wins")]
    [TestCase("r{a{v=1}}", "r{!a} | r{a{w=2}}", "r{a{w=2}}", TestName = "Deleted and made again")]
    [TestCase("r{a{v=1}}", "r{a{-v}} | r{a{v=3}} | r{a{-v}}", "r{a}", TestName = "A value deleted, made and deleted again")]
    [TestCase("r{a:c}", "r{*a} | r{*a}", "r{a:c}", TestName = "A class inherited through the chain")]
    [TestCase("r{a{b{c}}}", "r{^a{^d}} | r{a{b}}", "r{a{b d}}", TestName = "A tree superseded, then merged with")]

    // A base with marks of its own.
    [TestCase("r{!a b{-v w=1} ~c:x ^d{!e}}", "r", "r{b{w=1} c:x d}", TestName = "A base that carries layer marks")]
    public void Merges(string below, string deltas, string expected)
    {
        var merged = HiveMerge.Merge(KeyNotation.Hive(below), [.. deltas.Split(" | ").Select(KeyNotation.Hive)]);
        Assert.That(KeyNotation.Of(merged.Root), Is.EqualTo(expected));
        Assert.That(KeyNotation.Of(HiveReader.Read(HiveFiles.Write(merged)).Root), Is.EqualTo(expected), "as written");
    }

    [Test]
    public void A_merged_hive_is_an_ordinary_one()
    {
        var merged = HiveMerge.Merge(KeyNotation.Hive("r{a{v=1}}"), KeyNotation.Hive("r{~a{-v} ^b}"));
        var again = HiveReader.Read(HiveFiles.Write(merged));
        Assert.That(again.MinorVersion, Is.EqualTo(5));
        Assert.That(HiveFiles.Write(again), Has.Length.EqualTo(HiveFiles.Write(merged).Length));
    }

    [Test]
    public void Flags_are_the_deltas_and_the_base_block_is_the_bases()
    {
        var below = new HiveBuilder(new KeySpec("r").With(new KeySpec("a") { Flags = 8, ControlFlags = 1, AccessBits = 1 }))
        {
            FileName = "base",
            LastWritten = 20,
        };
        var above = new HiveBuilder(new KeySpec("r").With(new KeySpec("a") { Flags = 0x10, ControlFlags = 2, AccessBits = 2 }))
        {
            FileName = "delta",
            LastWritten = 30,
        };
        var merged = HiveMerge.Merge(HiveReader.Read(below.Build()), HiveReader.Read(above.Build()));
        var key = merged.Root.Subkeys[0];
        Assert.That((key.Flags, key.ControlFlags, key.AccessBits), Is.EqualTo((HiveKeyFlags.SymbolicLink, 2, 2)));
        Assert.That((merged.FileName, merged.LastWritten), Is.EqualTo(("base", 30L)));
    }

    [Test]
    public void A_predefined_handle_hides_the_values_below()
    {
        var above = HiveFiles.Read(new KeySpec("r").With(new KeySpec("a") { Flags = (ushort)HiveKeyFlags.PredefinedHandle, ValueCount = 7 }));
        var key = HiveReader.Read(HiveFiles.Write(HiveMerge.Merge(KeyNotation.Hive("r{a{v=1}}"), above))).Root.Subkeys[0];
        Assert.That((key.PredefinedHandle, key.Values.Length), Is.EqualTo((7u, 0)));
    }

    [Test]
    public void What_no_delta_touches_is_shared()
    {
        var below = KeyNotation.Hive("r{a{v=1} b}");
        var merged = HiveMerge.Merge(below, KeyNotation.Hive("r{b{w=2}}"));
        Assert.That(merged.Root.Subkeys[0], Is.SameAs(below.Root.Subkeys[0]));
    }

    [Test]
    [Category(Categories.Slow)]
    public void Memory_is_a_small_multiple_of_the_hive()
    {
        const int factor = 3;
        var (below, above) = (SoftwareHive.Make(2, 8 << 20), SoftwareHive.MakeDelta(2, 8 << 20));
        var before = GC.GetAllocatedBytesForCurrentThread();
        HiveWriter.Write(HiveMerge.Merge(HiveReader.Read(below), HiveReader.Read(above)), Stream.Null);
        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.LessThan(factor * below.Length));
    }

    [Test]
    public void Inputs_stay_as_they_were()
    {
        var (below, above) = (KeyNotation.Hive("r{a{v=1 b}}"), KeyNotation.Hive("r{a{-v !b c}}"));
        var (before, over) = (HiveFiles.Dump(below), HiveFiles.Dump(above));
        HiveMerge.Merge(below, above);
        Assert.That((HiveFiles.Dump(below), HiveFiles.Dump(above)), Is.EqualTo((before, over)));
    }

    [Test]
    public void Values_of_one_name_twice_count_as_the_first()
    {
        var merged = HiveMerge.Merge(KeyNotation.Hive("r{v=1 V=2 w=3}"), KeyNotation.Hive("r{v=4 V=5}"));
        Assert.That(KeyNotation.Of(merged.Root), Is.EqualTo("r{v=4 w=3}"));
    }
}
