namespace CimConvert.Formats.Cim;

/// <summary>
/// The names of a parent while a CIM is forked from it. A file's record gives one directory that it is in: where a file with
/// several names loses the one there, the record must give another.
/// </summary>
internal sealed class ForkedNames(CimReader parent)
{
    private readonly WalkBudget _budget = new(parent);

    /// <summary>Files that lost a name, until one is found where their record says.</summary>
    private readonly HashSet<uint> _lost = [];

    /// <summary>The first directory that has a name of a file that lost one.</summary>
    private readonly Dictionary<uint, uint> _homes = [];

    /// <summary>The names in a directory of the parent, which is entered once.</summary>
    public LinkTable Enter(CimEntry directory)
    {
        Enter(_budget, directory);
        return parent.Links(directory);
    }

    /// <summary>All names in a directory are gone.</summary>
    public void Lose(LinkTable names)
    {
        for (var i = 0; i < names.Count; i++)
        {
            Lose(parent.Entry(names.FileId(i)));
        }
    }

    /// <summary>A name is gone, with all that is below it.</summary>
    public void Lose(CimEntry gone)
    {
        _lost.Add(gone.FileId);
        if (gone.IsPlainDirectory)
        {
            foreach (var (_, below) in CimWalk.Below(parent, CimPath.Root, gone))
            {
                _lost.Add(below.FileId);
            }
        }
    }

    /// <summary>The records to write for files that are still there, and no longer where the parent's record says.</summary>
    /// <param name="root">Of the forked tree, all directories of which have their ids.</param>
    public IEnumerable<CimFile> Rehome(CimFile root)
    {
        if (_lost.Count > 0)
        {
            FindHomes(root);
        }

        foreach (var (id, home) in _homes.OrderBy(h => h.Key))
        {
            var record = new byte[CimFormat.FileSize];
            parent.ReadRecord(id, record);
            yield return new CimFile { Id = id, IsKept = true, Record = record, Data = parent.Entry(id).Data, ParentId = home };
        }
    }

    private static void Enter(WalkBudget budget, CimEntry directory)
    {
        if (!budget.Enter(directory))
        {
            throw new InvalidDataException($"directory {directory.FileId} is in the parent twice");
        }
    }

    /// <summary>Goes through all names that are left: only they say what a file is called.</summary>
    private void FindHomes(CimFile root)
    {
        var budget = new WalkBudget(parent);
        var open = new Stack<(CimFile? Own, CimEntry Below)>();
        Push(root);
        while (open.TryPop(out var at))
        {
            if (at.Own is { KeepsLinks: false } own)
            {
                foreach (var child in own.Children!.Values)
                {
                    if (child.IsShared)
                    {
                        See(child.Id, own.Id);
                    }
                    else if (child.IsPlainDirectory)
                    {
                        Push(child);
                    }
                }

                continue;
            }

            Enter(budget, at.Below);
            var names = parent.Links(at.Below);
            for (var i = 0; i < names.Count; i++)
            {
                if (at.Own?.Children!.GetValueOrDefault(names.Name(i)) is { IsKept: true } kept)
                {
                    Push(kept);
                }
                else
                {
                    See(names.FileId(i), at.Below.FileId);
                }
            }
        }

        void Push(CimFile directory) => open.Push((directory, directory.KeepsLinks ? parent.Entry(directory.Id) : default));

        void See(uint id, uint directory)
        {
            var entry = parent.Entry(id);
            if (entry.IsPlainDirectory)
            {
                open.Push((null, entry));
            }
            else if (_lost.Contains(id))
            {
                if (entry.ParentId == directory)
                {
                    _lost.Remove(id);
                    _homes.Remove(id);
                }
                else
                {
                    _homes.TryAdd(id, directory);
                }
            }
        }
    }
}
