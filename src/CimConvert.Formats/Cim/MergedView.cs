namespace CimConvert.Formats.Cim;

/// <summary>An entry of one of the sources of a merge; sources are numbered from the topmost.</summary>
internal readonly record struct SourceEntry(int Source, CimEntry Entry);

/// <summary>Looks up paths in a chain of layers as it is seen from one of them, and follows merge links.</summary>
internal sealed class MergedView(IReadOnlyList<CimReader> sources)
{
    private readonly ImplicitDirectories _implicitDirectories = new(sources);

    public MergedName NewName() => new(_implicitDirectories);

    /// <summary>The roots of a source and all below it, as one directory.</summary>
    public MergedName Roots(int topmost)
    {
        var root = NewName();
        for (var source = topmost; source < sources.Count; source++)
        {
            root.Offer(string.Empty, new SourceEntry(source, sources[source].Root));
        }

        return root;
    }

    /// <summary>The file a merge link means: never a link itself, never a directory.</summary>
    /// <exception cref="InvalidDataException">The target is nowhere, a directory, or the link itself over others.</exception>
    public SourceEntry Follow(SourceEntry link, CimPath linkPath)
    {
        var seen = new HashSet<SourceEntry>();
        var at = link;
        while (at.Entry.Has(CimFileFlags.MergeLink))
        {
            var target = sources[at.Source].MergeLinkTarget(at.Entry);
            if (!seen.Add(at))
            {
                throw Bad(link, $"link '{linkPath}': following its target '{target}' leads back to it");
            }

            at = Find(at.Source, target)
                ?? throw Bad(link, $"link '{linkPath}': its target '{target}' is in no layer");
            if (at.Entry.IsDirectory)
            {
                throw Bad(link, $"link '{linkPath}': its target '{target}' is a directory");
            }
        }

        return at;
    }

    private static InvalidDataException Bad(SourceEntry link, string what) => new(what) { Data = { [CimMerge.SourceKey] = link.Source } };

    /// <summary>
    /// A layer's link means a file of that layer, else one as the layers below showed it before this layer was put on them:
    /// what the layer itself removes, and what layers above do, is not looked at.
    /// </summary>
    private SourceEntry? Find(int layer, CimPath path) =>
        sources[layer].Find(path) is { } own && !own.Has(CimFileFlags.Tombstone) ? new SourceEntry(layer, own) : FindBelow(layer + 1, path);

    private SourceEntry? FindBelow(int topmost, CimPath path)
    {
        var at = Roots(topmost);
        var names = path.Value.Split(CimPath.Separator);
        for (var i = 0; i < names.Length; i++)
        {
            var merged = NewName();
            foreach (var directory in at.Directories)
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

            at = merged;
        }

        return at.Describing;
    }
}
