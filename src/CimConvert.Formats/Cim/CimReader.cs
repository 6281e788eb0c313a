using System.Buffers.Binary;
using CimConvert.Formats.Binary;

namespace CimConvert.Formats.Cim;

/// <summary>
/// Reads one CIM from its standard files, which may lie in a directory or in a block file. Everything read is untrusted: every
/// offset, length and count is checked before use, and no allocation is larger than the files could fill. Not thread-safe.
/// </summary>
internal sealed class CimReader : IDisposable
{
    /// <summary>All that 32-bit file ids can address.</summary>
    private const uint MaxFileTables = 0x40_0000;

    /// <summary>Link tables cached by <see cref="Find(CimPath)"/>, so that lookups in the same directory read its table once.</summary>
    private const int MaxCachedTables = 64;

    private readonly CimRegions _regions;
    private readonly CimHeader _header;
    private readonly IReadOnlyList<IFileSet> _files;
    private readonly CimFileTableReader _fileTables;
    private readonly UpcaseTable _upcase;
    private readonly Dictionary<uint, LinkTable> _cachedLinkTables = [];

    /// <param name="name">Name of the filesystem file, searched for in the first set.</param>
    /// <param name="files">The CIM's own files first, then those of its parents or sources. Not owned.</param>
    /// <exception cref="InvalidDataException">There is no such CIM, or it is malformed.</exception>
    public CimReader(string name, params IReadOnlyList<IFileSet> files)
    {
        ArgumentNullException.ThrowIfNull(files);
        _files = files;
        using (var file = files[0].TryOpen(name) ?? throw new InvalidDataException($"there is no CIM '{name}'"))
        {
            _header = CimHeaderReader.ReadFilesystem(file);
        }

        _regions = new CimRegions([.. _header.Parents, _header.Own], files);
        try
        {
            Span<byte> bytes = stackalloc byte[CimFormat.FilesystemObjectSize];
            _regions.Read(_header.Filesystem, bytes);
            var reader = new SpanReader(bytes);
            var upcase = new RegionOffset(reader.U64());
            var directory = new RegionOffset(reader.U64());
            var tableCount = reader.U32();
            var rootId = reader.U32();
            UpcaseOffset = upcase;
            _upcase = ReadUpcase(upcase);
            if (tableCount > MaxFileTables)
            {
                throw new InvalidDataException($"the CIM says it has {tableCount} file tables; file ids reach {MaxFileTables}");
            }

            _fileTables = new CimFileTableReader(_regions, directory, tableCount);
            Root = Entry(rootId);
            if (!Root.IsPlainDirectory || Root.Has(CimFileFlags.Tombstone | CimFileFlags.MergeLink))
            {
                throw new InvalidDataException("the CIM's root is not a directory");
            }
        }
        catch
        {
            _regions.Dispose();
            throw;
        }
    }

    public CimEntry Root { get; }

    /// <summary>The location of each file table.</summary>
    internal IReadOnlyList<FileTable> FileTables => _fileTables.Tables;

    internal UpcaseTable Upcase => _upcase;

    internal RegionOffset UpcaseOffset { get; }

    /// <summary>Number of files and directories, each hard-linked file counted once.</summary>
    public long FileCount => _fileTables.FileCount;

    /// <summary>Version of the layout: 2 or 3.</summary>
    public uint Version => _header.Version;

    /// <summary>The CIM's own region files.</summary>
    public RegionSet OwnRegions => _header.Own;

    /// <summary>Region sets of parents (a forked CIM) or sources (a merged CIM).</summary>
    public IReadOnlyList<RegionSet> ParentRegions => _header.Parents;

    /// <summary>All regions, the parents' first; opens those not yet read.</summary>
    /// <exception cref="InvalidDataException">A region file is missing or damaged.</exception>
    public IEnumerable<CimRegion> Regions => _regions.Describe();

    /// <summary>Index of the first of the CIM's own regions.</summary>
    public int FirstOwnRegion => _header.Parents.Sum(p => p.Count);

    /// <summary>Names of the CIM's own region and object ID files.</summary>
    public IEnumerable<string> OwnFileNames => _header.OwnFileNames;

    /// <summary>Names of the region and object ID files of its parents or sources, each once.</summary>
    public IEnumerable<string> ParentFileNames => _header.Parents.Distinct().SelectMany(set => set.FileNames);

    /// <summary>Reads a file record; all names of a hard-linked file share one.</summary>
    public CimEntry Entry(uint fileId)
    {
        Span<byte> record = stackalloc byte[CimFormat.FileSize];
        ReadRecord(fileId, record);
        return CimEntry.Parse(fileId, record);
    }

    /// <summary>Reads the 96 bytes of a file record; a shorter record is padded with zeros.</summary>
    internal void ReadRecord(uint fileId, Span<byte> record) => _fileTables.ReadRecord(fileId, record);

    /// <summary>A directory's link table.</summary>
    internal LinkTable Links(CimEntry directory) => LinkTable.ReadDirectory(_regions, directory.Data, _upcase);

    /// <summary>A directory's names with their files, sorted by name.</summary>
    public IEnumerable<(string Name, CimEntry Entry)> Children(CimEntry directory)
    {
        var table = Links(directory);
        for (var i = 0; i < table.Count; i++)
        {
            yield return (table.Name(i), Entry(table.FileId(i)));
        }
    }

    /// <summary>The entry at a path, or null. Names are compared by the CIM's upcase table.</summary>
    public CimEntry? Find(CimPath path) => Find(path, out _);

