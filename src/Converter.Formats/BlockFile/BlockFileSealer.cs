using System.Security.Cryptography;
using Microsoft.Win32.SafeHandles;

namespace Converter.Formats.BlockFile;

/// <summary>
/// Seals a completed container: reads it once, appends the hash tree level by level and writes a superblock that holds its top.
/// Memory is one read buffer and one block, whatever the file's size.
/// </summary>
public static class BlockFileSealer
{
    private const int ReadBlocks = 256;

    /// <param name="handle">The completed file without its trailer, open for reading and writing. Not owned.</param>
    /// <param name="cancellation">Leaves an unfinished file behind, which the caller removes.</param>
    /// <returns>The 32-byte root digest: it changes with any byte of the file but the trailer's.</returns>
    public static byte[] Seal(SafeFileHandle handle, CancellationToken cancellation)
    {
        var block = new byte[BlockFileFormat.BlockSize];
        RandomAccess.Read(handle, block, 0);
        var open = Superblock.Read(block, RandomAccess.GetLength(handle) + TrailerSize(block));
        if (open.IsSealed)
        {
            throw new InvalidOperationException("the block CIM file is sealed already");
        }

        var first = 1L;
        var count = open.Blocks - 1;
        var end = open.Blocks;
        while (true)
        {
            var levelStart = end;
            end = AppendLevel(handle, first, count, end, cancellation);
            (first, count) = (levelStart, end - levelStart);
            if (count == 1)
            {
                break;
            }
        }

        RandomAccess.Read(handle, block, first * BlockFileFormat.BlockSize);
        var sealedBlock = open with { Blocks = end, TreeBlock = open.Blocks, TreeTop = SHA256.HashData(block) };
        SuperblockFile.Write(handle, sealedBlock);
        return sealedBlock.Root();
    }

    private static uint TrailerSize(ReadOnlySpan<byte> block) =>
        System.Buffers.Binary.BinaryPrimitives.ReadUInt32LittleEndian(block[12..]);

    private static long AppendLevel(SafeFileHandle handle, long first, long count, long end, CancellationToken cancellation)
    {
        var data = new byte[ReadBlocks * BlockFileFormat.BlockSize];
        var hashes = new byte[BlockFileFormat.BlockSize];
        var used = 0;
        for (var done = 0L; done < count;)
        {
            cancellation.ThrowIfCancellationRequested();
            var blocks = (int)Math.Min(ReadBlocks, count - done);
            var chunk = data.AsSpan(0, blocks * BlockFileFormat.BlockSize);
            ReadFully(handle, chunk, (first + done) * BlockFileFormat.BlockSize);
            for (var i = 0; i < blocks; i++)
            {
                SHA256.HashData(chunk.Slice(i * BlockFileFormat.BlockSize, BlockFileFormat.BlockSize), hashes.AsSpan(used));
                used += SHA256.HashSizeInBytes;
                if (used == hashes.Length)
                {
                    RandomAccess.Write(handle, hashes, end++ * BlockFileFormat.BlockSize);
                    used = 0;
                }
            }

            done += blocks;
        }

        if (used > 0)
        {
            hashes.AsSpan(used).Clear();
            RandomAccess.Write(handle, hashes, end++ * BlockFileFormat.BlockSize);
        }

        return end;
    }

    private static void ReadFully(SafeFileHandle handle, Span<byte> destination, long offset)
    {
        while (!destination.IsEmpty)
        {
            var read = RandomAccess.Read(handle, destination, offset);
            if (read == 0)
            {
                throw new InvalidDataException($"the block CIM file ended at byte {offset} while it was sealed");
            }

            destination = destination[read..];
            offset += read;
        }
    }
}
