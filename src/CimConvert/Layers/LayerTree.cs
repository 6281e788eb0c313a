using System.Runtime.InteropServices;
using CimConvert.Cims;
using CimConvert.Formats.Cim;

namespace CimConvert.Layers;

/// <summary>
/// The names a layer has given so far, in any case of their letters, and what they are. Decides each name of a layer once, for all
/// back ends: the last entry wins, a directory and something else do not replace each other, what lies above an entry is a
/// directory, a whiteout is about lower layers only. <see cref="LayerCim"/> carries it out.
/// </summary>
/// <remarks>With the managed writer's own tree, this is all the memory of an import that grows with its layer: so names are counted here, and limited.</remarks>
internal sealed class LayerTree(InputLimits limits)
{
    /// <summary>No pending work would give the name another meaning.</summary>
    public const int NothingPending = -1;

    private readonly Dictionary<string, Node> _nodes = new(NameComparer.Instance);
    private long _count;
    private long _units;

    /// <summary>What the CIM has by a name, as far as its writer leaves that to the caller: <see cref="NameHandling"/>.</summary>
    private enum InCim : byte
    {
        Nothing,
        Directory,

        /// <summary>A file or a link.</summary>
        Leaf,
        Tombstone,
    }

    /// <summary>What the layer says of a name.</summary>
    private enum Claimed : byte
    {
        /// <summary>Nothing: it was only removed.</summary>
        No,
        Directory,
        Leaf,
    }

    /// <summary>
    /// Takes a name for a directory or for something else. The last entry of a name wins, except that a directory and
    /// something else cannot follow one another: what would become of the entries below it has no good answer.
    /// </summary>
    /// <returns>The pending work that the new entry makes void, or <see cref="NothingPending"/>.</returns>
    /// <exception cref="InvalidDataException">
    /// The name, or one above it, is taken by something that does not go with it; it is too deep, or one too many.
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

        // Until it is replaced in its turn, what the CIM already has by the name is still there to be linked to.
        node = new Node(isDirectory ? Claimed.Directory : Claimed.Leaf, isLinkable, isInCim || (isTaken && node.CanBeTarget), pending, node.InCim);
        return replaced;
    }

    /// <summary>What the layer has by a name; false where it has nothing.</summary>
    public bool TryGet(CimPath path, out Entry entry)
    {
        var found = _nodes.TryGetValue(path.Value, out var node) && node.Claimed != Claimed.No;
        entry = found ? new Entry(node.IsLinkable, node.CanBeTarget, node.Pending) : default;
        return found;
    }

    /// <summary>Pending work is done: the name now is in the CIM, or, a merge link, only in a lower layer's.</summary>
    public void Settle(CimPath path, bool isInCim)
    {
        ref var node = ref CollectionsMarshal.GetValueRefOrNullRef(_nodes, path.Value);
        node = new Node(Claimed.Leaf, IsLinkable: true, isInCim, NothingPending, node.InCim);
    }

    /// <summary>Counts an alternate stream, which a writer has to remember, too.</summary>
    /// <exception cref="InvalidDataException">It is one too many.</exception>
    public void CountStream(string name) => Count(1, name.Length);

    /// <summary>Counts where a link leads to; the link itself is claimed.</summary>
    /// <exception cref="InvalidDataException">The names are too long by now.</exception>
    public void CountTarget(CimPath path) => Count(0, path.Value.Length);

    /// <summary>Counts a name that is removed, with all those above it: a writer may have to make each to say so.</summary>
    /// <exception cref="InvalidDataException">It is too deep, or one too many.</exception>
    public void CountWhiteout(CimPath path)
    {
        CheckDepth(path);
        Count(path.Depth, path.Value.Length);
    }

    /// <summary>What a writer has to do before an entry comes; the tree takes it for done.</summary>
    /// <param name="path">The entry's name, which is claimed.</param>
    /// <param name="isDirectory">Whether it is a directory; a link to one is none.</param>
    /// <param name="names">What the writer leaves to its caller.</param>
    /// <exception cref="InvalidDataException">The writer cannot have an entry there.</exception>
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

    /// <summary>Whether a whiteout has anything to remove from lower layers; the tree takes that for done.</summary>
    /// <exception cref="InvalidDataException">The writer cannot remove it.</exception>
    public bool Remove(CimPath path, NameHandling names)
    {
        if (names == NameHandling.KeepsTree)
        {
            return true;
        }

        ref var node = ref CollectionsMarshal.GetValueRefOrAddDefault(_nodes, path.Value, out _);
        switch (node.InCim)
        {
            case InCim.Directory:
                throw NameRefusals.NotOpaque(path);
            case InCim.Nothing when names == NameHandling.Forked || !LiesBelowTombstone(path):
                node = node with { InCim = InCim.Tombstone };
                return true;
            default:
                // A file of this layer hides those of lower layers already.
                return false;
        }
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

    /// <summary>Directories above an entry exist by it, whether or not the tar has them, before or after.</summary>
    private void ClaimParents(string path)
    {
        var lookup = _nodes.GetAlternateLookup<ReadOnlySpan<char>>();
        for (var end = path.LastIndexOf(CimPath.Separator); end > 0; end = path.AsSpan(0, end).LastIndexOf(CimPath.Separator))
        {
            var parent = path.AsSpan(0, end);
            lookup.TryGetValue(parent, out var node);
            if (node.Claimed != Claimed.No)
            {
                // Those above it were claimed with it.
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

            // The parent CIM's directory, or one that is about to be created: it may not be removed any more with what is in it now.
            node = node with { InCim = InCim.Directory };
        }

        return missing;
    }

    /// <summary>Whether something above a path is removed from lower layers already.</summary>
    private bool LiesBelowTombstone(CimPath path)
    {
        for (var parent = path.Parent; !parent.IsRoot; parent = parent.Parent)
        {
            if (_nodes.TryGetValue(parent.Value, out var node) && node.InCim == InCim.Tombstone)
            {
                return true;
            }
        }

        return false;
    }

    /// <param name="IsLinkable">It may have another name: files may, directories and links to directories may not.</param>
    /// <param name="IsInCim">The CIM has something by the name.</param>
    /// <param name="Pending">The pending work that will give the name its meaning, or <see cref="NothingPending"/>.</param>
    public readonly record struct Entry(bool IsLinkable, bool IsInCim, int Pending);

    /// <param name="MissingDirectories">To be created first, outermost last; null for none.</param>
    /// <param name="DeletesFirst">Whether the name is to be deleted first.</param>
    public readonly record struct Preparation(List<CimPath>? MissingDirectories, bool DeletesFirst);

    /// <param name="Claimed">What the layer says of the name.</param>
    /// <param name="IsLinkable">See <see cref="Entry"/>.</param>
    /// <param name="CanBeTarget">See <see cref="Entry.IsInCim"/>; a directory counts, so that a link to it is refused.</param>
    /// <param name="Pending">See <see cref="Entry"/>.</param>
    /// <param name="InCim">What the writer has been told of it.</param>
    [StructLayout(LayoutKind.Auto)]
    private readonly record struct Node(Claimed Claimed, bool IsLinkable, bool CanBeTarget, int Pending, InCim InCim);
}
