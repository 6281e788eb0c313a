namespace CimConvert.Formats.Cim;

/// <summary>
/// Makes the tree of a layer the tree of a whole file system: the layer lies on the CIM it is forked from, as in a merge, and what
/// it removes is gone. Whatever of the parent stays as it is, is only named: by its file id, which goes on to mean the same file.
/// </summary>
internal sealed class CimFork
{
    private readonly CimTree _tree;
    private readonly HashSet<CimFile> _real = [];
    private readonly Dictionary<CimFile, CimFile> _linkTargets = [];
    private readonly ForkedNames? _names;

    private CimFork(CimTree tree, CimReader? parent)
    {
        _tree = tree;
        Parent = parent;
        _names = parent is null ? null : new ForkedNames(parent);
    }

    /// <summary>What the CIM is forked from; null for a base layer.</summary>
    public CimReader? Parent { get; }

    /// <summary>Whether a CIM can be forked from.</summary>
    /// <exception cref="InvalidDataException">It is only a layer, or compares names in another way.</exception>
    public static void Check(CimReader parent)
    {
        // The root of a layer's CIM is never described, that of a whole file system always.
        if (parent.Root.Has(CimFileFlags.LayerMask))
        {
            throw new InvalidDataException("the parent is one layer of a chain of block CIMs, and no whole file system: import it as a forked CIM, too, or merge the chain and export it");
        }

        // Tables that stay the parent's are sorted by its upcase table, and ours go by the one we know.
        if (!parent.Upcase.ToBytes().AsSpan().SequenceEqual(UpcaseTable.Windows.ToBytes()))
        {
            throw new InvalidDataException("the parent compares names by an upcase table that is not the one of Windows 7 and later: what forks from it would be sorted in two ways");
        }

        var regions = parent.ParentRegions.Sum(p => p.Count) + parent.OwnRegions.Count;
        if (regions > CimFormat.MaxRegions - CimFormat.OwnRegions || parent.ParentRegions.Count >= CimFormat.MaxParents)
        {
            throw new InvalidDataException($"the parent has {regions} regions in {parent.ParentRegions.Count + 1} sets already: no more can be added");
        }
    }

    /// <param name="tree">A layer's, complete; it is changed in place.</param>
    /// <param name="parent">What to fork from, checked; null for a base layer.</param>
    /// <exception cref="InvalidDataException">A link has no target, or the parent does not hold together.</exception>
    public static CimFork Apply(CimTree tree, CimReader? parent)
    {
        var fork = new CimFork(tree, parent);
        fork.LookAtLayer();
        fork.Unite();
        return fork;
    }

    /// <summary>The parent's files that have lost the name in the directory their record gives, and got another. Call it when all directories have ids.</summary>
    public IEnumerable<CimFile> Rehome() => _names?.Rehome(_tree.Root) ?? [];

    /// <summary>Finds the files that links mean, and the directories that are more than the place of whiteouts, while the layer is as it was written.</summary>
    private void LookAtLayer()
    {
        var directories = new List<(CimFile Directory, CimFile Parent)>();
        var at = CimPath.Root;
        var open = new Stack<(CimFile Directory, Dictionary<string, CimFile>.Enumerator Children)>();
        open.Push((_tree.Root, _tree.Root.Children!.GetEnumerator()));
        while (open.TryPop(out var top))
        {
            if (!top.Children.MoveNext())
            {
                at = at.Parent;
                continue;
            }

            var (name, file) = top.Children.Current;
            open.Push(top);
            if (file.IsPlainDirectory)
            {
                directories.Add((file, top.Directory));
                open.Push((file, file.Children!.GetEnumerator()));
                at = at.Append(name);
            }
            else if (!file.Has(CimFileFlags.Tombstone))
            {
                _real.Add(top.Directory);
                if (file.Has(CimFileFlags.MergeLink))
                {
                    _linkTargets.Add(file, Follow(file, at.Append(name)));
                }
            }
        }

        for (var i = directories.Count - 1; i >= 0; i--)
        {
            var (directory, parent) = directories[i];
            if (!directory.Has(CimFileFlags.Implicit) || _real.Contains(directory))
            {
                _real.Add(directory);
                _real.Add(parent);
            }
        }
    }

