using System.Collections.Immutable;
using System.Runtime.InteropServices;

namespace CimConvert.Formats.Regf;

/// <summary>Reads a key's values: their list, their cells and their data.</summary>
internal sealed class ValueReader(CellMap cells, NamePool names)
{
    public ImmutableArray<HiveValue> Read(CellOffset list, uint count)
    {
        if (count == 0)
        {
            return [];
        }

        var cell = cells.Claim(list);
        if (count > cell.Length / OffsetList.Element || count > cells.Capacity(ValueField.Name))
        {
            throw RegfError.At(list, $"list of {count} values does not fit its cell of {cell.Length} bytes, or the hive");
        }

        var values = new HiveValue[count];
        for (var i = 0; i < values.Length; i++)
        {
            values[i] = ReadValue(cell.Offset(i * OffsetList.Element));
        }

        return ImmutableCollectionsMarshal.AsImmutableArray(values);
    }

    private HiveValue ReadValue(CellOffset offset)
    {
        var cell = cells.Claim(offset);
        cell.Expect(Signatures.Value);
        var flags = cell.U16(ValueField.Flags);
        var stored = cell.Bytes(ValueField.Name, cell.U16(ValueField.NameLength));
        var compressed = (flags & ValueField.CompressedName) != 0;
        if (NamePool.Units(stored, compressed) > RegfLimits.ValueName)
        {
            throw RegfError.At(offset, $"value's name is longer than {RegfLimits.ValueName} characters");
        }

        var name = names.Get(stored, compressed);
        return (flags & ValueField.Tombstone) != 0
            ? HiveValue.Tombstone(name)
            : new HiveValue(name, cell.U32(ValueField.Type), ReadData(cell));
    }

    private ReadOnlyMemory<byte> ReadData(in CellReader value)
    {
        var size = value.U32(ValueField.DataSize);
        if ((size & ValueField.InlineBit) != 0)
        {
            var inline = size & ~ValueField.InlineBit;
            return inline <= ValueField.MaxInline
                ? cells.Slice(value, ValueField.Data, (int)inline)
                : throw RegfError.At(value.Cell, $"{inline} bytes of data are too many to be stored in the value itself");
        }

        if (size == 0)
        {
            return default;
        }

        var offset = value.Offset(ValueField.Data);
        var data = cells.Claim(offset);
        if (size <= data.Length)
        {
            return cells.Slice(data, 0, (int)size);
        }

        // Decided by the cell, not by the version: hivex and version 1.3 store large data in one cell, and a db cell is too small for it.
        return size > BigDataField.SegmentSize && data.Length >= BigDataField.Size && data.U16(BigDataField.Signature) == Signatures.BigData
            ? ReadSegments(data, (int)size)
            : throw RegfError.At(offset, $"{size} bytes of data do not fit their cell of {data.Length}");
    }

    private byte[] ReadSegments(in CellReader head, int size)
    {
        var count = head.U16(BigDataField.Count);
        var list = cells.Claim(head.Offset(BigDataField.SegmentList));
        _ = list.Bytes(0, count * OffsetList.Element);
        if (count != SegmentCount(size))
        {
            throw RegfError.At(head.Cell, $"{size} bytes of data are not kept in {count} segments");
        }

        CheckSegments(list, count, size);
        var data = new byte[size];
        for (var i = 0; i < count; i++)
        {
            var target = data.AsSpan(i * BigDataField.SegmentSize);
            var length = Math.Min(target.Length, BigDataField.SegmentSize);
            cells.Open(list.Offset(i * OffsetList.Element)).Bytes(0, length).CopyTo(target);
        }

        return data;
    }

    /// <summary>Runs before the data is allocated, to make sure that cells of that size exist and are not shared.</summary>
    private void CheckSegments(in CellReader list, int count, int size)
    {
        for (var i = 0; i < count; i++)
        {
            var rest = size - (i * BigDataField.SegmentSize);
            _ = cells.Claim(list.Offset(i * OffsetList.Element)).Bytes(0, Math.Min(rest, BigDataField.SegmentSize));
        }
    }

    private static long SegmentCount(long size) => (size + BigDataField.SegmentSize - 1) / BigDataField.SegmentSize;
}
