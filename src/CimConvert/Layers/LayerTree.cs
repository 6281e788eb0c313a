using System.Runtime.InteropServices;
using CimConvert.Cims;
using CimConvert.Formats.Cim;

namespace CimConvert.Layers;

/// <summary>
/// The names of a layer so far, compared without regard to case, and what each of them is. Decides each name of a layer once, for all back
/// ends: the last entry of a name wins; a directory and something else do not replace each other; whatever is above an entry is a
/// directory; a whiteout acts on lower layers only. <see cref="LayerCim"/> carries the decisions out.
/// </summary>
/// <remarks>
/// This tree and the managed writer's own are the only memory of an import that grows with its layer: so names are counted and limited
/// here.
/// </remarks>
internal sealed partial class LayerTree(InputLimits limits)
{
    /// <summary>The name does not wait for pending work.</summary>
    public const int NothingPending = -1;

    private readonly Dictionary<string, Node> _nodes = new(NameComparer.Instance);
    private long _count;
    private long _units;

    /// <summary>What the CIM has by a name; kept only where the writer leaves names to its caller (<see cref="NameHandling"/>).</summary>
    private enum InCim : byte
    {
        Nothing,
        Directory,

        /// <summary>A file or a symbolic link.</summary>
        Leaf,
        Tombstone,
    }

    /// <summary>What the layer's entries say about a name.</summary>
    private enum Claimed : byte
    {
        /// <summary>Nothing, or only that it is removed from lower layers.</summary>
        No,
        Directory,
        Leaf,
    }

    /// <summary>
    /// Claims a name for a directory or for something else. The last entry of a name wins, except that a directory and something else
    /// cannot replace one another, because it would be unclear what becomes of the entries in the directory.
    /// </summary>
    /// <returns>The pending work that the new entry replaces, or <see cref="NothingPending"/>.</returns>
    /// <exception cref="InvalidDataException">
    /// The name, or one above it, is in use for something incompatible; the path is too deep, or there are too many names.
    /// </exception>
    public int Claim(CimPath path, bool isDirectory, bool isLinkable, bool isInCim, int pending)
    {
        CheckDepth(path);
        Count(1, path.Value.Length);
        ClaimParents(path.Value);
        ref var node = ref CollectionsMarshal.GetValueRefOrAddDefault(_nodes, path.Value, out var exists);
        var isTaken = exists && node.Claimed != Claimed.No;
        if (isTaken && node.Claimed == Claimed.Directory != isDirectory)
        {
            throw new InvalidDataException(isDirectory
                ? "a directory where the layer has something else by that name"
                : "the layer has a directory by that name");
        }

        var replaced = isTaken ? node.Pending : NothingPending;

        // The earlier entry stays in the CIM, and may be linked to, until the new one is added.
        node = new Node(isDirectory ? Claimed.Directory : Claimed.Leaf, isLinkable, isInCim || (isTaken && node.CanBeTarget), pending, node.InCim);
        return replaced;
    }

    /// <summary>Gets what the layer has by a name; false if it has nothing.</summary>
    public bool TryGet(CimPath path, out Entry entry)
    {
        var found = _nodes.TryGetValue(path.Value, out var node) && node.Claimed != Claimed.No;
        entry = found ? new Entry(node.IsLinkable, node.CanBeTarget, node.Pending) : default;
        return found;
    }

    /// <summary>Marks pending work as done: the name is now in the CIM, or, for a merge link, only in a lower layer's.</summary>
    public void Settle(CimPath path, bool isInCim)
    {
        ref var node = ref CollectionsMarshal.GetValueRefOrNullRef(_nodes, path.Value);
        node = new Node(Claimed.Leaf, IsLinkable: true, isInCim, NothingPending, node.InCim);
    }

    /// <summary>Counts an alternate stream, which the writer keeps in memory, too.</summary>
    /// <exception cref="InvalidDataException">There are too many names.</exception>
    public void CountStream(string name) => Count(1, name.Length);

    /// <summary>Counts the target of a link; the link itself is counted when it is claimed.</summary>
    /// <exception cref="InvalidDataException">The names are too long altogether.</exception>
    public void CountTarget(CimPath path) => Count(0, path.Value.Length);

