namespace CimConvert.Formats.Cim;

/// <summary>
/// Turns a layer's tree into that of a whole file system: the layer is merged onto the CIM it is forked from. Unchanged files of
/// the parent are referenced by their file id, which stays the same.
/// </summary>
internal sealed class CimFork
{
    private readonly CimTree _tree;

    /// <summary>Directories that the layer has an entry for, or an entry in; the others hold only whiteouts.</summary>
    private readonly HashSet<CimFile> _directoriesWithEntries = [];
    private readonly Dictionary<CimFile, CimFile> _linkTargets = [];
    private readonly ForkParentNames? _parentNames;

    private CimFork(CimTree tree, CimReader? parent)
    {
        _tree = tree;
        Parent = parent;
        _parentNames = parent is null ? null : new ForkParentNames(parent);
    }

    /// <summary>The CIM that this one is forked from; null for a base layer.</summary>
    public CimReader? Parent { get; }

    /// <summary>Checks that a CIM can be the parent of a forked CIM.</summary>
    /// <exception cref="InvalidDataException">It is a single layer, has another upcase table, or too many regions.</exception>
    public static void Check(CimReader parent)
    {
        // The root of a layer's CIM always has a layer flag, that of a whole file system never.
        if (parent.Root.Has(CimFileFlags.LayerMask))
        {
            throw new InvalidDataException("the parent is one layer of a chain of block CIMs, not a whole file system: import it as a forked CIM, too, or merge the chain and export it");
        }

        // The link tables taken over from the parent are sorted by its upcase table, the new ones by that of Windows.
        if (!parent.Upcase.ToBytes().AsSpan().SequenceEqual(UpcaseTable.Windows.ToBytes()))
        {
            throw new InvalidDataException("the parent's upcase table is not that of Windows 7 and later: the forked CIM's names would be sorted in two ways");
        }

        var regions = parent.ParentRegions.Sum(p => p.Count) + parent.OwnRegions.Count;
        if (regions > CimFormat.MaxRegions - CimFormat.OwnRegions || parent.ParentRegions.Count >= CimFormat.MaxParents)
        {
            throw new InvalidDataException($"the parent has {regions} regions in {parent.ParentRegions.Count + 1} sets already: no more can be added");
        }
    }

    /// <param name="tree">A layer's complete tree; changed in place.</param>
    /// <param name="parent">The CIM to fork from, already checked; null for a base layer.</param>
    /// <exception cref="InvalidDataException">A link has no target, or the parent is malformed.</exception>
    public static CimFork Apply(CimTree tree, CimReader? parent)
    {
        var fork = new CimFork(tree, parent);
        fork.AnalyzeLayer();
        fork.MergeTrees();
        return fork;
    }

    /// <summary>
    /// New records for files of the parent that lost their name in the directory that their record gives, but still have another
    /// name. Call when all directories have ids.
    /// </summary>
    public IEnumerable<CimFile> MovedFiles() => _parentNames?.MovedFiles(_tree.Root) ?? [];

    /// <summary>Finds link targets and directories with entries; must run before the merge changes the tree.</summary>
    private void AnalyzeLayer()
    {
        var directories = new List<(CimFile Directory, CimFile Parent)>();
        var path = CimPath.Root;
        var open = new Stack<(CimFile Directory, Dictionary<string, CimFile>.Enumerator Children)>();
        open.Push((_tree.Root, _tree.Root.Children!.GetEnumerator()));
        while (open.TryPop(out var top))
        {
            if (!top.Children.MoveNext())
            {
                path = path.Parent;
                continue;
            }

            var (name, file) = top.Children.Current;
            open.Push(top);
            if (file.IsPlainDirectory)
            {
                directories.Add((file, top.Directory));
                open.Push((file, file.Children!.GetEnumerator()));
                path = path.Append(name);
            }
            else if (!file.Has(CimFileFlags.Tombstone))
            {
                _directoriesWithEntries.Add(top.Directory);
                if (file.Has(CimFileFlags.MergeLink))
                {
                    _linkTargets.Add(file, Follow(file, path.Append(name)));
                }
            }
        }

        for (var i = directories.Count - 1; i >= 0; i--)
        {
            var (directory, parent) = directories[i];
            if (!directory.Has(CimFileFlags.Implicit) || _directoriesWithEntries.Contains(directory))
            {
                _directoriesWithEntries.Add(directory);
                _directoriesWithEntries.Add(parent);
            }
        }
    }

