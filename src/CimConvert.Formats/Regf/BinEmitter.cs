using System.Buffers.Binary;

namespace CimConvert.Formats.Regf;

/// <summary>Fills bins with consecutive cells and writes each full bin to the output.</summary>
internal sealed class BinEmitter(Stream output, long lastWritten)
{
    private readonly BinLayout _layout = new();
    private byte[] _bin = [];

    /// <summary>Adds a cell and returns its zeroed payload, which must be filled before the next cell is added.</summary>
    public Span<byte> Add(int payload, out CellOffset offset)
    {
        var size = BinLayout.CellSize(payload);
        if (_layout.NeedsBin(size))
        {
            Flush();
        }

        offset = _layout.Place(payload);
        var start = (int)(offset.Value - _layout.BinStart);
        if (start == BinField.HeaderSize)
        {
            StartBin();
        }

        var cell = _bin.AsSpan(start, size);
        BinaryPrimitives.WriteInt32LittleEndian(cell, -size);
        return cell.Slice(CellField.SizeLength, payload);
    }

    /// <summary>Makes the rest of the bin a free cell and writes the bin.</summary>
    public void Flush()
    {
        var size = (int)(_layout.BinEnd - _layout.BinStart);
        var rest = (int)(_layout.BinEnd - _layout.Next);
        if (rest > 0)
        {
            BinaryPrimitives.WriteInt32LittleEndian(_bin.AsSpan(size - rest), rest);
        }

        output.Write(_bin, 0, size);
    }

    private void StartBin()
    {
        var size = (int)(_layout.BinEnd - _layout.BinStart);
        if (_bin.Length < size)
        {
            _bin = new byte[size];
        }

        var bin = _bin.AsSpan(0, size);
        bin.Clear();
        BinaryPrimitives.WriteUInt32LittleEndian(bin[BinField.Signature..], Signatures.Bin);
        BinaryPrimitives.WriteUInt32LittleEndian(bin[BinField.Offset..], (uint)_layout.BinStart);
        BinaryPrimitives.WriteInt32LittleEndian(bin[BinField.Size..], size);
        if (_layout.BinStart == 0)
        {
            // The first bin repeats the base block's time; in other bins the field is unused.
            BinaryPrimitives.WriteInt64LittleEndian(bin[BinField.LastWritten..], lastWritten);
        }
    }
}
