using System.Buffers.Binary;

namespace CimConvert.Formats.Regf;

/// <summary>Writes the base block, a hive's first 4096 bytes, of a clean hive: both sequence numbers are equal.</summary>
internal static class BaseBlockWriter
{
    private const uint Sequence = 1;
    private const uint DirectMemoryLoad = 1;
    private const uint SectorsPerCluster = 1;
    private const uint LayeredKeys = 2;

    public static void Write(in BaseBlock block, Stream output)
    {
        Span<byte> bytes = stackalloc byte[BaseBlockField.Size];
        bytes.Clear();
        U32(bytes, BaseBlockField.Signature, Signatures.BaseBlock);
        U32(bytes, BaseBlockField.PrimarySequence, Sequence);
        U32(bytes, BaseBlockField.SecondarySequence, Sequence);
        BinaryPrimitives.WriteInt64LittleEndian(bytes[BaseBlockField.LastWritten..], block.LastWritten);
        U32(bytes, BaseBlockField.MajorVersion, HiveVersion.Major);
        U32(bytes, BaseBlockField.MinorVersion, (uint)block.MinorVersion);
        U32(bytes, BaseBlockField.FileFormat, DirectMemoryLoad);
        U32(bytes, BaseBlockField.RootCell, block.Root.Value);
        U32(bytes, BaseBlockField.BinsSize, (uint)block.BinsSize);
        U32(bytes, BaseBlockField.ClusteringFactor, SectorsPerCluster);
        var name = block.FileName.AsSpan(0, Math.Min(block.FileName.Length, BaseBlockField.FileNameLength / sizeof(char)));
        RegfText.Write(name, bytes.Slice(BaseBlockField.FileName, BaseBlockField.FileNameLength));
        U32(bytes, BaseBlockField.Flags, block.MinorVersion == HiveVersion.Layered ? LayeredKeys : 0);
        U32(bytes, BaseBlockField.Checksum, BaseBlockReader.Checksum(bytes));
        output.Write(bytes);
    }

    private static void U32(Span<byte> block, int field, uint value) => BinaryPrimitives.WriteUInt32LittleEndian(block[field..], value);
}
