using CimConvert.Formats.Cim;

namespace CimConvert.Layers;

/// <summary>
/// What waits for the layer's end, in tar order: standard files, and links, which cannot be told to be hard links or merge
/// links before all files are known.
/// </summary>
internal sealed class PendingWork(LayerCim cim, LayerTree tree, StagingFolder staging, bool isBase)
{
    private readonly List<Item?> _items = [];

    /// <summary>The standard files that wait, by their standard paths.</summary>
    private readonly Dictionary<CimPath, CimPath> _standardFiles = [];

    /// <summary>What the next item will be known by.</summary>
    public int NextIndex => _items.Count;

    public void AddStandardFile(long? tarOffset, CimPath path, CimPath standard, in CimFileMetadata metadata)
    {
        _items.Add(new StandardFile(tarOffset, path, standard, metadata));
        _standardFiles[standard] = path;
    }

    /// <returns>What the link will be known by.</returns>
    public int AddLink(long? tarOffset, CimPath path, CimPath target)
    {
        _items.Add(new Link(tarOffset, path, target));
        return _items.Count - 1;
    }

    /// <summary>A later entry has taken the place of the one that waits here, if one does.</summary>
    public void Drop(int index)
    {
        if (index != LayerTree.NothingPending)
        {
            _items[index] = null;
        }
    }

    /// <summary>The path a standard file has in the CIM, as the tar spelled it.</summary>
    public bool TryGetStandardFile(CimPath standard, out CimPath path) => _standardFiles.TryGetValue(standard, out path);

    public void ApplyAll(CancellationToken cancellationToken)
    {
        for (var i = 0; i < _items.Count; i++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            Apply(i, cancellationToken);
        }
    }

    /// <summary>Adds one item; it waits no longer.</summary>
    public void Apply(int index, CancellationToken cancellationToken)
    {
        var item = _items[index];
        _items[index] = null;
        try
        {
            switch (item)
            {
                case StandardFile file:
                    Add(file, cancellationToken);
                    break;
                case Link link:
                    Add(link, cancellationToken);
                    break;
                default:
                    break;
            }
        }
        catch (InvalidDataException wrong)
        {
            throw LayerImportException.Of(item!.Path, item.TarOffset, wrong);
        }
    }

    private void Add(StandardFile file, CancellationToken cancellationToken)
    {
        using var stream = staging.Open(file.Standard);
        cim.AddFile(file.Path, file.Metadata, stream, cancellationToken);
        tree.Settle(file.Path, isInCim: true);
    }

    private void Add(Link link, CancellationToken cancellationToken)
    {
        var known = tree.TryGet(link.Target, out var target);
        if (known && target.Pending != LayerTree.NothingPending && _items[target.Pending] is StandardFile)
        {
            Apply(target.Pending, cancellationToken);
            known = tree.TryGet(link.Target, out target);
        }

        if (known && target.IsInCim)
        {
            if (!target.IsLinkable)
            {
                throw new InvalidDataException($"a hard link to the directory '{link.Target}'");
            }

            cim.CreateHardLink(link.Path, link.Target);
            tree.Settle(link.Path, isInCim: true);
        }
        else if (isBase)
        {
            throw new InvalidDataException($"a hard link to '{link.Target}', which this layer does not have before it, and no layer lies below");
        }
        else
        {
            cim.CreateMergeLink(link.Path, link.Target);
            tree.Settle(link.Path, isInCim: false);
        }
    }

    private abstract record Item(long? TarOffset, CimPath Path);

    private sealed record StandardFile(long? TarOffset, CimPath Path, CimPath Standard, CimFileMetadata Metadata) : Item(TarOffset, Path);

    private sealed record Link(long? TarOffset, CimPath Path, CimPath Target) : Item(TarOffset, Path);
}
