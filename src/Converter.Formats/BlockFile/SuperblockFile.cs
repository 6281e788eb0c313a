using Microsoft.Win32.SafeHandles;

namespace Converter.Formats.BlockFile;

/// <summary>The order that makes a container complete or absent: everything else on the disk before its superblock is written.</summary>
internal static class SuperblockFile
{
    public static void Write(SafeFileHandle handle, Superblock superblock)
    {
        RandomAccess.FlushToDisk(handle);
        var block = new byte[BlockFileFormat.BlockSize];
        superblock.Write(block);
        RandomAccess.Write(handle, block, 0);
        RandomAccess.FlushToDisk(handle);
    }

    public static Superblock Read(SafeFileHandle handle)
    {
        var block = new byte[BlockFileFormat.BlockSize];
        return RandomAccess.Read(handle, block, 0) == block.Length
            ? Superblock.Read(block, RandomAccess.GetLength(handle))
            : throw new InvalidDataException("the block CIM file is shorter than one block");
    }
}