    /// <summary>A link means a file of its own layer, else one of the parent, whatever the layer removes from it.</summary>
    private CimFile Follow(CimFile link, CimPath path)
    {
        var seen = new HashSet<CimFile>();
        var at = link;
        while (at.Has(CimFileFlags.MergeLink))
        {
            var target = _tree.MergeLinkTarget(at);
            if (!seen.Add(at))
            {
                throw new InvalidDataException($"link '{path}': following its target '{target}' leads back to it");
            }

            var own = _tree.Find(target);
            var below = own is null || own.Has(CimFileFlags.Tombstone) ? Parent?.Find(target) : null;
            if (below is { IsDirectory: true } || own is { IsDirectory: true })
            {
                throw new InvalidDataException($"link '{path}': its target '{target}' is a directory");
            }

            at = below is { } entry ? CimFile.Shared(entry.FileId)
                : own is not null && !own.Has(CimFileFlags.Tombstone) ? own
                : throw new InvalidDataException($"link '{path}': its target '{target}' is in no layer");
        }

        return at;
    }

    private void Unite()
    {
        var open = new Stack<(CimFile Directory, CimEntry? Below)>();
        Keep(_tree.Root, Parent?.Root);
        open.Push((_tree.Root, Parent?.Root));
        while (open.TryPop(out var at))
        {
            Unite(at.Directory, at.Below, open);
        }
    }

    private void Unite(CimFile directory, CimEntry? below, Stack<(CimFile Directory, CimEntry? Below)> open)
    {
        var own = directory.Children!;
        var lower = below is { } parent ? _names!.Enter(parent) : LinkTable.Empty;
        var changed = below is null;
        if (directory.Has(CimFileFlags.Opaque))
        {
            changed |= lower.Count > 0;
            _names?.Lose(lower);
            lower = LinkTable.Empty;
        }

        directory.Flags &= ~CimFileFlags.LayerMask;
        directory.Children = new Dictionary<string, CimFile>(NameComparer.Instance);
        foreach (var (name, file) in own)
        {
            var index = lower.IndexOf(name, UpcaseTable.Windows);
            CimEntry? was = index is { } i ? Parent!.Entry(lower.FileId(i)) : null;
            if (file.IsPlainDirectory && was is { IsPlainDirectory: true })
            {
                var spelled = file.Has(CimFileFlags.Implicit) ? lower.Name(index!.Value) : name;
                changed |= spelled != lower.Name(index!.Value);
                Keep(file, was);
                directory.Children.Add(spelled, file);
                open.Push((file, was));
            }
            else if (file.IsPlainDirectory && !_real.Contains(file))
            {
                // Only the place of whiteouts: what is there, stays.
                if (was is { } stays)
                {
                    directory.Children.Add(lower.Name(index!.Value), CimFile.Shared(stays.FileId));
                }
            }
            else
            {
                changed |= was is not null || !file.Has(CimFileFlags.Tombstone);
                if (was is { } gone)
                {
                    _names!.Lose(gone);
                }

                if (!file.Has(CimFileFlags.Tombstone))
                {
                    directory.Children.Add(name, _linkTargets.GetValueOrDefault(file, file));
                }

                if (file.IsPlainDirectory)
                {
                    open.Push((file, null));
                }
            }
        }

        directory.KeepsLinks = !changed;
        for (var i = 0; changed && i < lower.Count; i++)
        {
            if (!own.ContainsKey(lower.Name(i)))
            {
                directory.Children.Add(lower.Name(i), CimFile.Shared(lower.FileId(i)));
            }
        }

        if (directory.KeepsLinks)
        {
            directory.Data = below!.Value.Data;
        }
    }

    /// <summary>A directory of the parent keeps its id, and its metadata where the layer does not describe it.</summary>
    private void Keep(CimFile directory, CimEntry? below)
    {
        if (below is not { } entry)
        {
            return;
        }

        directory.Id = entry.FileId;
        directory.IsKept = true;
        if (directory.Has(CimFileFlags.Implicit))
        {
            directory.Record = new byte[CimFormat.FileSize];
            Parent!.ReadRecord(entry.FileId, directory.Record);
        }
    }
}
