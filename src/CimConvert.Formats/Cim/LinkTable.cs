using System.Buffers.Binary;
using CimConvert.Formats.Binary;

namespace CimConvert.Formats.Cim;

/// <summary>
/// A link table as read: a directory's names and file ids, or a file's alternate streams. Checked when it is read:
/// sizes, offsets and names, and that the names are sorted by the CIM's own upcase table without duplicates.
/// </summary>
internal sealed class LinkTable
{
    /// <summary>Room for a million names of 255 UTF-16 units; a larger directory is refused.</summary>
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

    /// <summary>The index of a name, or null if it is not there. Takes the upcase table that the link table was checked with.</summary>
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

        var namesStart = CimFormat.LinkTableHeaderSize + (count * (long)(entrySize + sizeof(uint)));
        if (namesStart > size)
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

    private void CheckNames(RegionOffset offset, UpcaseTable upcase)
    {
        string? previous = null;
        var spaceLeft = _table.Length - CimFormat.LinkTableHeaderSize - ((long)Count * (_entrySize + sizeof(uint)));
        for (var i = 0; i < Count; i++)
        {
            var name = Name(i);
            if (CimPath.ValidateName(name) is { } problem)
            {
                throw new InvalidDataException($"link table at {offset}: name {i} {problem}");
            }

            if (previous is not null && upcase.Compare(previous, name) >= 0)
            {
                throw new InvalidDataException($"link table at {offset}: name {i} does not sort after the one before it");
            }

            // If names could overlap, a small table could hold any number of long names.
            spaceLeft -= sizeof(ushort) + (name.Length * sizeof(char));
            if (spaceLeft < 0)
            {
                throw new InvalidDataException($"link table at {offset}: its names overlap");
            }

            previous = name;
        }
    }

    private ReadOnlySpan<byte> Entry(int index) =>
        _table.AsSpan(CimFormat.LinkTableHeaderSize + (index * _entrySize), _entrySize);

    private ReadOnlySpan<byte> NameBytes(int index)
    {
        var offsets = CimFormat.LinkTableHeaderSize + (Count * _entrySize);
        var start = BinaryPrimitives.ReadUInt32LittleEndian(_table.AsSpan(offsets + (index * sizeof(uint))));
        if (start > _table.Length - sizeof(ushort))
        {
            throw new InvalidDataException($"name {index} of a link table starts at {start}, past its {_table.Length} bytes");
        }

        var reader = new SpanReader(_table.AsSpan((int)start));
        return reader.Bytes(reader.U16() * sizeof(char));
    }
}
