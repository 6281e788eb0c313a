namespace CimConvert.Formats.Cim;

/// <summary>An entry of one of the sources of a merge; source 0 is the topmost.</summary>
internal readonly record struct SourceEntry(int Source, CimEntry Entry);

/// <summary>Looks up paths in a chain of layers, from one layer down, and follows merge links.</summary>
internal sealed class MergedView(IReadOnlyList<CimReader> sources)
{
    private readonly ImplicitDirectories _implicitDirectories = new(sources);

    public MergedName NewName() => new(_implicitDirectories);

    /// <summary>The root of the chain from source <paramref name="topmost"/> down.</summary>
    public MergedName Roots(int topmost)
    {
        var root = NewName();
        for (var source = topmost; source < sources.Count; source++)
        {
            root.Offer(string.Empty, new SourceEntry(source, sources[source].Root));
        }

        return root;
    }

    /// <summary>The file that a merge link refers to: never a link, never a directory.</summary>
    /// <exception cref="InvalidDataException">The target does not exist, is a directory, or leads back to the link.</exception>
    public SourceEntry Follow(SourceEntry link, CimPath linkPath)
    {
        var seen = new HashSet<SourceEntry>();
        var entry = link;
        while (entry.Entry.Has(CimFileFlags.MergeLink))
        {
            var target = sources[entry.Source].MergeLinkTarget(entry.Entry);
            if (!seen.Add(entry))
            {
                throw Bad(link, $"link '{linkPath}': following its target '{target}' leads back to it");
            }

            entry = Find(entry.Source, target)
                ?? throw Bad(link, $"link '{linkPath}': its target '{target}' is in no layer");
            if (entry.Entry.IsDirectory)
            {
                throw Bad(link, $"link '{linkPath}': its target '{target}' is a directory");
            }
        }

        return entry;
    }

    private static InvalidDataException Bad(SourceEntry link, string problem) => new(problem) { Data = { [CimMerge.SourceKey] = link.Source } };

    /// <summary>
    /// A link's target is a file of the link's own layer, else one of the layers below it. Removals in the link's own layer and
    /// changes in layers above do not affect it.
    /// </summary>
    private SourceEntry? Find(int layer, CimPath path) =>
        sources[layer].Find(path) is { } own && !own.Has(CimFileFlags.Tombstone) ? new SourceEntry(layer, own) : FindBelow(layer + 1, path);

    private SourceEntry? FindBelow(int topmost, CimPath path)
    {
        var parent = Roots(topmost);
        var names = path.Value.Split(CimPath.Separator);
        for (var i = 0; i < names.Length; i++)
        {
            var merged = NewName();
            foreach (var directory in parent.Directories)
            {
                if (sources[directory.Source].FindChild(directory.Entry, names[i]) is { } child)
                {
                    merged.Offer(names[i], new SourceEntry(directory.Source, child));
                }
            }

            if (merged.Leaf is { } leaf)
            {
                return i == names.Length - 1 ? leaf : null;
            }

            if (!merged.IsDirectory)
            {
                return null;
            }

            parent = merged;
        }

        return parent.MetadataSource;
    }
}
