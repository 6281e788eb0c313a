using System.Runtime.InteropServices;
using CimConvert.Formats.Cim;

namespace CimConvert.Layers;

/// <summary>
/// The names a layer has given so far, in any case of their letters, and what they are: links are decided by it at the
/// layer's end. With the image's own tree of them it is all the memory an import takes that grows with its layer, and so
/// they are counted here, and limited.
/// </summary>
internal sealed class LayerEntries(InputLimits limits)
{
    /// <summary>No pending work would give the name another meaning.</summary>
    public const int NothingPending = -1;

    private readonly Dictionary<string, Entry> _entries = new(NameComparer.Instance);
    private long _count;
    private long _units;

    /// <summary>
    /// Takes a name for a directory or for something else. The last entry of a name wins, except that a directory and
    /// something else cannot follow one another: what would become of the entries below it has no good answer.
    /// </summary>
    /// <returns>The pending work that the new entry makes void, or <see cref="NothingPending"/>.</returns>
    /// <exception cref="InvalidDataException">
    /// The name, or one above it, is taken by something that does not go with it; it is too deep, or one too many.
    /// </exception>
    public int Claim(CimPath path, bool isDirectory, bool isLinkable, bool isInImage, int pending)
    {
        CheckDepth(path);
        Count(1, path.Value.Length);
        ClaimParents(path.Value);
        ref var entry = ref CollectionsMarshal.GetValueRefOrAddDefault(_entries, path.Value, out var exists);
        if (exists && entry.IsDirectory != isDirectory)
        {
            throw new InvalidDataException(isDirectory
                ? "a directory where the layer has something else by that name"
                : "the layer has a directory by that name");
        }

        var replaced = exists ? entry.Pending : NothingPending;
        // Until it is replaced in its turn, what the image already has by the name is still there to be linked to.
        entry = new Entry(isDirectory, isLinkable, isInImage || (exists && entry.IsInImage), pending);
        return replaced;
    }

    public bool TryGet(CimPath path, out Entry entry) => _entries.TryGetValue(path.Value, out entry);

    /// <summary>Pending work is done: the name now is in the image, or, a merge link, only in a lower layer's.</summary>
    public void Settle(CimPath path, bool isInImage) =>
        CollectionsMarshal.GetValueRefOrNullRef(_entries, path.Value) = new Entry(IsDirectory: false, IsLinkable: true, isInImage, NothingPending);

    /// <summary>Counts an alternate stream, which the image has to remember, too.</summary>
    /// <exception cref="InvalidDataException">It is one too many.</exception>
    public void CountStream(string name) => Count(1, name.Length);

    /// <summary>Counts where a link leads to; the link itself is claimed.</summary>
    /// <exception cref="InvalidDataException">The names are too long by now.</exception>
    public void CountTarget(CimPath path) => Count(0, path.Value.Length);

    /// <summary>Counts a name that is removed, with all those above it: the image may have to make each to say so.</summary>
    /// <exception cref="InvalidDataException">It is too deep, or one too many.</exception>
    public void CountWhiteout(CimPath path)
    {
        CheckDepth(path);
        Count(path.Depth, path.Value.Length);
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
        var lookup = _entries.GetAlternateLookup<ReadOnlySpan<char>>();
        for (var end = path.LastIndexOf(CimPath.Separator); end > 0; end = path.AsSpan(0, end).LastIndexOf(CimPath.Separator))
        {
            var parent = path.AsSpan(0, end);
            if (lookup.TryGetValue(parent, out var entry))
            {
                // Those above it were claimed with it.
                if (!entry.IsDirectory)
                {
                    throw new InvalidDataException($"it lies below '{parent}', which is not a directory");
                }

                return;
            }

            Count(1, parent.Length);
            lookup[parent] = new Entry(IsDirectory: true, IsLinkable: false, IsInImage: true, NothingPending);
        }
    }

    /// <param name="IsDirectory">Other entries may lie below it.</param>
    /// <param name="IsLinkable">It may have another name: files may, directories and links to directories may not.</param>
    /// <param name="IsInImage">The image has something by the name.</param>
    /// <param name="Pending">The pending work that will give the name its meaning, or <see cref="NothingPending"/>.</param>
    [StructLayout(LayoutKind.Auto)]
    public readonly record struct Entry(bool IsDirectory, bool IsLinkable, bool IsInImage, int Pending);
}
