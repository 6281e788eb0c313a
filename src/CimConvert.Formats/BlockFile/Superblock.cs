using System.Buffers.Binary;
using System.Security.Cryptography;
using CimConvert.Formats.Binary;

namespace CimConvert.Formats.BlockFile;

/// <summary>
/// The last block of a block file, written last: a file without a valid one is incomplete. It is at the end so that a block
/// file can be written and hashed front to back.
/// </summary>
/// <param name="Blocks">All blocks including this one, without the trailer.</param>
/// <param name="TrailerSize">Bytes after this block that belong to the file (a VHD footer); 0 for none.</param>
/// <param name="DirectoryBlock">First block of the directory.</param>
/// <param name="DirectorySize">Bytes of the directory.</param>
/// <param name="DirectoryDigest">SHA-256 of the directory.</param>
/// <param name="TreeBlock">First block of the hash tree, which ends at this block; 0 if the file is not sealed.</param>
/// <param name="TreeTop">SHA-256 of the tree's single top block; zeros if the file is not sealed.</param>
internal sealed record Superblock(
    long Blocks, uint TrailerSize, long DirectoryBlock, long DirectorySize, byte[] DirectoryDigest, long TreeBlock, byte[] TreeTop)
{
    private const int ChecksumOffset = BlockFileFormat.BlockSize - BlockFileFormat.DigestSize;

    public bool IsSealed => TreeBlock != 0;

    /// <summary>Number of blocks of the head, the files and the directory. In a sealed file the hash tree covers these.</summary>
    public long ContentBlocks => IsSealed ? TreeBlock : Blocks - 1;

    /// <summary>
    /// The root digest: the SHA-256 of this block, which holds the directory's digest and, in a sealed file, the top of the hash
    /// tree over all content. The VHD footer's id is derived from it, too.
    /// </summary>
    public byte[] Root()
    {
        var block = new byte[BlockFileFormat.BlockSize];
        Write(block);
        return SHA256.HashData(block);
    }

    public void Write(Span<byte> block)
    {
        block.Clear();
        BlockFileFormat.SuperblockMagic.CopyTo(block);
        BinaryPrimitives.WriteUInt32LittleEndian(block[8..], BlockFileFormat.Version);
        BinaryPrimitives.WriteUInt32LittleEndian(block[12..], TrailerSize);
        BinaryPrimitives.WriteInt64LittleEndian(block[16..], Blocks);
        BinaryPrimitives.WriteInt64LittleEndian(block[24..], DirectoryBlock);
        BinaryPrimitives.WriteInt64LittleEndian(block[32..], DirectorySize);
        BinaryPrimitives.WriteInt64LittleEndian(block[40..], TreeBlock);
        DirectoryDigest.CopyTo(block[48..]);
        TreeTop.CopyTo(block[80..]);
        SHA256.HashData(block[..ChecksumOffset], block[ChecksumOffset..]);
    }

    /// <exception cref="InvalidDataException">The file is not a block file, or is of an unknown version, damaged or incomplete.</exception>
    public static Superblock Read(IRandomReader file)
    {
        Span<byte> block = stackalloc byte[BlockFileFormat.BlockSize];
        if (file.Length < 2 * BlockFileFormat.BlockSize)
        {
            throw new InvalidDataException($"not a block CIM file: {file.Length} bytes are less than two blocks");
        }

        file.ReadAt(0, block);
        if (!block.StartsWith(BlockFileFormat.HeadMagic))
        {
            throw new InvalidDataException("not a block CIM file of cimconvert");
        }

        var version = BinaryPrimitives.ReadUInt32LittleEndian(block[BlockFileFormat.HeadMagic.Length..]);
        if (version != BlockFileFormat.Version)
        {
            throw new InvalidDataException($"block CIM file of version {version}: this program reads version {BlockFileFormat.Version}");
        }

        var trailer = file.Length % BlockFileFormat.BlockSize;
        if (trailer is not (0 or BlockFileFormat.TrailerSize))
        {
            throw new InvalidDataException($"the block CIM file is truncated or was added to: {file.Length} bytes are no whole number of blocks");
        }

        file.ReadAt(file.Length - trailer - BlockFileFormat.BlockSize, block);
        if (!block.StartsWith(BlockFileFormat.SuperblockMagic))
        {
            throw new InvalidDataException("the block CIM file is truncated or was never finished: its last block is no superblock");
        }

        if (!SHA256.HashData(block[..ChecksumOffset]).AsSpan().SequenceEqual(block[ChecksumOffset..]))
        {
            throw new InvalidDataException("the block CIM file's superblock does not match its checksum");
        }

        var read = Parse(block);
        read.Check(file.Length);

        // Root() hashes the block as rewritten from its fields, so a block with anything else in it is refused.
        Span<byte> canonical = stackalloc byte[BlockFileFormat.BlockSize];
        read.Write(canonical);
        return canonical.SequenceEqual(block)
            ? read
            : throw new InvalidDataException("the block CIM file's superblock has nonzero bytes outside its fields");
    }

    private static Superblock Parse(ReadOnlySpan<byte> block)
    {
        var reader = new SpanReader(block[(BlockFileFormat.SuperblockMagic.Length + sizeof(uint))..ChecksumOffset]);
        var (trailer, blocks, directory, directorySize, tree) = (reader.U32(), reader.I64(), reader.I64(), reader.I64(), reader.I64());
        return new Superblock(
            blocks,
            trailer,
            directory,
            directorySize,
            reader.Bytes(BlockFileFormat.DigestSize).ToArray(),
            tree,
            reader.Bytes(BlockFileFormat.DigestSize).ToArray());
    }

    private void Check(long fileLength)
    {
        if (TrailerSize is not (0 or BlockFileFormat.TrailerSize) || Blocks < 2 || Blocks > fileLength / BlockFileFormat.BlockSize
            || (Blocks * BlockFileFormat.BlockSize) + TrailerSize != fileLength)
        {
            throw new InvalidDataException(
                $"the block CIM file has {fileLength} bytes; its superblock says {Blocks} blocks and {TrailerSize} bytes more: it is truncated or was added to");
        }

        if (!IsSealed && TreeTop.AsSpan().ContainsAnyExcept((byte)0))
        {
            throw new InvalidDataException("the block CIM file's superblock has a top hash, but the file has no hash tree");
        }

        if (TreeBlock < 0 || TreeBlock >= Blocks || (IsSealed && HashTree.TreeBlocks(TreeBlock) != Blocks - 1 - TreeBlock))
        {
            throw new InvalidDataException($"the block CIM file's hash tree cannot start at block {TreeBlock} of {Blocks}");
        }

        if (DirectorySize is < BlockFileFormat.DirectoryHeaderSize or > BlockFileFormat.MaxDirectorySize
            || DirectoryBlock < 1
            || DirectoryBlock > ContentBlocks - (Align.Up(DirectorySize, BlockFileFormat.BlockSize) / BlockFileFormat.BlockSize))
        {
            throw new InvalidDataException($"the block CIM file's directory of {DirectorySize} bytes at block {DirectoryBlock} does not lie in it");
        }
    }
}
