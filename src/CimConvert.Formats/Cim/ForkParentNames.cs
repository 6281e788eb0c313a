namespace CimConvert.Formats.Cim;

/// <summary>
/// Keeps track of the parent's names that a forked CIM removes. A file record holds the id of one directory that the file is
/// in: when a hard-linked file loses its name there, the record must be rewritten with another directory.
/// </summary>
internal sealed class ForkParentNames(CimReader parent)
{
    private readonly WalkBudget _budget = new(parent);

    /// <summary>Files that lost a name and have not yet been found in the directory that their record gives.</summary>
    private readonly HashSet<uint> _removed = [];

    /// <summary>For such a file, the first other directory that has one of its names.</summary>
    private readonly Dictionary<uint, uint> _newParents = [];

    /// <summary>The names in a directory of the parent; each directory may be entered once.</summary>
    public LinkTable Enter(CimEntry directory)
    {
        Enter(_budget, directory);
        return parent.Links(directory);
    }

    /// <summary>Call when all names of a directory are removed.</summary>
    public void Remove(LinkTable names)
    {
        for (var i = 0; i < names.Count; i++)
        {
            Remove(parent.Entry(names.FileId(i)));
        }
    }

    /// <summary>Call when a name is removed, with everything below it.</summary>
    public void Remove(CimEntry entry)
    {
        _removed.Add(entry.FileId);
        if (entry.IsPlainDirectory)
        {
            foreach (var (_, below) in CimWalk.Below(parent, CimPath.Root, entry))
            {
                _removed.Add(below.FileId);
            }
        }
    }

    /// <summary>New records for the files that still have a name, but none in the directory that the parent's record gives.</summary>
    /// <param name="root">Root of the forked tree, whose directories all have ids.</param>
    public IEnumerable<CimFile> MovedFiles(CimFile root)
    {
        if (_removed.Count > 0)
        {
            FindNewParents(root);
        }

        foreach (var (id, directory) in _newParents.OrderBy(file => file.Key))
        {
            var record = new byte[CimFormat.FileSize];
            parent.ReadRecord(id, record);
            yield return new CimFile { Id = id, IsKept = true, Record = record, Data = parent.Entry(id).Data, ParentId = directory };
        }
    }

    private static void Enter(WalkBudget budget, CimEntry directory)
    {
        if (!budget.Enter(directory))
        {
            throw new InvalidDataException($"directory {directory.FileId} is in the parent twice");
        }
    }

    /// <summary>Walks all remaining names, because a file record does not list its names.</summary>
    private void FindNewParents(CimFile root)
    {
        var budget = new WalkBudget(parent);
        var pending = new Stack<(CimFile? Own, CimEntry Inherited)>();
        Push(root);
        while (pending.TryPop(out var directory))
        {
            if (directory.Own is { KeepsLinks: false } own)
            {
                foreach (var child in own.Children!.Values)
                {
                    if (child.IsShared)
                    {
                        Visit(child.Id, own.Id);
                    }
                    else if (child.IsPlainDirectory)
                    {
                        Push(child);
                    }
                }

                continue;
            }

            Enter(budget, directory.Inherited);
            var names = parent.Links(directory.Inherited);
            for (var i = 0; i < names.Count; i++)
            {
                if (directory.Own?.Children!.GetValueOrDefault(names.Name(i)) is { IsKept: true } kept)
                {
                    Push(kept);
                }
                else
                {
                    Visit(names.FileId(i), directory.Inherited.FileId);
                }
            }
        }

        void Push(CimFile own) => pending.Push((own, own.KeepsLinks ? parent.Entry(own.Id) : default));

        void Visit(uint id, uint directoryId)
        {
            var entry = parent.Entry(id);
            if (entry.IsPlainDirectory)
            {
                pending.Push((null, entry));
            }
            else if (_removed.Contains(id))
            {
                if (entry.ParentId == directoryId)
                {
                    _removed.Remove(id);
                    _newParents.Remove(id);
                }
                else
                {
                    _newParents.TryAdd(id, directoryId);
                }
            }
        }
    }
}
