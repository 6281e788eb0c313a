using System.Buffers.Binary;

namespace CimConvert.TestKit.Hives;

/// <summary>One big hive bin that cells are added to.</summary>
internal sealed class CellHeap
{
    public const int Page = 4096;
    private const int BinHeader = 32;
    private const int SizeField = 4;
    private const int Alignment = 8;

    private byte[] _bin = new byte[Page];
    private int _used = BinHeader;

    /// <summary>Sets a cell aside and returns its offset.</summary>
    public uint Add(int payload)
    {
        var at = _used;
        var size = (SizeField + payload + Alignment - 1) / Alignment * Alignment;
        Grow(_used + size);
        _used += size;
        BinaryPrimitives.WriteInt32LittleEndian(_bin.AsSpan(at), -size);
        return (uint)at;
    }

    public uint Add(ReadOnlySpan<byte> payload)
    {
        var at = Add(payload.Length);
        payload.CopyTo(_bin.AsSpan((int)at + SizeField));
        return at;
    }

    /// <summary>A cell's payload; good until the next cell is added.</summary>
    public Fields Fill(uint cell) => new(_bin.AsSpan((int)cell + SizeField));

    /// <summary>Whole pages: the header, the cells, and a free cell over the rest.</summary>
    public byte[] Close(long lastWritten)
    {
        var size = (_used + Page - 1) / Page * Page;
        Grow(size);
        if (size > _used)
        {
            BinaryPrimitives.WriteInt32LittleEndian(_bin.AsSpan(_used), size - _used);
        }

        var header = new Fields(_bin);
        header.Ascii("hbin");
        header.U32(0);
        header.U32((uint)size);
        header.I64(0);
        header.I64(lastWritten);
        return _bin.AsSpan(0, size).ToArray();
    }

    private void Grow(int size)
    {
        if (size > _bin.Length)
        {
            Array.Resize(ref _bin, Math.Max(size, _bin.Length * 2));
        }
    }
}