    /// <param name="path">The path, case-insensitive.</param>
    /// <param name="spelled">The path in the CIM's spelling.</param>
    public CimEntry? Find(CimPath path, out CimPath spelled)
    {
        spelled = CimPath.Root;
        var entry = Root;
        if (path.IsRoot)
        {
            return entry;
        }

        foreach (var name in path.Value.Split(CimPath.Separator))
        {
            if (!entry.IsPlainDirectory)
            {
                return null;
            }

            var table = CachedLinks(entry);
            if (table.IndexOf(name, _upcase) is not { } index)
            {
                return null;
            }

            spelled = spelled.Append(table.Name(index));
            entry = Entry(table.FileId(index));
        }

        return entry;
    }

    /// <summary>The entry of that name in a directory, or null.</summary>
    public CimEntry? FindChild(CimEntry directory, string name)
    {
        var table = CachedLinks(directory);
        return table.IndexOf(name, _upcase) is { } index ? Entry(table.FileId(index)) : null;
    }

    public IReadOnlyList<CimNamedStream> AlternateStreams(CimEntry entry)
    {
        var table = LinkTable.ReadStreams(_regions, entry.StreamTable, _upcase);
        var streams = new CimNamedStream[table.Count];
        for (var i = 0; i < streams.Length; i++)
        {
            streams[i] = new CimNamedStream(table.Name(i), table.Stream(i));
        }

        return streams;
    }

    /// <summary>The self-relative security descriptor; empty for none.</summary>
    public byte[] SecurityDescriptor(CimEntry entry) => ReadSized(entry.SecurityDescriptor);

    /// <summary>The REPARSE_DATA_BUFFER with its tag, or a merge link's target; empty for none.</summary>
    public byte[] Reparse(CimEntry entry) => ReadSized(entry.Reparse);

    /// <summary>FILE_FULL_EA_INFORMATION entries; empty for none.</summary>
    public byte[] ExtendedAttributes(CimEntry entry)
    {
        var bytes = new byte[entry.ExtendedAttributes.IsNull ? 0 : entry.ExtendedAttributesLength];
        if (bytes.Length > 0)
        {
            _regions.Read(entry.ExtendedAttributes, bytes);
        }

        return bytes;
    }

    /// <summary>The target path of a merge link.</summary>
    public CimPath MergeLinkTarget(CimEntry entry)
    {
        var bytes = Reparse(entry);
        return bytes.Length is > 0 and var length && length % sizeof(char) == 0
            ? CimPath.Parse(SpanReader.Utf16Of(bytes))
            : throw new InvalidDataException($"merge link of file {entry.FileId} has a target of {bytes.Length} bytes");
    }

    /// <summary>Opens a stream's bytes. The stream must not outlive this reader.</summary>
    public Stream OpenStream(CimStream stream)
    {
        if (stream.Type is not (CimStreamType.Data or CimStreamType.PeImage))
        {
            throw new InvalidDataException($"a stream of type {stream.Type} cannot be read as data");
        }

        if (stream.IsSparse || stream.Length == 0)
        {
            return new CimDataStream(_regions, stream, peImage: null);
        }

        var peImage = stream.Type == CimStreamType.PeImage ? PeImage(stream) : null;
        if (peImage is null)
        {
            _regions.Check(stream.Data, stream.Length);
        }

        return new CimDataStream(_regions, stream, peImage);
    }

    /// <summary>Reads and checks a PE image record.</summary>
    internal CimPeImage PeImage(CimStream stream) => CimPeImage.Read(_regions, stream);

    /// <summary>The object ID entries of one of the CIM's own regions: each distinct stream content once.</summary>
    public IEnumerable<(RegionOffset Offset, CimObject Object)> Objects(int region)
    {
        var name = CimFormat.ObjectIdName(_header.Own.Id, region);
        using var file = _files[0].TryOpen(name) ?? throw new InvalidDataException($"object ID file '{name}' is missing");
        foreach (var entry in CimHeaderReader.ReadObjectIds(file))
        {
            yield return (new RegionOffset(FirstOwnRegion + region, entry.Offset), entry);
        }
    }

    /// <summary>Length of the region file that the offset refers to.</summary>
    public long RegionLength(RegionOffset offset) => _regions.LengthOf(offset);

    public void Dispose() => _regions.Dispose();

    internal uint StreamTableSize(CimEntry entry)
    {
        Span<byte> size = stackalloc byte[sizeof(uint)];
        _regions.Read(entry.StreamTable, size);
        return BinaryPrimitives.ReadUInt32LittleEndian(size);
    }

    private LinkTable CachedLinks(CimEntry directory)
    {
        if (!_cachedLinkTables.TryGetValue(directory.FileId, out var table))
        {
            table = Links(directory);
            if (_cachedLinkTables.Count == MaxCachedTables)
            {
                _cachedLinkTables.Clear();
            }

            _cachedLinkTables.Add(directory.FileId, table);
        }

        return table;
    }

    private byte[] ReadSized(RegionOffset offset)
    {
        if (offset.IsNull)
        {
            return [];
        }

        Span<byte> length = stackalloc byte[sizeof(ushort)];
        _regions.Read(offset, length);
        var bytes = new byte[BinaryPrimitives.ReadUInt16LittleEndian(length)];
        _regions.Read(new RegionOffset(offset.Region, offset.Offset + sizeof(ushort)), bytes);
        return bytes;
    }

    private UpcaseTable ReadUpcase(RegionOffset offset)
    {
        var bytes = new byte[UpcaseTable.SizeInBytes];
        _regions.Read(offset, bytes);
        return UpcaseTable.FromBytes(bytes);
    }
}
