namespace CimConvert.Formats.Cim;

/// <summary>Goes through a whole CIM, depth first, names sorted: the order of <c>ls -R</c>.</summary>
internal static class CimWalk
{
    /// <summary>
    /// Every entry below <paramref name="from"/>. A directory that is reached twice is an error, so cycles end.
    /// </summary>
    public static IEnumerable<(CimPath Path, CimEntry Entry)> Below(CimReader cim, CimPath from, CimEntry directory)
    {
        ArgumentNullException.ThrowIfNull(cim);
        var budget = new WalkBudget(cim);
        budget.Enter(directory);

        // The path at hand and no other: a stack of all would be quadratic in a tree of 16,000 levels.
        var at = from;
        var open = new Stack<IEnumerator<(string Name, CimEntry Entry)>>();
        try
        {
            open.Push(cim.Children(directory).GetEnumerator());
            while (open.TryPeek(out var children))
            {
                if (!children.MoveNext())
                {
                    open.Pop().Dispose();
                    at = at.Parent;
                    continue;
                }

                var (name, entry) = children.Current;
                var path = at.Append(name);
                budget.ReadStreamsOf(entry);
                yield return (path, entry);
                if (entry.IsPlainDirectory && !entry.Has(CimFileFlags.Tombstone))
                {
                    if (!budget.Enter(entry))
                    {
                        throw new InvalidDataException($"directory '{path}' (file {entry.FileId}) is in the CIM twice");
                    }

                    open.Push(cim.Children(entry).GetEnumerator());
                    at = path;
                }
            }
        }
        finally
        {
            while (open.TryPop(out var children))
            {
                children.Dispose();
            }
        }
    }
}
