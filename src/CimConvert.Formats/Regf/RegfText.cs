using System.Buffers.Binary;

namespace CimConvert.Formats.Regf;

/// <summary>Reads and writes UTF-16LE unit by unit, because names may have lone surrogates, which an encoder would replace.</summary>
internal static class RegfText
{
    public static void Read(ReadOnlySpan<byte> source, Span<char> target)
    {
        for (var i = 0; i < target.Length; i++)
        {
            target[i] = (char)BinaryPrimitives.ReadUInt16LittleEndian(source[(i * sizeof(char))..]);
        }
    }

    public static void Write(ReadOnlySpan<char> source, Span<byte> target)
    {
        for (var i = 0; i < source.Length; i++)
        {
            BinaryPrimitives.WriteUInt16LittleEndian(target[(i * sizeof(char))..], source[i]);
        }
    }
}
