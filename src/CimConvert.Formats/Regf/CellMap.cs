using System.Buffers.Binary;
using System.Collections;

namespace CimConvert.Formats.Regf;

/// <summary>
/// All allocated cells of a hive, found by walking its bins. An offset must be that of an allocated cell, so that cells do not
/// overlap. A cell may be claimed by one record only, so that a hive cannot expand beyond its size or contain cycles. Windows
/// shares only the cells of security descriptors.
/// </summary>
internal sealed class CellMap
{
    private readonly ReadOnlyMemory<byte> _bins;
    private readonly BitArray _allocated;
    private readonly BitArray _claimed;

    public CellMap(ReadOnlyMemory<byte> bins)
    {
        _bins = bins;
        _allocated = new BitArray(bins.Length / CellField.Alignment);
        _claimed = new BitArray(bins.Length / CellField.Alignment);
        WalkBins(bins.Span);
    }

    /// <summary>Opens a cell that only one record may refer to.</summary>
    public CellReader Claim(CellOffset cell)
    {
        var reader = Open(cell);
        var unit = (int)(cell.Value / CellField.Alignment);
        if (_claimed[unit])
        {
            throw RegfError.At(cell, "is used twice: the hive's records form a cycle or share a cell");
        }

        _claimed[unit] = true;
        return reader;
    }

    /// <summary>Opens a cell that several records may refer to.</summary>
    public CellReader Open(CellOffset cell)
    {
        if (cell.Value >= (uint)_bins.Length)
        {
            throw RegfError.At(cell, $"lies past the end of the hive's {_bins.Length} bytes of bins");
        }

        if (cell.Value % CellField.Alignment != 0 || !_allocated[(int)(cell.Value / CellField.Alignment)])
        {
            throw RegfError.At(cell, "is not the start of a cell in use");
        }

        return new CellReader(cell, Payload(cell).Span);
    }

    /// <summary>How many cells of that payload fit in the hive: the limit of a count before memory is allocated for it.</summary>
    public int Capacity(int payload) => _bins.Length / (CellField.SizeLength + payload);

    /// <summary>Bytes of a cell's payload that outlive the <see cref="CellReader"/>, without a copy.</summary>
    public ReadOnlyMemory<byte> Slice(in CellReader cell, int field, int length)
    {
        _ = cell.Bytes(field, length);
        return Payload(cell.Cell).Slice(field, length);
    }

    private ReadOnlyMemory<byte> Payload(CellOffset cell)
    {
        var start = (int)cell.Value;
        var size = -BinaryPrimitives.ReadInt32LittleEndian(_bins.Span[start..]);
        return _bins.Slice(start + CellField.SizeLength, size - CellField.SizeLength);
    }

    private void WalkBins(ReadOnlySpan<byte> bins)
    {
        for (var bin = 0; bin < bins.Length;)
        {
            var offset = new CellOffset((uint)bin);
            var header = new CellReader(offset, bins.Slice(bin, BinField.HeaderSize));
            if (header.U32(BinField.Signature) != Signatures.Bin || header.U32(BinField.Offset) != offset.Value)
            {
                throw RegfError.At(offset, "no hive bin with this offset starts here");
            }

            var size = header.U32(BinField.Size);
            if (size == 0 || size % BinField.Page != 0 || size > bins.Length - bin)
            {
                throw RegfError.At(offset, $"hive bin of {size} bytes is not a whole number of pages inside the hive");
            }

            WalkCells(bins[..(bin + (int)size)], bin + BinField.HeaderSize);
            bin += (int)size;
        }
    }

    /// <param name="binsToEnd">All bins up to the end of the one to walk.</param>
    /// <param name="cell">Offset of its first cell.</param>
    private void WalkCells(ReadOnlySpan<byte> binsToEnd, int cell)
    {
        while (cell < binsToEnd.Length)
        {
            var size = BinaryPrimitives.ReadInt32LittleEndian(binsToEnd[cell..]);
            var length = Math.Abs((long)size);
            if (length == 0 || length % CellField.Alignment != 0 || length > binsToEnd.Length - cell)
            {
                throw RegfError.At(new CellOffset((uint)cell), $"size of {length} bytes is not a multiple of 8 inside its bin");
            }

            _allocated[cell / CellField.Alignment] = size < 0;
            cell += (int)length;
        }
    }
}
