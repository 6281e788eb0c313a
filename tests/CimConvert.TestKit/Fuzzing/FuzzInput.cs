using System.Buffers.Binary;

namespace CimConvert.TestKit.Fuzzing;

/// <summary>An input as one file: each part behind its length.</summary>
public static class FuzzInput
{
    public static byte[] Encode(byte[][] parts)
    {
        using MemoryStream output = new();
        byte[] length = new byte[sizeof(int)];
        foreach (byte[] part in parts)
        {
            BinaryPrimitives.WriteInt32LittleEndian(length, part.Length);
            output.Write(length);
            output.Write(part);
        }

        return output.ToArray();
    }

    public static byte[][] Decode(ReadOnlySpan<byte> bytes)
    {
        List<byte[]> parts = [];
        while (!bytes.IsEmpty)
        {
            int length = BinaryPrimitives.ReadInt32LittleEndian(bytes);
            parts.Add(bytes.Slice(sizeof(int), length).ToArray());
            bytes = bytes[(sizeof(int) + length)..];
        }

        return [.. parts];
    }
}
