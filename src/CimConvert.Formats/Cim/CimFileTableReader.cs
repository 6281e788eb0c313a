using CimConvert.Formats.Binary;

namespace CimConvert.Formats.Cim;

/// <summary>Reads file records by file id: file n is entry (n - 1) % 1024 of table (n - 1) / 1024.</summary>
internal sealed class CimFileTableReader
{
    private readonly CimRegions _regions;
    private readonly FileTable[] _tables;

    /// <param name="regions">The CIM's regions. Not owned.</param>
    /// <param name="directory">Offset of the file table directory.</param>
    /// <param name="count">Entries of the directory.</param>
    /// <exception cref="InvalidDataException">The directory or a table lies outside its region.</exception>
    public CimFileTableReader(CimRegions regions, RegionOffset directory, uint count)
    {
        _regions = regions;
        _regions.Check(directory, (long)count * CimFormat.FileTableEntrySize);
        var bytes = new byte[count * CimFormat.FileTableEntrySize];
        _regions.Read(directory, bytes);
        var reader = new SpanReader(bytes);
        _tables = new FileTable[count];
        for (var i = 0; i < _tables.Length; i++)
        {
            _tables[i] = new FileTable(new RegionOffset(reader.U64()), reader.U16(), reader.U16());
            reader.Skip(sizeof(uint));
            if (_tables[i].Count > CimFormat.FilesPerTable)
            {
                throw new InvalidDataException($"file table {i} says it has {_tables[i].Count} files; a table has at most {CimFormat.FilesPerTable}");
            }

            if (_tables[i].Count > 0)
            {
                _regions.Check(_tables[i].Offset, (long)_tables[i].Count * _tables[i].EntrySize);
            }
        }
    }

    public IReadOnlyList<FileTable> Tables => _tables;

    public long FileCount => _tables.Sum(t => (long)t.Count);

    /// <summary>Reads the 96 bytes of a file record; a shorter record is padded with zeros.</summary>
    /// <exception cref="InvalidDataException">There is no file of that id.</exception>
    public void ReadRecord(uint fileId, Span<byte> record)
    {
        var index = (int)((fileId - 1) / CimFormat.FilesPerTable);
        var slot = (int)((fileId - 1) % CimFormat.FilesPerTable);
        if (fileId == 0 || index >= _tables.Length || slot >= _tables[index].Count)
        {
            throw new InvalidDataException($"there is no file {fileId} in the CIM's file tables");
        }

        var table = _tables[index];
        record.Clear();
        _regions.Read(
            new RegionOffset(table.Offset.Region, table.Offset.Offset + (slot * table.EntrySize)),
            record[..Math.Min((int)table.EntrySize, CimFormat.FileSize)]);
    }
}

/// <summary>One entry of the file table directory.</summary>
internal readonly record struct FileTable(RegionOffset Offset, ushort Count, ushort EntrySize);