    /// <summary>A link's target is a file of its own layer, else one of the parent, even if the layer removes it.</summary>
    private CimFile Follow(CimFile link, CimPath path)
    {
        var seen = new HashSet<CimFile>();
        var file = link;
        while (file.Has(CimFileFlags.MergeLink))
        {
            var target = _tree.MergeLinkTarget(file);
            if (!seen.Add(file))
            {
                throw new InvalidDataException($"link '{path}': following its target '{target}' leads back to it");
            }

            var own = _tree.Find(target);
            var inherited = own is null || own.Has(CimFileFlags.Tombstone) ? Parent?.Find(target) : null;
            if (inherited is { IsDirectory: true } || own is { IsDirectory: true })
            {
                throw new InvalidDataException($"link '{path}': its target '{target}' is a directory");
            }

            file = inherited is { } entry ? CimFile.Shared(entry.FileId)
                : own is not null && !own.Has(CimFileFlags.Tombstone) ? own
                : throw new InvalidDataException($"link '{path}': its target '{target}' is in no layer");
        }

        return file;
    }

    private void MergeTrees()
    {
        var pending = new Stack<(CimFile Directory, CimEntry? Inherited)>();
        KeepId(_tree.Root, Parent?.Root);
        pending.Push((_tree.Root, Parent?.Root));
        while (pending.TryPop(out var next))
        {
            MergeDirectory(next.Directory, next.Inherited, pending);
        }
    }

    /// <param name="directory">The layer's directory, which becomes the merged one.</param>
    /// <param name="inherited">The parent's directory of that path; null for none.</param>
    /// <param name="pending">Receives the subdirectories to merge.</param>
    private void MergeDirectory(CimFile directory, CimEntry? inherited, Stack<(CimFile Directory, CimEntry? Inherited)> pending)
    {
        var layerChildren = directory.Children!;
        var parentLinks = inherited is { } entry ? _parentNames!.Enter(entry) : LinkTable.Empty;
        var linksChange = inherited is null;
        if (directory.Has(CimFileFlags.Opaque))
        {
            linksChange |= parentLinks.Count > 0;
            _parentNames?.Remove(parentLinks);
            parentLinks = LinkTable.Empty;
        }

        directory.Flags &= ~CimFileFlags.LayerMask;
        directory.Children = new Dictionary<string, CimFile>(NameComparer.Instance);
        foreach (var (name, file) in layerChildren)
        {
            var index = parentLinks.IndexOf(name, UpcaseTable.Windows);
            CimEntry? parentChild = index is { } i ? Parent!.Entry(parentLinks.FileId(i)) : null;
            if (file.IsPlainDirectory && parentChild is { IsPlainDirectory: true })
            {
                var spelling = file.Has(CimFileFlags.Implicit) ? parentLinks.Name(index!.Value) : name;
                linksChange |= spelling != parentLinks.Name(index!.Value);
                KeepId(file, parentChild);
                directory.Children.Add(spelling, file);
                pending.Push((file, parentChild));
            }
            else if (file.IsPlainDirectory && !_directoriesWithEntries.Contains(file))
            {
                // The layer's directory holds only whiteouts, so the parent's entry stays.
                if (parentChild is { } kept)
                {
                    directory.Children.Add(parentLinks.Name(index!.Value), CimFile.Shared(kept.FileId));
                }
            }
            else
            {
                linksChange |= parentChild is not null || !file.Has(CimFileFlags.Tombstone);
                if (parentChild is { } replaced)
                {
                    _parentNames!.Remove(replaced);
                }

                if (!file.Has(CimFileFlags.Tombstone))
                {
                    directory.Children.Add(name, _linkTargets.GetValueOrDefault(file, file));
                }

                if (file.IsPlainDirectory)
                {
                    pending.Push((file, null));
                }
            }
        }

        directory.KeepsLinks = !linksChange;
        for (var i = 0; linksChange && i < parentLinks.Count; i++)
        {
            if (!layerChildren.ContainsKey(parentLinks.Name(i)))
            {
                directory.Children.Add(parentLinks.Name(i), CimFile.Shared(parentLinks.FileId(i)));
            }
        }

        if (directory.KeepsLinks)
        {
            directory.Data = inherited!.Value.Data;
        }
    }

    /// <summary>A directory of the parent keeps its id, and its metadata if the layer has no entry for it.</summary>
    private void KeepId(CimFile directory, CimEntry? inherited)
    {
        if (inherited is not { } entry)
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
