using System.Buffers.Binary;
using System.Text;
using CimConvert.Formats.Regf;

namespace CimConvert.Layers.Hives;

/// <summary>Registry values, encoded as Windows writes them into hives.</summary>
internal static class RegistryValues
{
    private const uint Sz = 1;
    private const uint Binary = 3;
    private const uint Dword = 4;

    /// <summary>A REG_SZ, with its NUL.</summary>
    public static HiveValue Text(string name, string text) => new(name, Sz, Encoding.Unicode.GetBytes(text + '\0'));

    /// <summary>A REG_DWORD.</summary>
    public static HiveValue Number(string name, uint number)
    {
        var data = new byte[sizeof(uint)];
        BinaryPrimitives.WriteUInt32LittleEndian(data, number);
        return new HiveValue(name, Dword, data);
    }

    /// <summary>A REG_BINARY.</summary>
    public static HiveValue Bytes(string name, byte[] data) => new(name, Binary, data);

    /// <summary>Reads a REG_SZ; null for a value of another type.</summary>
    public static string? TryReadText(HiveValue? value) =>
        value is { Type: Sz } text ? Encoding.Unicode.GetString(text.Data.Span).TrimEnd('\0') : null;
}
