using System.Buffers.Binary;

namespace CimConvert.Formats.Regf;

/// <summary>Reads fields of one cell's payload; reading past its end is an error that names the cell.</summary>
internal readonly ref struct CellReader(CellOffset cell, ReadOnlySpan<byte> payload)
{
    private readonly ReadOnlySpan<byte> _payload = payload;

    public CellOffset Cell { get; } = cell;

    public int Length => _payload.Length;

    public byte Byte(int field) => Bytes(field, sizeof(byte))[0];

    public ushort U16(int field) => BinaryPrimitives.ReadUInt16LittleEndian(Bytes(field, sizeof(ushort)));

    public uint U32(int field) => BinaryPrimitives.ReadUInt32LittleEndian(Bytes(field, sizeof(uint)));

    public long I64(int field) => BinaryPrimitives.ReadInt64LittleEndian(Bytes(field, sizeof(long)));

    public CellOffset Offset(int field) => new(U32(field));

    public ReadOnlySpan<byte> Bytes(int field, int length)
    {
        // As long, because the sum of two ints can overflow.
        if ((long)field + length > _payload.Length)
        {
            throw RegfError.At(Cell, $"needs {(long)field + length} bytes and holds {_payload.Length}");
        }

        return _payload.Slice(field, length);
    }

    public void Expect(ushort signature)
    {
        var found = U16(0);
        if (found != signature)
        {
            throw RegfError.At(Cell, $"is not a cell of kind '{(char)(signature & 0xff)}{(char)(signature >> 8)}'");
        }
    }
}
