using System.Collections.Immutable;
using System.Text;
using CimConvert.Formats.Regf;
using CimConvert.TestKit.Hives;
using FsCheck;
using FsCheck.Fluent;
using NUnit.Framework;

namespace CimConvert.Tests.Formats.Regf;

/// <summary>Random trees and random deltas, merged by us and by a model of a few lines over dictionaries.</summary>
[Category(Categories.Slow)]
internal sealed class HiveMergePropertyTests
{
    private const int Tests = 500;
    private const int Levels = 4;
    private const int MostDeltas = 3;
    private const ulong Seed = 4;
    private const ulong Gamma = 4_004_001;

    private static readonly string[] Names = ["a", "A", "b", "ä", "Ä", "_", "日"];
    private static readonly string[] Classes = ["", "x", "y"];

    [Test]
    public void The_merge_equals_the_model()
    {
        var chains = Keys(Levels).ListOf().Select(chain => chain.Take(MostDeltas + 1).ToArray()).Where(chain => chain.Length > 0);
        var property = Prop.ForAll(chains.ToArbitrary(), chain =>
        {
            Hive[] hives = [.. chain.Select(HiveFiles.Read)];
            var merged = HiveMerge.Merge(hives[0], hives.AsSpan(1));
            var expected = chain.Aggregate((Node?)null, (below, above) => Merge(below, above) ?? Node.Empty)!;
            Assert.That(Describe(merged.Root), Is.EqualTo(expected.Describe()));
            Assert.That(Describe(HiveReader.Read(HiveFiles.Write(merged)).Root), Is.EqualTo(expected.Describe()), "as written");
        });
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(Tests).WithReplay(Seed, Gamma), property);
    }

    /// <summary>The model: null for a key that is gone.</summary>
    private static Node? Merge(Node? below, KeySpec above)
    {
        var semantics = above.Layer & 3;
        var keys = below is null || semantics == 3 ? Node.Empty.Keys : below.Keys;
        var values = below is null || semantics >= 2 ? Node.Empty.Values : below.Values;
        values = above.Values.Aggregate(values, (all, v) => v.IsTombstone ? all.Remove(Up(v.Name)) : all.SetItem(Up(v.Name), v.Data[0]));
        keys = above.Subkeys.Aggregate(keys, (all, key) =>
            Merge(all.GetValueOrDefault(Up(key.Name)), key) is { } merged ? all.SetItem(Up(key.Name), merged) : all.Remove(Up(key.Name)));
        var inherits = above.Layer >= 0x80 && semantics == 0 && below is not null;
        return semantics == 1 ? null : new Node(keys, values, inherits ? below!.ClassName : above.ClassName);
    }

    private static string Up(string name) => name.ToUpperInvariant();

    private static string Describe(HiveKey key) =>
        $"{Encoding.Unicode.GetString(key.ClassName.Span)}"
        + $"[{string.Join(' ', key.Values.OrderBy(v => Up(v.Name), StringComparer.Ordinal).Select(v => $"{Up(v.Name)}={v.Data.Span[0]}"))}]"
        + $"{{{string.Join(' ', key.Subkeys.Select(subkey => Up(subkey.Name) + Describe(subkey)))}}}";

    private static Gen<KeySpec> Keys(int levels) =>
        from name in Gen.Elements(Names)
        from semantics in Gen.Frequency((5, Gen.Constant(0)), (1, Gen.Constant(1)), (1, Gen.Constant(2)), (1, Gen.Constant(3)))
        from inherits in Gen.Elements(0, 0x80)
        from className in Gen.Elements(Classes)
        from values in Values().ListOf()
        from subkeys in levels == 0 ? Gen.Constant(new List<KeySpec>()) : Keys(levels - 1).ListOf().Select(list => list.Take(4).ToList())
        select new KeySpec(name)
        {
            Layer = (byte)(semantics | inherits),
            ClassName = className,
            Values = [.. values.DistinctBy(value => Up(value.Name), StringComparer.Ordinal)],
            Subkeys = [.. subkeys.DistinctBy(key => Up(key.Name), StringComparer.Ordinal)],
        };

    private static Gen<ValueSpec> Values() =>
        from name in Gen.Elements(Names)
        from tombstone in Gen.Frequency((3, Gen.Constant(false)), (1, Gen.Constant(true)))
        from data in Gen.Choose(0, 9)
        select tombstone ? ValueSpec.Tombstone(name) : new ValueSpec(name, 3, [(byte)data]);

    private sealed record Node(
        ImmutableSortedDictionary<string, Node> Keys,
        ImmutableSortedDictionary<string, byte> Values,
        string ClassName)
    {
        public static readonly Node Empty = new(
            ImmutableSortedDictionary.Create<string, Node>(StringComparer.Ordinal),
            ImmutableSortedDictionary.Create<string, byte>(StringComparer.Ordinal),
            string.Empty);

        public string Describe() =>
            $"{ClassName}[{string.Join(' ', Values.Select(v => $"{v.Key}={v.Value}"))}]"
            + $"{{{string.Join(' ', Keys.Select(k => k.Key + k.Value.Describe()))}}}";
    }
}
