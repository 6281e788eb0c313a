using System.Buffers.Binary;
using System.Collections;

namespace CimConvert.Formats.Regf;

/// <summary>
/// Every allocated cell of a hive, found by walking its bins. An offset leads only to the start of such a cell, so that no
/// two cells overlap; and a cell is claimed by at most one owner, so that what a hive unfolds to is bounded by its size
/// and no walk over it can go in circles. Windows shares no cells but security descriptors.
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

    /// <summary>Opens a cell for reading that only one record may refer to.</summary>
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

    /// <summary>Opens a cell for reading that several records may refer to.</summary>
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

    /// <summary>How many cells of that payload could lie in the hive: a limit to counts, before memory is set aside for them.</summary>
    public int Capacity(int payload) => _bins.Length / (CellField.SizeLength + payload);

    /// <summary>Bytes of an opened cell's payload that outlive the reader, without a copy.</summary>
    public ReadOnlyMemory<byte> Slice(in CellReader cell, int field, int length)
    {
        _ = cell.Bytes(field, length);
        return Payload(cell.At).Slice(field, length);
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
            var at = new CellOffset((uint)bin);
            var header = new CellReader(at, bins.Slice(bin, BinField.HeaderSize));
            if (header.U32(BinField.Signature) != Signatures.Bin || header.U32(BinField.Offset) != at.Value)
            {
                throw RegfError.At(at, "a hive bin should start here, and say so");
            }

            var size = header.U32(BinField.Size);
            if (size == 0 || size % BinField.Page != 0 || size > bins.Length - bin)
            {
                throw RegfError.At(at, $"hive bin of {size} bytes is not of whole pages inside the hive");
            }

            WalkCells(bins[..(bin + (int)size)], bin + BinField.HeaderSize);
            bin += (int)size;
        }
    }

    private void WalkCells(ReadOnlySpan<byte> untilBinEnd, int cell)
    {
        while (cell < untilBinEnd.Length)
        {
            var size = BinaryPrimitives.ReadInt32LittleEndian(untilBinEnd[cell..]);
            var length = Math.Abs((long)size);
            if (length == 0 || length % CellField.Alignment != 0 || length > untilBinEnd.Length - cell)
            {
                throw RegfError.At(new CellOffset((uint)cell), $"size of {length} bytes is not a multiple of 8 inside its bin");
            }

            _allocated[cell / CellField.Alignment] = size < 0;
            cell += (int)length;
        }
    }
}
