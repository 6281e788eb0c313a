namespace CimConvert.Formats.Regf;

/// <summary>
/// Lays differencing hives over a base, nearest to the base first. The result is an ordinary hive: no tombstones, no layer
/// bits. What each layer's semantics does, and what is decided where the sources are silent: FORMAT.md, "Merging".
/// </summary>
/// <remarks>Subtrees that no delta touches are shared with the base, so memory and time go with the deltas.</remarks>
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
