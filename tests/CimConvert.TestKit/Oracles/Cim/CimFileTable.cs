using System.Buffers.Binary;

namespace CimConvert.TestKit.Oracles.Cim;

/// <summary>The file entries by id: tables of 1024, found by a directory of tables.</summary>
internal sealed class CimFileTable
{
    public const int EntryLength = 96;

    private const int FilesPerTable = 1024;
    private const int DirectoryEntryLength = 16;

    private readonly List<byte[]> entries = [];

    public CimFileTable(CimRegions regions, CimOffset directory, uint length)
    {
        regions.Check(directory, (long)length * DirectoryEntryLength, "file table directory");
        for (uint i = 0; i < length; i++)
        {
            byte[] entry = regions.Read(directory.Plus(i * DirectoryEntryLength), DirectoryEntryLength, "file table directory");
            CimOffset table = new(BinaryPrimitives.ReadUInt64LittleEndian(entry));
            ushort count = BinaryPrimitives.ReadUInt16LittleEndian(entry.AsSpan(8));
            ushort size = BinaryPrimitives.ReadUInt16LittleEndian(entry.AsSpan(10));
            if (count is 0 or > FilesPerTable || (count < FilesPerTable && i + 1 < length))
            {
                throw new CimWalkException($"file table {i} of {length} has {count} files");
            }

            if (size is 0 or > EntryLength)
            {
                throw new CimWalkException($"file table {i} has entries of {size} bytes");
            }

            ReadTable(regions, table, count, size);
        }
    }

    public int Count => entries.Count;

    public bool IsUnused(uint id) => !entries[(int)id - 1].AsSpan().ContainsAnyExcept((byte)0);

    public ReadOnlySpan<byte> this[uint id] => id > 0 && id <= entries.Count
        ? entries[(int)id - 1]
        : throw new CimWalkException($"there is no file {id}: the file table has {entries.Count}");

    private void ReadTable(CimRegions regions, CimOffset table, int count, int size)
    {
        byte[] bytes = regions.Read(table, count * size, "file table");
        for (int i = 0; i < count; i++)
        {
            // A short entry ends where an older writer's did: the rest is zero.
            byte[] entry = new byte[EntryLength];
            bytes.AsSpan(i * size, size).CopyTo(entry);
            entries.Add(entry);
        }
    }
}
