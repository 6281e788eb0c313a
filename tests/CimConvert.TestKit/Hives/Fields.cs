using System.Buffers.Binary;
using System.Text;

namespace CimConvert.TestKit.Hives;

/// <summary>Writes a record's fields one after the other, as the description lists them.</summary>
internal ref struct Fields(Span<byte> record)
{
    private readonly Span<byte> _record = record;
    private int _at;

    public void Ascii(string text) => _at += Encoding.ASCII.GetBytes(text, _record[_at..]);

    public void Bytes(scoped ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(_record[_at..]);
        _at += bytes.Length;
    }

    public void U8(byte value) => _record[_at++] = value;

    public void U16(int value)
    {
        BinaryPrimitives.WriteUInt16LittleEndian(_record[_at..], checked((ushort)value));
        _at += sizeof(ushort);
    }

    public void U32(uint value)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(_record[_at..], value);
        _at += sizeof(uint);
    }

    public void I64(long value)
    {
        BinaryPrimitives.WriteInt64LittleEndian(_record[_at..], value);
        _at += sizeof(long);
    }

    /// <summary>Leaves zeros up to a place in the record.</summary>
    public void SkipTo(int at) => _at = at;
}
