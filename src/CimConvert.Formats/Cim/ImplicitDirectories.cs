namespace CimConvert.Formats.Cim;

/// <summary>
/// Finds directories that a layer's CIM only has because something in them is removed from lower layers: they carry whiteouts,
/// and are no directories of the image by themselves.
/// </summary>
internal sealed class ImplicitDirectories(IReadOnlyList<CimReader> sources)
{
    private readonly Dictionary<(int Source, uint FileId), bool> _known = [];

    public bool Contains(SourceEntry directory)
    {
        if (!directory.Entry.Has(CimFileFlags.Implicit))
        {
            return false;
        }

        if (_known.TryGetValue((directory.Source, directory.Entry.FileId), out var known))
        {
            return known;
        }

        // Depth first, by hand: paths may have 16,000 components. An entry makes all directories above it real.
        var source = sources[directory.Source];
        var open = new Stack<(uint FileId, IEnumerator<(string Name, CimEntry Entry)> Children)>();
        open.Push((directory.Entry.FileId, source.Children(directory.Entry).GetEnumerator()));
        _known.Add((directory.Source, directory.Entry.FileId), true);
        while (open.TryPeek(out var at))
        {
            if (!at.Children.MoveNext())
            {
                open.Pop().Children.Dispose();
                continue;
            }

            var child = at.Children.Current.Entry;
            if (child.Has(CimFileFlags.Tombstone))
            {
                continue;
            }

            if (!child.IsPlainDirectory || !child.Has(CimFileFlags.Implicit) || IsKnownReal(directory.Source, child.FileId))
            {
                foreach (var (fileId, children) in open)
                {
                    children.Dispose();
                    _known[(directory.Source, fileId)] = false;
                }

                return false;
            }

            // Seen before, it held nothing, or is open further up: a cycle, which the merge itself refuses.
            if (_known.TryAdd((directory.Source, child.FileId), true))
            {
                open.Push((child.FileId, source.Children(child).GetEnumerator()));
            }
        }

        return true;
    }

    private bool IsKnownReal(int source, uint fileId) => _known.TryGetValue((source, fileId), out var scaffold) && !scaffold;
}
