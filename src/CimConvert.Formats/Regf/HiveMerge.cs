namespace CimConvert.Formats.Regf;

/// <summary>
/// Merges differencing hives into a base hive, the one nearest to the base first. The result is an ordinary hive without
/// tombstones and layer bits. FORMAT.md, "Merging", has the rules, and the decisions where the sources are silent.
/// </summary>
/// <remarks>Unchanged subtrees are shared with the base, so memory and time depend on the size of the deltas.</remarks>
internal static class HiveMerge
{
    public static Hive Merge(Hive baseHive, params ReadOnlySpan<Hive> deltas)
    {
        ArgumentNullException.ThrowIfNull(baseHive);
        var root = LayerMarks.InTree(baseHive.Root) ? KeyMerger.Merge(below: null, baseHive.Root) : baseHive.Root;
        var lastWritten = baseHive.LastWritten;
        foreach (var delta in deltas)
        {
            root = KeyMerger.Merge(root, delta.Root);
            lastWritten = Math.Max(lastWritten, delta.LastWritten);
        }

        return new Hive(root) { LastWritten = lastWritten, FileName = baseHive.FileName };
    }
}
