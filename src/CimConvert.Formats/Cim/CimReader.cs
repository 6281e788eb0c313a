using System.Buffers.Binary;
using CimConvert.Formats.Binary;

namespace CimConvert.Formats.Cim;

/// <summary>
/// Reads one CIM from its standard files, wherever those are. Everything read is untrusted: every offset, length and count is
/// checked before it is used, and nothing is allocated that the files could not fill. For one thread.
/// </summary>
internal sealed class CimReader : IDisposable
{
    /// <summary>As many as 32-bit file ids can reach.</summary>
    private const uint MaxFileTables = 0x40_0000;

    /// <summary>Link tables kept for <see cref="Find(CimPath)"/>, so that many look-ups in one directory read its table once.</summary>
    private const int MaxCachedTables = 64;

    private readonly CimRegions _regions;
    private readonly CimHeader _header;
    private readonly IReadOnlyList<IFileSet> _files;
    private readonly FileTable[] _fileTables;
    private readonly UpcaseTable _upcase;
    private readonly Dictionary<uint, LinkTable> _tables = [];

    /// <param name="name">Name of the filesystem file, which is looked for in the first set.</param>
    /// <param name="files">The CIM's own files first, then those of its parents or sources. Not owned.</param>
    /// <exception cref="InvalidDataException">No such CIM, or one that does not hold together.</exception>
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
            var tables = reader.U32();
            var rootId = reader.U32();
            UpcaseOffset = upcase;
            _upcase = ReadUpcase(upcase);
            _fileTables = ReadFileTables(directory, tables);
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

    /// <summary>Where each file table lies; the file with the id n is entry (n - 1) % 1024 of table (n - 1) / 1024.</summary>
    internal IReadOnlyList<FileTable> FileTables => _fileTables;

    internal UpcaseTable Upcase => _upcase;

    internal RegionOffset UpcaseOffset { get; }

    /// <summary>Files and directories, hard links counted once.</summary>
    public long FileCount => _fileTables.Sum(t => (long)t.Count);

    /// <summary>Version of the layout: 2 or 3.</summary>
    public uint Version => _header.Version;

    /// <summary>The CIM's own region files.</summary>
    public RegionSet OwnRegions => _header.Own;

    /// <summary>Region sets of parents (a forked CIM) or sources (a merged CIM).</summary>
    public IReadOnlyList<RegionSet> ParentRegions => _header.Parents;

    /// <summary>All regions, the parents' first; opens those that were not read yet.</summary>
    /// <exception cref="InvalidDataException">One is missing or damaged.</exception>
    public IEnumerable<CimRegion> Regions => _regions.Describe();

    /// <summary>Index of the first of the CIM's own regions.</summary>
    public int FirstOwnRegion => _header.Parents.Sum(p => p.Count);

    /// <summary>Names of the CIM's own region and object ID files.</summary>
    public IEnumerable<string> OwnFileNames => _header.OwnFileNames;

    /// <summary>Names of the region and object ID files of its parents or sources, each once.</summary>
    public IEnumerable<string> ParentFileNames => _header.Parents.Distinct().SelectMany(set => set.FileNames);

    /// <summary>Reads a record; hard links lead to the same one.</summary>
    public CimEntry Entry(uint fileId)
    {
        Span<byte> record = stackalloc byte[CimFormat.FileSize];
        ReadRecord(fileId, record);
        return CimEntry.Parse(fileId, record);
    }

    /// <summary>The bytes of a record, 96 of them; what a short one lacks is zero.</summary>
    internal void ReadRecord(uint fileId, Span<byte> record)
    {
        var index = (int)((fileId - 1) / CimFormat.FilesPerTable);
        var slot = (int)((fileId - 1) % CimFormat.FilesPerTable);
        if (fileId == 0 || index >= _fileTables.Length || slot >= _fileTables[index].Count)
        {
            throw new InvalidDataException($"there is no file {fileId} in the CIM's file tables");
        }

        var table = _fileTables[index];
        record.Clear();
        _regions.Read(
            new RegionOffset(table.Offset.Region, table.Offset.Offset + (slot * table.EntrySize)),
            record[..Math.Min((int)table.EntrySize, CimFormat.FileSize)]);
    }

    /// <summary>A directory's link table.</summary>
    internal LinkTable Links(CimEntry directory) => LinkTable.ReadDirectory(_regions, directory.Data, _upcase);

    /// <summary>The names in a directory with their files, sorted.</summary>
    public IEnumerable<(string Name, CimEntry Entry)> Children(CimEntry directory)
    {
        var table = Links(directory);
        for (var i = 0; i < table.Count; i++)
        {
            yield return (table.Name(i), Entry(table.FileId(i)));
        }
    }