    /// <summary>Says what the writer must do before an entry is added, and records it as done.</summary>
    /// <param name="path">The entry's path, claimed before.</param>
    /// <param name="isDirectory">Whether the entry is a directory; a symbolic link to a directory is not.</param>
    /// <param name="names">What the writer leaves to its caller.</param>
    /// <exception cref="InvalidDataException">The writer cannot add an entry there.</exception>
    public Preparation Prepare(CimPath path, bool isDirectory, NameHandling names)
    {
        if (names == NameHandling.KeepsTree)
        {
            return default;
        }

        var directories = MissingParents(path, names);
        ref var node = ref CollectionsMarshal.GetValueRefOrAddDefault(_nodes, path.Value, out _);
        if (node.InCim == InCim.Tombstone && isDirectory && names == NameHandling.Block)
        {
            throw NameRefusals.NotOpaque(path);
        }

        var deleteFirst = node.InCim == InCim.Leaf || (node.InCim == InCim.Tombstone && names == NameHandling.Block);
        node = node with { InCim = isDirectory ? InCim.Directory : InCim.Leaf };
        return new Preparation(directories, deleteFirst);
    }

    private static void CheckDepth(CimPath path)
    {
        if (path.Depth > InputLimits.MaxDepth)
        {
            throw new InvalidDataException($"it lies {path.Depth} levels deep, more than {InputLimits.MaxDepth}");
        }
    }

    private void Count(int names, int units)
    {
        _count += names;
        _units += units;
        if (_count > limits.MaxEntries || _units > limits.MaxNameUnits)
        {
            throw new InvalidDataException(
                $"the layer has more than {limits.MaxEntries} entries, or names of more than {limits.MaxNameUnits} UTF-16 units: --max-entries allows more");
        }
    }

    /// <summary>Claims the directories above an entry: they exist because of it, whether or not the tar has entries for them.</summary>
    private void ClaimParents(string path)
    {
        var lookup = _nodes.GetAlternateLookup<ReadOnlySpan<char>>();
        for (var end = path.LastIndexOf(CimPath.Separator); end > 0; end = path.AsSpan(0, end).LastIndexOf(CimPath.Separator))
        {
            var parent = path.AsSpan(0, end);
            lookup.TryGetValue(parent, out var node);
            if (node.Claimed != Claimed.No)
            {
                // The directories above this one were claimed together with it.
                if (node.Claimed != Claimed.Directory)
                {
                    throw new InvalidDataException($"it lies below '{parent}', which is not a directory");
                }

                return;
            }

            Count(1, parent.Length);
            lookup[parent] = new Node(Claimed.Directory, IsLinkable: false, CanBeTarget: true, NothingPending, node.InCim);
        }
    }

    /// <summary>The directories above a path that the CIM does not have, outermost last.</summary>
    private List<CimPath>? MissingParents(CimPath path, NameHandling names)
    {
        List<CimPath>? missing = null;
        for (var parent = path.Parent; !parent.IsRoot; parent = parent.Parent)
        {
            ref var node = ref CollectionsMarshal.GetValueRefOrAddDefault(_nodes, parent.Value, out _);
            switch (node.InCim)
            {
                case InCim.Directory:
                    return missing;
                case InCim.Leaf:
                    throw new InvalidDataException($"it lies below '{parent}', which is not a directory");
                case InCim.Tombstone when names == NameHandling.Block:
                    throw NameRefusals.NotOpaque(parent);
                case InCim.Nothing when names == NameHandling.Forked:
                    break;
                default:
                    (missing ??= []).Add(parent);
                    break;
            }

            // A directory of the parent CIM, or one that will be created: it has entries of this layer from now on, so it can no longer be
            // removed.
            node = node with { InCim = InCim.Directory };
        }

        return missing;
    }

    /// <param name="IsLinkable">Whether it can have another name: files can; directories and symbolic links to directories cannot.</param>
    /// <param name="IsInCim">Whether the CIM has something by the name.</param>
    /// <param name="Pending">The pending work that will add the name, or <see cref="NothingPending"/>.</param>
    public readonly record struct Entry(bool IsLinkable, bool IsInCim, int Pending);

    /// <param name="MissingDirectories">The directories to create first, outermost last; null for none.</param>
    /// <param name="DeletesFirst">Whether the name must be deleted first.</param>
    public readonly record struct Preparation(List<CimPath>? MissingDirectories, bool DeletesFirst);

    /// <param name="Claimed">What the layer's entries say about the name.</param>
    /// <param name="IsLinkable">See <see cref="Entry"/>.</param>
    /// <param name="CanBeTarget">See <see cref="Entry.IsInCim"/>; true for directories, too, so that links to them are refused.</param>
    /// <param name="Pending">See <see cref="Entry"/>.</param>
    /// <param name="InCim">What the writer was told about it.</param>
    [StructLayout(LayoutKind.Auto)]
    private readonly record struct Node(Claimed Claimed, bool IsLinkable, bool CanBeTarget, int Pending, InCim InCim);
}
