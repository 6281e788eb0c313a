using System.Buffers.Binary;

namespace CimConvert.Formats.Regf;

/// <summary>The validated fields of a base block.</summary>
internal readonly record struct BaseBlock(int MinorVersion, long LastWritten, string FileName, CellOffset Root, int BinsSize);

/// <summary>Reads and validates the base block, a hive's first 4096 bytes.</summary>
internal static class BaseBlockReader
{
    private const uint PrimaryFile = 0;
    private const uint DirectMemoryLoad = 1;

    public static BaseBlock Read(ReadOnlySpan<byte> file)
    {
        if (file.Length < BaseBlockField.Size + BinField.Page)
        {
            throw RegfError.Hive($"{file.Length} bytes are too few for a base block and a bin");
        }

        if (U32(file, BaseBlockField.Signature) != Signatures.BaseBlock)
        {
            throw RegfError.Hive("does not start with 'regf'");
        }

        var checksum = Checksum(file);
        if (U32(file, BaseBlockField.Checksum) != checksum)
        {
            throw RegfError.Hive($"base block's checksum is 0x{U32(file, BaseBlockField.Checksum):X8}, its bytes make 0x{checksum:X8}");
        }

        var (first, second) = (U32(file, BaseBlockField.PrimarySequence), U32(file, BaseBlockField.SecondarySequence));
        if (first != second)
        {
            throw RegfError.Hive($"is dirty: sequence numbers are {first} and {second}, and its transaction logs are not replayed here");
        }

        CheckKind(file);
        return new BaseBlock(
            (int)U32(file, BaseBlockField.MinorVersion),
            BinaryPrimitives.ReadInt64LittleEndian(file[BaseBlockField.LastWritten..]),
            FileName(file),
            new CellOffset(U32(file, BaseBlockField.RootCell)),
            BinsSize(file));
    }

    /// <summary>XOR of the words before the checksum. 0 and 0xFFFFFFFF are not valid checksums and become 1 and 0xFFFFFFFE.</summary>
    public static uint Checksum(ReadOnlySpan<byte> block)
    {
        var sum = 0u;
        for (var field = 0; field < BaseBlockField.Checksum; field += sizeof(uint))
        {
            sum ^= U32(block, field);
        }

        return sum switch
        {
            0 => 1,
            uint.MaxValue => uint.MaxValue - 1,
            _ => sum,
        };
    }

    private static void CheckKind(ReadOnlySpan<byte> file)
    {
        var (major, minor) = (U32(file, BaseBlockField.MajorVersion), U32(file, BaseBlockField.MinorVersion));
        if (major != HiveVersion.Major || minor is < HiveVersion.Oldest or > HiveVersion.Layered)
        {
            throw RegfError.Hive($"version {major}.{minor} is not one of 1.3 to 1.6");
        }

        var (type, format) = (U32(file, BaseBlockField.FileType), U32(file, BaseBlockField.FileFormat));
        if (type != PrimaryFile || format != DirectMemoryLoad)
        {
            throw RegfError.Hive($"file type {type} and format {format} are not those of a primary file (0 and 1)");
        }
    }

    private static int BinsSize(ReadOnlySpan<byte> file)
    {
        var size = U32(file, BaseBlockField.BinsSize);
        if (size == 0 || size % BinField.Page != 0)
        {
            throw RegfError.Hive($"bins of {size} bytes are not whole pages");
        }

        return size <= file.Length - BaseBlockField.Size
            ? (int)size
            : throw RegfError.Hive($"bins of {size} bytes go past the end of a file of {file.Length}");
    }

    private static string FileName(ReadOnlySpan<byte> file)
    {
        Span<char> name = stackalloc char[BaseBlockField.FileNameLength / sizeof(char)];
        RegfText.Read(file.Slice(BaseBlockField.FileName, BaseBlockField.FileNameLength), name);
        var end = name.IndexOf('\0');
        return new string(end < 0 ? name : name[..end]);
    }

    private static uint U32(ReadOnlySpan<byte> block, int field) => BinaryPrimitives.ReadUInt32LittleEndian(block[field..]);
}
