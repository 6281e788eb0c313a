using System.Buffers.Binary;

namespace CimConvert.Formats.Regf;

/// <summary>Writes fields of one cell's payload, which is zeroed beforehand.</summary>
internal readonly ref struct CellWriter(Span<byte> payload)
{
    private readonly Span<byte> _payload = payload;

    public void Byte(int field, byte value) => _payload[field] = value;

    public void U16(int field, int value) => BinaryPrimitives.WriteUInt16LittleEndian(_payload[field..], checked((ushort)value));

    public void U32(int field, uint value) => BinaryPrimitives.WriteUInt32LittleEndian(_payload[field..], value);

    public void I64(int field, long value) => BinaryPrimitives.WriteInt64LittleEndian(_payload[field..], value);

    public void Offset(int field, CellOffset value) => U32(field, value.Value);

    public Span<byte> Rest(int field) => _payload[field..];
}
