namespace Converter.Formats.Cim;

/// <summary>An entry of one of the sources of a merge; sources are numbered from the topmost.</summary>
internal readonly record struct SourceEntry(int Source, CimEntry Entry);

/// <summary>
/// One name as the sources have it, offered topmost first: what is visible of it. A tombstone ends it; a file hides all below,
/// and is hidden by a directory above it; directories unite until one is opaque.
/// </summary>
internal sealed class MergedName(string name)
{
    /// <summary>Made only for directories: most names are files.</summary>
    private List<SourceEntry>? _directories;
    private bool _closed;

    /// <summary>As the source that describes the entry spells it.</summary>
    public string Name { get; private set; } = name;

    /// <summary>A file or link; null for a directory and for nothing.</summary>
    public SourceEntry? Leaf { get; private set; }

    /// <summary>The directories that unite here, topmost first.</summary>
    public IReadOnlyList<SourceEntry> Directories => _directories ?? [];

    /// <summary>The directory whose metadata stands: the topmost that its layer described.</summary>
    public SourceEntry Describing
    {
        get
        {
            var described = _directories!.FindIndex(d => !d.Entry.Has(CimFileFlags.Implicit));
            return _directories[Math.Max(described, 0)];
        }
    }

    public void Offer(string name, SourceEntry candidate)
    {
        if (_closed)
        {
            return;
        }

        var entry = candidate.Entry;
        if (entry.Has(CimFileFlags.Tombstone))
        {
            _closed = true;
        }
        else if (entry.IsPlainDirectory)
        {
            _directories ??= [];
            if (!entry.Has(CimFileFlags.Implicit) && _directories.TrueForAll(d => d.Entry.Has(CimFileFlags.Implicit)))
            {
                Name = name;
            }

            _directories.Add(candidate);
            _closed = entry.Has(CimFileFlags.Opaque);
        }
        else
        {
            Leaf = _directories is null ? candidate : null;
            _closed = true;
        }
    }
}

/// <summary>Looks up paths in a chain of layers as it is seen from one of them, and follows merge links.</summary>
internal sealed class MergedView(IReadOnlyList<CimReader> sources)
{
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
                throw new InvalidDataException($"link '{linkPath}': following its target '{target}' leads back to it");
            }

            at = Find(at.Source, target)
                ?? throw new InvalidDataException($"link '{linkPath}': its target '{target}' is in no layer");
            if (at.Entry.IsDirectory)
            {
                throw new InvalidDataException($"link '{linkPath}': its target '{target}' is a directory");
            }
        }

        return at;
    }

    /// <summary>
    /// A layer's link means a file of that layer, else one as the layers below showed it before this layer was put on them:
    /// what the layer itself removes, and what layers above do, is not looked at.
    /// </summary>
    private SourceEntry? Find(int layer, CimPath path) =>
        sources[layer].Find(path) is { } own && !own.Has(CimFileFlags.Tombstone) ? new SourceEntry(layer, own) : FindBelow(layer + 1, path);

    private SourceEntry? FindBelow(int topmost, CimPath path)
    {
        var directories = new List<SourceEntry>();
        for (var source = topmost; source < sources.Count; source++)
        {
            directories.Add(new SourceEntry(source, sources[source].Root));
        }

        var names = path.Value.Split(CimPath.Separator);
        for (var i = 0; i < names.Length; i++)
        {
            var merged = new MergedName(names[i]);
            foreach (var directory in directories)
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

            if (merged.Directories.Count == 0)
            {
                return null;
            }

            directories = [.. merged.Directories];
        }

        return directories.Count > 0 ? directories[0] : null;
    }
}