    /// <summary>The entry at a path, names compared by the CIM's upcase table; null where there is none.</summary>
    public CimEntry? Find(CimPath path) => Find(path, out _);

    /// <param name="path">In any letter case.</param>
    /// <param name="spelled">The path as the CIM spells it.</param>
    public CimEntry? Find(CimPath path, out CimPath spelled)
    {
        spelled = CimPath.Root;
        var at = Root;
        if (path.IsRoot)
        {
            return at;
        }

        foreach (var name in path.Value.Split(CimPath.Separator))
        {
            if (!at.IsPlainDirectory)
            {
                return null;
            }

            var table = SearchableTable(at);
            if (table.IndexOf(name, _upcase) is not { } index)
            {
                return null;
            }

            spelled = spelled.Append(table.Name(index));
            at = Entry(table.FileId(index));
        }

        return at;
    }

    /// <summary>The entry of that name in a directory; null where there is none.</summary>
    public CimEntry? FindChild(CimEntry directory, string name)
    {
        var table = SearchableTable(directory);
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

    /// <summary>The self-relative descriptor; empty for none.</summary>
    public byte[] SecurityDescriptor(CimEntry entry) => ReadSized(entry.SecurityDescriptor);

    /// <summary>The reparse buffer with its tag, or a merge link's target; empty for none.</summary>
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

    /// <summary>Opens a stream's bytes. Valid as long as this reader is.</summary>
    public Stream OpenStream(CimStream stream)
    {
        if (stream.Type is not (CimStreamType.Data or CimStreamType.PeImage))
        {
            throw new InvalidDataException($"a stream of type {stream.Type} cannot be read as data");
        }

        if (stream.IsSparse || stream.Length == 0)
        {
            return new CimDataStream(_regions, stream, image: null);
        }

        var image = stream.Type == CimStreamType.PeImage ? PeImage(stream) : null;
        if (image is null)
        {
            _regions.Check(stream.Data, stream.Length);
        }

        return new CimDataStream(_regions, stream, image);
    }

    /// <summary>Reads and checks the record of a PE image.</summary>
    internal CimPeImage PeImage(CimStream stream) => CimPeImage.Read(_regions, stream);

    /// <summary>The object ID entries of one of the CIM's own regions: the content of its streams, each once.</summary>
    public IEnumerable<(RegionOffset Offset, CimObject Object)> Objects(int region)
    {
        var name = CimFormat.ObjectIdName(_header.Own.Id, region);
        using var file = _files[0].TryOpen(name) ?? throw new InvalidDataException($"object ID file '{name}' is missing");
        foreach (var entry in CimHeaderReader.ReadObjectIds(file))
        {
            yield return (new RegionOffset(FirstOwnRegion + region, entry.Offset), entry);
        }
    }

    /// <summary>Bytes of the region file that an offset lies in.</summary>
    public long RegionLength(RegionOffset offset) => _regions.LengthOf(offset);

    public void Dispose() => _regions.Dispose();

    internal uint StreamTableSize(CimEntry entry)
    {
        Span<byte> size = stackalloc byte[sizeof(uint)];
        _regions.Read(entry.StreamTable, size);
        return BinaryPrimitives.ReadUInt32LittleEndian(size);
    }

    private LinkTable SearchableTable(CimEntry directory)
    {
        if (!_tables.TryGetValue(directory.FileId, out var table))
        {
            table = Links(directory);
            if (_tables.Count == MaxCachedTables)
            {
                _tables.Clear();
            }

            _tables.Add(directory.FileId, table);
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

    private FileTable[] ReadFileTables(RegionOffset offset, uint count)
    {
        if (count > MaxFileTables)
        {
            throw new InvalidDataException($"the CIM says it has {count} file tables; file ids reach {MaxFileTables}");
        }

        _regions.Check(offset, (long)count * CimFormat.FileTableEntrySize);
        var bytes = new byte[count * CimFormat.FileTableEntrySize];
        _regions.Read(offset, bytes);
        var reader = new SpanReader(bytes);
        var tables = new FileTable[count];
        for (var i = 0; i < tables.Length; i++)
        {
            tables[i] = new FileTable(new RegionOffset(reader.U64()), reader.U16(), reader.U16());
            reader.Skip(sizeof(uint));
            if (tables[i].Count > CimFormat.FilesPerTable)
            {
                throw new InvalidDataException($"file table {i} says it has {tables[i].Count} files; a table has at most {CimFormat.FilesPerTable}");
            }

            if (tables[i].Count > 0)
            {
                _regions.Check(tables[i].Offset, (long)tables[i].Count * tables[i].EntrySize);
            }
        }

        return tables;
    }
}

/// <summary>One entry of the file table directory.</summary>
internal readonly record struct FileTable(RegionOffset Offset, ushort Count, ushort EntrySize);
