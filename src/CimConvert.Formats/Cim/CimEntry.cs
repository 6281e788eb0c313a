using CimConvert.Formats.Binary;

namespace CimConvert.Formats.Cim;

/// <summary>A file record as read from a CIM: the metadata and offsets of one file or directory.</summary>
internal readonly record struct CimEntry
{
    /// <summary>1-based; all names of a hard-linked file share it.</summary>
    public uint FileId { get; private init; }

    public CimFileFlags Flags { get; private init; }

    public ushort ExtendedAttributesLength { get; private init; }

    public uint ReparseTag { get; private init; }

    public long CreationTime { get; private init; }

    public long LastWriteTime { get; private init; }

    public long ChangeTime { get; private init; }

    public long LastAccessTime { get; private init; }

    /// <summary>The default stream; a directory's is its link table.</summary>
    public CimStream Data { get; private init; }

    public RegionOffset SecurityDescriptor { get; private init; }

    public RegionOffset ExtendedAttributes { get; private init; }

    public RegionOffset Reparse { get; private init; }

    public RegionOffset StreamTable { get; private init; }

    public uint ParentId { get; private init; }

    public bool IsDirectory => Data.Type == CimStreamType.LinkTable;

    /// <summary>A directory that can hold entries, not a directory symlink or junction.</summary>
    public bool IsPlainDirectory => IsDirectory && ReparseTag == 0;

    public bool Has(CimFileFlags flag) => (Flags & flag) != 0;

    /// <summary>The Win32 attributes that Windows reports for the file.</summary>
    public uint Attributes => FileAttributes.FromFlags(Flags, IsDirectory, ReparseTag != 0);

    /// <summary>Bytes of the default stream; 0 for directories.</summary>
    public long Size => IsDirectory ? 0 : Data.Length;

    internal static CimEntry Parse(uint id, ReadOnlySpan<byte> record)
    {
        var reader = new SpanReader(record);
        return new CimEntry
        {
            FileId = id,
            Flags = (CimFileFlags)reader.U16(),
            ExtendedAttributesLength = reader.U16(),
            ReparseTag = reader.U32(),
            CreationTime = reader.I64(),
            LastWriteTime = reader.I64(),
            ChangeTime = reader.I64(),
            LastAccessTime = reader.I64(),
            Data = new CimStream(new RegionOffset(reader.U64()), reader.U64()),
            SecurityDescriptor = new RegionOffset(reader.U64()),
            ExtendedAttributes = new RegionOffset(reader.U64()),
            Reparse = new RegionOffset(reader.U64()),
            StreamTable = new RegionOffset(reader.U64()),
            ParentId = reader.U32(),
        };
    }
}

/// <summary>An alternate stream as read from a CIM.</summary>
internal readonly record struct CimNamedStream(string Name, CimStream Stream);
