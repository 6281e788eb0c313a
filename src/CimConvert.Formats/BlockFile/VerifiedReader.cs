using System.Security.Cryptography;
using CimConvert.Formats.Binary;

namespace CimConvert.Formats.BlockFile;

/// <summary>
/// Reads a sealed block file. Before it returns any byte of a block, it checks the block against the hash tree, up to the tree's
/// top. Owns the underlying reader. Not thread-safe.
/// </summary>
internal sealed class VerifiedReader : IRandomReader
{
    /// <summary>4 MiB of checked tree blocks, so that reads near each other check a tree block once.</summary>
    private const int MaxCachedBlocks = 1024;

    private readonly IRandomReader _inner;
    private readonly Superblock _superblock;
    private readonly long[] _levelStart;
    private readonly Dictionary<long, byte[]> _checked = [];
    private readonly byte[] _block = new byte[BlockFileFormat.BlockSize];
    private long _current = -1;

    public VerifiedReader(IRandomReader inner, Superblock superblock)
    {
        _inner = inner;
        _superblock = superblock;
        var levels = HashTree.Levels(superblock.ContentBlocks);
        _levelStart = new long[levels.Length];
        var start = superblock.TreeBlock;
        for (var level = 0; level < levels.Length; level++)
        {
            _levelStart[level] = start;
            start += levels[level];
        }
    }

    public long Length => _inner.Length;

    public void ReadAt(long offset, Span<byte> destination)
    {
        this.CheckRange(offset, destination.Length);
        while (!destination.IsEmpty)
        {
            var block = offset / BlockFileFormat.BlockSize;
            var start = (int)(offset % BlockFileFormat.BlockSize);
            var count = Math.Min(destination.Length, BlockFileFormat.BlockSize - start);
            if (start == 0 && count == BlockFileFormat.BlockSize)
            {
                ReadChecked(block, destination[..count]);
            }
            else
            {
                if (block != _current)
                {
                    _current = -1;
                    ReadChecked(block, _block);
                    _current = block;
                }

                _block.AsSpan(start, count).CopyTo(destination);
            }

            offset += count;
            destination = destination[count..];
        }
    }

    public void Dispose() => _inner.Dispose();

    private void ReadChecked(long block, Span<byte> destination)
    {
        if (block >= _superblock.ContentBlocks)
        {
            throw new InvalidDataException($"block {block} is not one of the {_superblock.ContentBlocks} blocks that the seal covers");
        }

        _inner.ReadAt(block * BlockFileFormat.BlockSize, destination);
        var parent = TreeBlock(level: 0, block / HashTree.HashesPerBlock);
        Compare(destination, HashIn(parent, block), block);
    }

    /// <summary>A checked tree block. Recurses to its ancestors; a tree has at most eight levels (2^51 blocks, 128 hashes each).</summary>
    private byte[] TreeBlock(int level, long index)
    {
        var block = _levelStart[level] + index;
        if (_checked.TryGetValue(block, out var known))
        {
            return known;
        }

        var bytes = new byte[BlockFileFormat.BlockSize];
        _inner.ReadAt(block * BlockFileFormat.BlockSize, bytes);
        var expected = level == _levelStart.Length - 1
            ? _superblock.TreeTop
            : HashIn(TreeBlock(level + 1, index / HashTree.HashesPerBlock), index);
        Compare(bytes, expected, block);
        if (_checked.Count == MaxCachedBlocks)
        {
            _checked.Clear();
        }

        _checked.Add(block, bytes);
        return bytes;
    }

    private static ReadOnlySpan<byte> HashIn(byte[] treeBlock, long child) =>
        treeBlock.AsSpan((int)(child % HashTree.HashesPerBlock) * SHA256.HashSizeInBytes, SHA256.HashSizeInBytes);

    private static void Compare(ReadOnlySpan<byte> block, ReadOnlySpan<byte> expected, long number)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(block, hash);
        if (!hash.SequenceEqual(expected))
        {
            throw new InvalidDataException(
                $"block {number} (offset {number * BlockFileFormat.BlockSize}) does not match the seal: the file was changed or is damaged");
        }
    }
}
