using System.Runtime.InteropServices;
using CimConvert.Cims;
using CimConvert.Formats.Cim;

namespace CimConvert.Layers;

/// <content>
/// What a whiteout removes: names of lower layers, and nothing of its own layer (OCI image spec, layer.md, "Whiteouts").
/// <see cref="EntryName"/> tells by <c>.wh.</c> which entries are whiteouts.
/// </content>
internal sealed partial class LayerTree
{
    /// <summary>Counts a removed name with all directories above it: the writer may have to add an entry for each of them.</summary>
    /// <exception cref="InvalidDataException">The path is too deep, or there are too many names.</exception>
    public void CountWhiteout(CimPath path)
    {
        CheckDepth(path);
        Count(path.Depth, path.Value.Length);
    }

    /// <summary>Whether a whiteout must be passed to the writer, and records it as passed.</summary>
    /// <exception cref="InvalidDataException">The writer cannot remove the name.</exception>
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
                // A file of this layer already hides those of lower layers, and so does a tombstone, here or above.
                return false;
        }
    }

    /// <summary>Whether a directory above a path is removed from lower layers already.</summary>
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
}
