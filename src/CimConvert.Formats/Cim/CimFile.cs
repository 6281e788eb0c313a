namespace CimConvert.Formats.Cim;

/// <summary>An alternate stream of a file being written.</summary>
internal readonly record struct CimAlternateStream(string Name, CimStream Stream);

/// <summary>
/// A file or directory of a CIM being built. Hard links are several names for one object.
/// Descriptors, EAs and reparse buffers are indexes into the tree's <see cref="BlobTable"/>, -1 for none.
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

    /// <summary>The record of a default stream that is a PE image; its place is given by <see cref="CimLayout"/>.</summary>
    public int PeImage { get; set; } = NoBlob;

    /// <summary>By name, in any case of its letters.</summary>
    public Dictionary<string, CimAlternateStream>? AlternateStreams { get; set; }

    /// <summary>Names in this directory; null for anything that is not a directory.</summary>
    public Dictionary<string, CimFile>? Children { get; set; }

    /// <summary>1-based, given by <see cref="CimLayout"/>, or by the parent of a forked CIM; 0 until then.</summary>
    public uint Id { get; set; }

    public uint ParentId { get; set; }

    /// <summary>Where the table of alternate streams lies, given by <see cref="CimLayout"/>; null without any.</summary>
    public RegionOffset StreamTable { get; set; }

    /// <summary>In a forked CIM: a file of the parent's, here only to be named; nothing but its id counts.</summary>
    public bool IsShared { get; private init; }

    /// <summary>In a forked CIM: it has its id from the parent, and replaces the record there.</summary>
    public bool IsKept { get; set; }

    /// <summary>
    /// In a forked CIM: the parent's record, which stands but for its default stream and the directory it gives. Null where the
    /// CIM describes the file itself.
    /// </summary>
    public byte[]? Record { get; set; }

    /// <summary>In a forked CIM: a directory whose link table is the parent's; its children are only what changed further down.</summary>
    public bool KeepsLinks { get; set; }

    public bool IsDirectory => Children is not null;

    /// <summary>A directory others can be put into: a link to one is a leaf, whatever its attributes say.</summary>
    public bool IsPlainDirectory => IsDirectory && ReparseTag == 0;

    public bool Has(CimFileFlags flag) => (Flags & flag) != 0;

    public static CimFile Shared(uint id) => new() { Id = id, IsShared = true };

    public static CimFile NewDirectory(CimFileFlags flags = CimFileFlags.None) =>
        new() { Flags = flags, Children = new Dictionary<string, CimFile>(NameComparer.Instance) };
}
