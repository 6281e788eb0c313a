using System.Buffers.Binary;
using System.Security.Cryptography;
using Converter.Formats.Binary;

namespace Converter.Formats.BlockFile;

/// <summary>
/// Block 0 of a container, written last: a file without a valid one was not finished.
/// </summary>
/// <param name="Blocks">Blocks in all, this one and the hash tree's included, without the trailer.</param>
/// <param name="TrailerSize">Bytes after the last block that belong to the file (a VHD footer), 0 for none.</param>
/// <param name="DirectoryBlock">First block of the directory.</param>
/// <param name="DirectorySize">Bytes of the directory.</param>
/// <param name="DirectoryDigest">SHA-256 of the directory.</param>
/// <param name="TreeBlock">First block of the hash tree, which runs to the end; 0 where the file is not sealed.</param>
/// <param name="TreeTop">SHA-256 of the tree's single top block; zeros where the file is not sealed.</param>
internal sealed record Superblock(
    long Blocks, uint TrailerSize, long DirectoryBlock, long DirectorySize, byte[] DirectoryDigest, long TreeBlock, byte[] TreeTop)
{
    private const int ChecksumAt = BlockFileFormat.BlockSize - BlockFileFormat.DigestSize;

    public bool IsSealed => TreeBlock != 0;

    /// <summary>Blocks the tree has hashes of: all from 1 to the tree's first.</summary>
    public long HashedBlocks => TreeBlock - 1;

    /// <summary>
    /// The 32 bytes that stand for all others: a hash of this block, which holds the directory's digest and, where the file is
    /// sealed, the top of the tree over every other block. Serves as root digest and as the source of the VHD footer's id.
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
        BlockFileFormat.Magic.CopyTo(block);
        BinaryPrimitives.WriteUInt32LittleEndian(block[8..], BlockFileFormat.Version);
        BinaryPrimitives.WriteUInt32LittleEndian(block[12..], TrailerSize);
        BinaryPrimitives.WriteInt64LittleEndian(block[16..], Blocks);
        BinaryPrimitives.WriteInt64LittleEndian(block[24..], DirectoryBlock);
        BinaryPrimitives.WriteInt64LittleEndian(block[32..], DirectorySize);
        BinaryPrimitives.WriteInt64LittleEndian(block[40..], TreeBlock);
        DirectoryDigest.CopyTo(block[48..]);
        TreeTop.CopyTo(block[80..]);
        SHA256.HashData(block[..ChecksumAt], block[ChecksumAt..]);
    }

    /// <exception cref="InvalidDataException">Not a container, a version unknown here, or a block damaged or never written.</exception>
    public static Superblock Read(ReadOnlySpan<byte> block, long fileLength)
    {
        if (!block.StartsWith(BlockFileFormat.Magic))
        {
            throw new InvalidDataException(
                block.ContainsAnyExcept((byte)0) ? "not a block CIM file of cimconvert" : "the block CIM file was never finished: its first block is empty");
        }

        var reader = new SpanReader(block[BlockFileFormat.Magic.Length..ChecksumAt]);
        var version = reader.U32();
        if (version != BlockFileFormat.Version)
        {
            throw new InvalidDataException($"block CIM file of version {version}: this program reads version {BlockFileFormat.Version}");
        }

        if (!SHA256.HashData(block[..ChecksumAt]).AsSpan().SequenceEqual(block[ChecksumAt..]))
        {
            throw new InvalidDataException("the block CIM file's first block does not match its checksum");
        }

        var trailer = reader.U32();
        var blocks = reader.I64();
        var read = new Superblock(
            Blocks: blocks,
            TrailerSize: trailer,
            DirectoryBlock: reader.I64(),
            DirectorySize: reader.I64(),
            TreeBlock: reader.I64(),
            DirectoryDigest: reader.Bytes(BlockFileFormat.DigestSize).ToArray(),
            TreeTop: reader.Bytes(BlockFileFormat.DigestSize).ToArray());
        read.Check(fileLength);
        return read;
    }

    private void Check(long fileLength)
    {
        if (Blocks < 1 || Blocks > long.MaxValue / (2 * BlockFileFormat.BlockSize) || (Blocks * BlockFileFormat.BlockSize) + TrailerSize != fileLength)
        {
            throw new InvalidDataException(
                $"the block CIM file has {fileLength} bytes; its first block says {Blocks} blocks and {TrailerSize} bytes more: it is truncated or was added to");
        }

        if (TreeBlock < 0 || TreeBlock == 1 || TreeBlock >= Blocks || (IsSealed && HashTree.TreeBlocks(HashedBlocks) != Blocks - TreeBlock))
        {
            throw new InvalidDataException($"the block CIM file's hash tree cannot start at block {TreeBlock} of {Blocks}");
        }

        if (DirectorySize is < BlockFileFormat.DirectoryHeaderSize or > BlockFileFormat.MaxDirectorySize
            || DirectoryBlock < 1
            || DirectoryBlock > Blocks - (Align.Up(DirectorySize, BlockFileFormat.BlockSize) / BlockFileFormat.BlockSize))
        {
            throw new InvalidDataException($"the block CIM file's directory of {DirectorySize} bytes at block {DirectoryBlock} does not lie in it");
        }
    }
}
