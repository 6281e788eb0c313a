using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace CimConvert.Formats.Binary;

/// <summary>Reads consecutive little-endian fields; reading past the end throws <see cref="InvalidDataException"/>.</summary>
internal ref struct SpanReader(ReadOnlySpan<byte> data)
{
    private ReadOnlySpan<byte> _rest = data;

    public readonly int Remaining => _rest.Length;

    public byte U8() => Bytes(1)[0];

    public ushort U16() => BinaryPrimitives.ReadUInt16LittleEndian(Bytes(sizeof(ushort)));

    public uint U32() => BinaryPrimitives.ReadUInt32LittleEndian(Bytes(sizeof(uint)));

    public ulong U64() => BinaryPrimitives.ReadUInt64LittleEndian(Bytes(sizeof(ulong)));

    public long I64() => BinaryPrimitives.ReadInt64LittleEndian(Bytes(sizeof(long)));

    /// <summary>A GUID as Windows stores it: the first three fields little-endian.</summary>
    public Guid Guid() => new(Bytes(16));

    /// <summary>UTF-16LE text of <paramref name="units"/> code units; lone surrogates are kept.</summary>
    public string Utf16(int units) => Utf16Of(Bytes(checked(units * sizeof(char))));

    public static string Utf16Of(ReadOnlySpan<byte> bytes)
    {
        if (BitConverter.IsLittleEndian)
        {
            return new string(MemoryMarshal.Cast<byte, char>(bytes));
        }

        return string.Create(bytes.Length / sizeof(char), bytes, static (chars, from) =>
        {
            for (var i = 0; i < chars.Length; i++)
            {
                chars[i] = (char)BinaryPrimitives.ReadUInt16LittleEndian(from[(i * sizeof(char))..]);
            }
        });
    }

    public ReadOnlySpan<byte> Bytes(int count)
    {
        if (count < 0 || count > _rest.Length)
        {
            throw new InvalidDataException($"a field of {count} bytes runs past the {_rest.Length} bytes left");
        }

        var bytes = _rest[..count];
        _rest = _rest[count..];
        return bytes;
    }

    public void Skip(int count) => Bytes(count);
}
