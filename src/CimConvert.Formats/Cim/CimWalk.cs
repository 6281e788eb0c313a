namespace CimConvert.Formats.Cim;

/// <summary>Enumerates a CIM's entries depth first, names sorted.</summary>
internal static class CimWalk
{
    /// <summary>Every entry below <paramref name="from"/>. Reaching a directory twice is an error, so cycles end.</summary>
    public static IEnumerable<(CimPath Path, CimEntry Entry)> Below(CimReader cim, CimPath from, CimEntry directory)
    {
        ArgumentNullException.ThrowIfNull(cim);
        var budget = new WalkBudget(cim);
        budget.Enter(directory);

        // Only the current path is kept: a stack of paths would take quadratic memory in a tree of 16,000 levels.
        var current = from;
        var open = new Stack<IEnumerator<(string Name, CimEntry Entry)>>();
        try
        {
            open.Push(cim.Children(directory).GetEnumerator());
            while (open.TryPeek(out var children))
            {
                if (!children.MoveNext())
                {
                    open.Pop().Dispose();
                    current = current.Parent;
                    continue;
                }

                var (name, entry) = children.Current;
                var path = current.Append(name);
                budget.ReadStreamsOf(entry);
                yield return (path, entry);
                if (entry.IsPlainDirectory && !entry.Has(CimFileFlags.Tombstone))
                {
                    if (!budget.Enter(entry))
                    {
                        throw new InvalidDataException($"directory '{path}' (file {entry.FileId}) is in the CIM twice");
                    }

                    open.Push(cim.Children(entry).GetEnumerator());
                    current = path;
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
