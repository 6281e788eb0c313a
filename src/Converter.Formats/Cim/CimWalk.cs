namespace Converter.Formats.Cim;

/// <summary>Goes through a whole CIM, depth first, names sorted: the order of <c>ls -R</c>.</summary>
public static class CimWalk
{
    /// <summary>
    /// Every entry below <paramref name="from"/>. A directory that is reached twice is an error, so cycles end.
    /// </summary>
    public static IEnumerable<(CimPath Path, CimEntry Entry)> Below(CimReader cim, CimPath from, CimEntry directory)
    {
        ArgumentNullException.ThrowIfNull(cim);
        var budget = new WalkBudget(cim);
        budget.Enter(directory);
        var open = new Stack<(CimPath Path, IEnumerator<(string Name, CimEntry Entry)> Children)>();
        try
        {
            open.Push((from, cim.Children(directory).GetEnumerator()));
            while (open.TryPeek(out var at))
            {
                if (!at.Children.MoveNext())
                {
                    open.Pop().Children.Dispose();
                    continue;
                }

                var (name, entry) = at.Children.Current;
                var path = at.Path.Append(name);
                budget.ReadStreamsOf(entry);
                yield return (path, entry);
                if (entry.IsPlainDirectory && !entry.Has(CimFileFlags.Tombstone))
                {
                    if (!budget.Enter(entry))
                    {
                        throw new InvalidDataException($"directory '{path}' (file {entry.FileId}) is in the CIM twice");
                    }

                    open.Push((path, cim.Children(entry).GetEnumerator()));
                }
            }
        }
        finally
        {
            while (open.TryPop(out var at))
            {
                at.Children.Dispose();
            }
        }
    }
}
