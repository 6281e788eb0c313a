using System.Buffers.Binary;
using System.Security.Cryptography;

namespace CimConvert.Tests.Formats.BlockFile;

/// <summary>Finds and repairs what a container's last block says, by the offsets in FORMAT.md: for files that lie with right checksums.</summary>
internal static class Superblocks
{
    private const int BlockSize = BlockFiles.BlockSize;

    public static Span<byte> Of(byte[] container) => container.AsSpan(container.Length - BlockSize, BlockSize);

    public static (int Start, int Size) Directory(byte[] container)
    {
        var superblock = Of(container);
        return ((int)BinaryPrimitives.ReadInt64LittleEndian(superblock[24..]) * BlockSize, (int)BinaryPrimitives.ReadInt64LittleEndian(superblock[32..]));
    }

    public static void FixChecksum(byte[] container)
    {
        var superblock = Of(container);
        SHA256.HashData(superblock[..^32], superblock[^32..]);
    }

    public static void FixDirectoryDigest(byte[] container)
    {
        var (start, size) = Directory(container);
        SHA256.HashData(container.AsSpan(start, size), Of(container)[48..80]);
        FixChecksum(container);
    }
}
