namespace CimConvert.Formats.Cim;

/// <summary>An alternate stream of a file being written.</summary>
internal readonly record struct CimAlternateStream(string Name, CimStream Stream);

/// <summary>
/// A file or directory of a CIM being built; hard links are several names for one instance.
/// Security descriptors, EAs and reparse buffers are indexes into the tree's <see cref="BlobTable"/>, -1 for none.
/// </summary>
internal sealed class CimFile
{
    public const int NoBlob = -1;

    public CimFileFlags Flags { get; set; }

    public uint ReparseTag { get; set; }

    public long CreationTime { get; set; }

    public long LastWriteTime { get; set; }

    public long ChangeTime { get; set; }

    public long LastAccessTime { get; set; }

    public CimStream Data { get; set; }

    public int SecurityDescriptor { get; set; } = NoBlob;

    public int ExtendedAttributes { get; set; } = NoBlob;

    public int Reparse { get; set; } = NoBlob;

    /// <summary>The PE image record of the default stream, if it is one; <see cref="CimLayout"/> assigns its offset.</summary>
    public int PeImage { get; set; } = NoBlob;

    /// <summary>By name, case-insensitive.</summary>
    public Dictionary<string, CimAlternateStream>? AlternateStreams { get; set; }

    /// <summary>The directory's entries by name; null for anything that is not a directory.</summary>
    public Dictionary<string, CimFile>? Children { get; set; }

    /// <summary>The 1-based file id, from <see cref="CimLayout"/> or, in a forked CIM, from its parent; 0 until assigned.</summary>
    public uint Id { get; set; }

    public uint ParentId { get; set; }

    /// <summary>Offset of the alternate streams' table, assigned by <see cref="CimLayout"/>; null if there are none.</summary>
    public RegionOffset StreamTable { get; set; }

    /// <summary>In a forked CIM: an unchanged file of the parent, referenced by its id; no other property is used.</summary>
    public bool IsShared { get; private init; }

    /// <summary>In a forked CIM: has its id from the parent and replaces the parent's record.</summary>
    public bool IsKept { get; set; }

    /// <summary>
    /// In a forked CIM: the parent's record, copied except for the default stream and the parent directory's id. Null if the
    /// CIM describes the file itself.
    /// </summary>
    public byte[]? Record { get; set; }

    /// <summary>
    /// In a forked CIM: a directory that uses the parent's link table; its children are only those with changes below them.
    /// </summary>
    public bool KeepsLinks { get; set; }

    public bool IsDirectory => Children is not null;

    /// <summary>A directory that can hold entries. A directory symlink or junction cannot: it is a leaf.</summary>
    public bool IsPlainDirectory => IsDirectory && ReparseTag == 0;

    /// <summary>
    /// Whether the entry is a directory that exists only because paths in it are removed from lower layers: it and everything
    /// below it is implicit or a tombstone.
    /// </summary>
    public bool HoldsOnlyWhiteouts()
    {
        var pending = new Stack<CimFile>([this]);
        while (pending.TryPop(out var file))
        {
            if (!file.Has(CimFileFlags.Tombstone) && !file.Has(CimFileFlags.Implicit))
            {
                return false;
            }

            if (file.Children is not null)
            {
                foreach (var child in file.Children.Values)
                {
                    pending.Push(child);
                }
            }
        }

        return IsDirectory;
    }

    public bool Has(CimFileFlags flag) => (Flags & flag) != 0;

    public static CimFile Shared(uint id) => new() { Id = id, IsShared = true };

    public static CimFile NewDirectory(CimFileFlags flags = CimFileFlags.None) =>
        new() { Flags = flags, Children = new Dictionary<string, CimFile>(NameComparer.Instance) };
}
