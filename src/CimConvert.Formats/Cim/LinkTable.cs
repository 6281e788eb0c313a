using System.Buffers.Binary;
using CimConvert.Formats.Binary;

namespace CimConvert.Formats.Cim;

/// <summary>
/// A link table as read: a directory's names with file ids, or a file's alternate streams. Checked once, when it is read:
/// sizes, offsets, names, and that they are sorted by the CIM's own upcase table without repetition.
/// </summary>
internal sealed class LinkTable
{
    /// <summary>A million names of 255 units; a larger directory is not believed.</summary>
    private const int MaxSize = 512 * 1024 * 1024;

    private readonly byte[] _table;
    private readonly int _entrySize;

    private LinkTable(byte[] table, int count, int entrySize)
    {
        _table = table;
        Count = count;
        _entrySize = entrySize;
    }

    public static LinkTable Empty { get; } = new([], 0, sizeof(uint));

    public int Count { get; }

    public static LinkTable ReadDirectory(CimRegions regions, CimStream stream, UpcaseTable upcase) =>
        stream.Length == 0 ? Empty : Read(regions, stream.Data, sizeof(uint), upcase, stream.Length);

    public static LinkTable ReadStreams(CimRegions regions, RegionOffset offset, UpcaseTable upcase) =>
        offset.IsNull ? Empty : Read(regions, offset, CimFormat.StreamSize, upcase, expectedSize: null);

    /// <summary>Where a name stands, by the upcase table the table was checked with; null where it does not.</summary>
    public int? IndexOf(string name, UpcaseTable upcase)
    {
        var (low, high) = (0, Count - 1);
        while (low <= high)
        {
            var middle = low + ((high - low) / 2);
            var order = upcase.Compare(Name(middle), name);
            if (order == 0)
            {
                return middle;
            }

            (low, high) = order < 0 ? (middle + 1, high) : (low, middle - 1);
        }

        return null;
    }

    public string Name(int index) => SpanReader.Utf16Of(NameBytes(index));

    public uint FileId(int index) => BinaryPrimitives.ReadUInt32LittleEndian(Entry(index));

    public CimStream Stream(int index)
    {
        var entry = Entry(index);
        return new CimStream(new RegionOffset(BinaryPrimitives.ReadUInt64LittleEndian(entry)), BinaryPrimitives.ReadUInt64LittleEndian(entry[8..]));
    }

    private static LinkTable Read(CimRegions regions, RegionOffset offset, int entrySize, UpcaseTable upcase, long? expectedSize)
    {
        Span<byte> header = stackalloc byte[CimFormat.LinkTableHeaderSize];
        regions.Read(offset, header);
        var size = BinaryPrimitives.ReadUInt32LittleEndian(header);
        var count = BinaryPrimitives.ReadUInt32LittleEndian(header[4..]);
        if (size > MaxSize || (expectedSize is { } expected && expected != size))
        {
            throw new InvalidDataException($"link table at {offset} says it has {size} bytes{(expectedSize is null ? "" : $", its directory {expectedSize}")}");
        }

        var heads = CimFormat.LinkTableHeaderSize + (count * (long)(entrySize + sizeof(uint)));
        if (heads > size)
        {
            throw new InvalidDataException($"link table at {offset} says it has {count} entries in {size} bytes");
        }

        regions.Check(offset, size);
        var bytes = new byte[size];
        regions.Read(offset, bytes);
        var table = new LinkTable(bytes, (int)count, entrySize);
        table.CheckNames(offset, upcase);
        return table;
    }

    private void CheckNames(RegionOffset at, UpcaseTable upcase)
    {
        string? before = null;
        var room = _table.Length - CimFormat.LinkTableHeaderSize - ((long)Count * (_entrySize + sizeof(uint)));
        for (var i = 0; i < Count; i++)
        {
            var name = Name(i);
            if (CimPath.ValidateName(name) is { } why)
            {
                throw new InvalidDataException($"link table at {at}: name {i} {why}");
            }

            if (before is not null && upcase.Compare(before, name) >= 0)
            {
                throw new InvalidDataException($"link table at {at}: name {i} does not sort after the one before it");
            }

            // Names that overlap would let a small table hold many long ones.
            room -= sizeof(ushort) + (name.Length * sizeof(char));
            if (room < 0)
            {
                throw new InvalidDataException($"link table at {at}: its names overlap");
            }

            before = name;
        }
    }

    private ReadOnlySpan<byte> Entry(int index) =>
        _table.AsSpan(CimFormat.LinkTableHeaderSize + (index * _entrySize), _entrySize);

    private ReadOnlySpan<byte> NameBytes(int index)
    {
        var offsets = CimFormat.LinkTableHeaderSize + (Count * _entrySize);
        var at = BinaryPrimitives.ReadUInt32LittleEndian(_table.AsSpan(offsets + (index * sizeof(uint))));
        if (at > _table.Length - sizeof(ushort))
        {
            throw new InvalidDataException($"name {index} of a link table starts at {at}, past its {_table.Length} bytes");
        }

        var reader = new SpanReader(_table.AsSpan((int)at));
        return reader.Bytes(reader.U16() * sizeof(char));
    }
}
