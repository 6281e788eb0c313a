using System.Security.Cryptography;
using Microsoft.Win32.SafeHandles;

namespace CimConvert.Formats.BlockFile;

/// <summary>
/// Appends the hash tree to a block file's content, which it reads once. Takes one read buffer (1 MiB) and one block of memory,
/// whatever the file's size.
/// </summary>
internal static class HashTreeWriter
{
    private const int ReadBlocks = 256;

    /// <param name="handle">A file of <paramref name="contentBlocks"/> blocks; the tree is written after them. Not owned.</param>
    /// <param name="contentBlocks">At least 1.</param>
    /// <param name="cancellationToken">Stops the writing and leaves an incomplete tree; the caller removes the file.</param>
    /// <returns>The hash of the tree's top block, and the first block after the tree.</returns>
    public static (byte[] Top, long End) Append(SafeFileHandle handle, long contentBlocks, CancellationToken cancellationToken)
    {
        var (first, count, end) = (0L, contentBlocks, contentBlocks);
        do
        {
            var levelStart = end;
            end = AppendLevel(handle, first, count, end, cancellationToken);
            (first, count) = (levelStart, end - levelStart);
        }
        while (count > 1);

        var top = new byte[BlockFileFormat.BlockSize];
        ReadFully(handle, top, first * BlockFileFormat.BlockSize);
        return (SHA256.HashData(top), end);
    }

    private static long AppendLevel(SafeFileHandle handle, long first, long count, long end, CancellationToken cancellationToken)
    {
        var data = new byte[ReadBlocks * BlockFileFormat.BlockSize];
        var hashes = new byte[BlockFileFormat.BlockSize];
        var used = 0;
        for (var done = 0L; done < count;)
        {
            cancellationToken.ThrowIfCancellationRequested();
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
