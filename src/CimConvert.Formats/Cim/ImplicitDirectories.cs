namespace CimConvert.Formats.Cim;

/// <summary>
/// Finds directories that a layer's CIM has only because paths in them are removed from lower layers. They hold nothing but
/// whiteouts, and do not make a directory in the merged CIM.
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

        // Depth first, without recursion: a path may have 16,000 components. One entry makes all directories above it real.
        var source = sources[directory.Source];
        var open = new Stack<(uint FileId, IEnumerator<(string Name, CimEntry Entry)> Children)>();
        open.Push((directory.Entry.FileId, source.Children(directory.Entry).GetEnumerator()));
        _known.Add((directory.Source, directory.Entry.FileId), true);
        while (open.TryPeek(out var current))
        {
            if (!current.Children.MoveNext())
            {
                open.Pop().Children.Dispose();
                continue;
            }

            var child = current.Children.Current.Entry;
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

            // A directory that is already known either holds only whiteouts or is on the stack; the merge refuses such a cycle.
            if (_known.TryAdd((directory.Source, child.FileId), true))
            {
                open.Push((child.FileId, source.Children(child).GetEnumerator()));
            }
        }

        return true;
    }

    private bool IsKnownReal(int source, uint fileId) => _known.TryGetValue((source, fileId), out var isImplicit) && !isImplicit;
}
