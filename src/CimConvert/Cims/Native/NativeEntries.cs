using CimConvert.Formats.Cim;

namespace CimConvert.Cims.Native;

/// <summary>
/// The names an image has so far, in any case of their letters. Windows' writer documents neither what it does with a name that
/// comes twice nor with one whose parent is missing, so it is never left to find out.
/// </summary>
internal sealed class NativeEntries
{
    private readonly Dictionary<string, NativeEntryKind> _entries = new(NameComparer.Instance);

    public NativeEntryKind this[CimPath path]
    {
        get => _entries.GetValueOrDefault(path.Value);
        set => _entries[path.Value] = value;
    }

    /// <summary>The directories above a path that the image does not have, outermost first.</summary>
    /// <exception cref="InvalidDataException">One of them is something else.</exception>
    public Stack<CimPath> MissingParents(CimPath path)
    {
        var missing = new Stack<CimPath>();
        for (var parent = path.Parent; !parent.IsRoot; parent = parent.Parent)
        {
            switch (this[parent])
            {
                case NativeEntryKind.Directory:
                    return missing;
                case NativeEntryKind.None:
                    missing.Push(parent);
                    break;
                case NativeEntryKind.Tombstone:
                    throw Opaque(parent);
                default:
                    throw new InvalidDataException($"it lies below '{parent}', which is not a directory");
            }
        }

        return missing;
    }

    /// <summary>Whether something above a path is removed from lower layers already.</summary>
    public bool LiesBelowTombstone(CimPath path)
    {
        for (var parent = path.Parent; !parent.IsRoot; parent = parent.Parent)
        {
            if (this[parent] == NativeEntryKind.Tombstone)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>
    /// A directory that is there and hides what lower layers have in it: the writer has a call to remove a name of lower layers,
    /// and none for this. Both at one path would leave to chance whether removed files come back.
    /// </summary>
    public static InvalidDataException Opaque(CimPath directory) => new(
        $"directory '{directory}' is to hide what lower layers have in it, and Windows' writer has no call for that; --backend managed can");
}

/// <summary>What an image has by a name.</summary>
internal enum NativeEntryKind : byte
{
    None,
    Directory,

    /// <summary>A file or a link.</summary>
    Leaf,
    Tombstone,
}
