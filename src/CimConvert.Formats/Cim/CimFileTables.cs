using CimConvert.Formats.Binary;

namespace CimConvert.Formats.Cim;

/// <summary>
/// The file tables of a CIM being laid out. A forked CIM references the parent's tables in which no record changes; a table
/// with a changed record is rewritten whole. The CIM's own tables are contiguous.
/// </summary>
internal sealed class CimFileTables
{
    private readonly IReadOnlyList<CimFile> _files;
    private readonly CimReader? _parent;
    private readonly List<Table> _tables = [];

    /// <param name="files">The records to write, sorted by file id.</param>
    /// <param name="parent">The CIM this one is forked from; null for none.</param>
    public CimFileTables(IReadOnlyList<CimFile> files, CimReader? parent)
    {
        _files = files;
        _parent = parent;
        var inherited = parent?.FileTables ?? [];
        for (var (index, next) = (0, 0); index < inherited.Count || next < files.Count; index++)
        {
            var parentTable = index < inherited.Count ? inherited[index] : default;
            var first = next;
            while (next < files.Count && TableOf(files[next].Id) == index)
            {
                next++;
            }

            var count = next == first ? parentTable.Count : Math.Max(parentTable.Count, SlotOf(files[next - 1].Id) + 1);
            _tables.Add(new Table(count, IsOwn: next > first, OwnSize, parentTable));
            OwnSize += next > first ? count * CimFormat.FileSize : 0;
        }
    }

    public int Count => _tables.Count;

    /// <summary>Bytes of all own tables.</summary>
    public long OwnSize { get; }

    /// <summary>The first file id that the parent does not use.</summary>
    /// <exception cref="InvalidDataException">The parent uses all ids.</exception>
    public static uint FirstNewId(CimReader? parent)
    {
        if (parent is not { FileTables: { Count: > 0 } tables })
        {
            return 1;
        }

        var last = ((tables.Count - 1L) * CimFormat.FilesPerTable) + tables[^1].Count;
        return last <= int.MaxValue ? (uint)last + 1 : throw new InvalidDataException($"the parent has {last} files: no more can be added");
    }

    /// <param name="to">Positioned at the file table directory.</param>
    /// <param name="ownTables">Offset of the first own table.</param>
    public void EmitDirectory(AppendWriter to, RegionOffset ownTables)
    {
        foreach (var table in _tables)
        {
            to.U64(table.IsOwn ? ownTables.Value + (ulong)table.Start : table.Parent.Offset.Value);
            to.U16((ushort)table.Count);
            to.U16(table.IsOwn ? (ushort)CimFormat.FileSize : table.Parent.EntrySize);
            to.U32(0);
        }
    }

    /// <param name="to">Positioned at the first own table.</param>
    /// <param name="emit">Writes one file record.</param>
    public void EmitTables(AppendWriter to, Action<CimFile> emit)
    {
        var record = new byte[CimFormat.FileSize];
        for (var (index, next) = (0, 0); index < _tables.Count; index++)
        {
            for (var slot = 0; _tables[index].IsOwn && slot < _tables[index].Count; slot++)
            {
                var id = (uint)((index * CimFormat.FilesPerTable) + slot + 1);
                if (next < _files.Count && _files[next].Id == id)
                {
                    emit(_files[next++]);
                    continue;
                }

                _parent!.ReadRecord(id, record);
                to.Bytes(record);
            }
        }
    }

    private static int TableOf(uint id) => (int)((id - 1) / CimFormat.FilesPerTable);

    private static int SlotOf(uint id) => (int)((id - 1) % CimFormat.FilesPerTable);

    /// <param name="Count">Files in the table.</param>
    /// <param name="IsOwn">Whether this CIM writes the table, rather than referencing the parent's.</param>
    /// <param name="Start">Bytes of the own tables before it.</param>
    /// <param name="Parent">The parent's table; zeros if it has none.</param>
    private readonly record struct Table(int Count, bool IsOwn, long Start, FileTable Parent);
}
