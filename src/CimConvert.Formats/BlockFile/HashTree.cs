using System.Security.Cryptography;

namespace CimConvert.Formats.BlockFile;

/// <summary>
/// The shape of the Merkle tree over the first n blocks: level 0 holds their SHA-256 hashes, 128 to a block, zero-padded;
/// each higher level holds the hashes of the level below, up to a level of one block. Levels are consecutive, lowest first.
/// The root digest covers the number of blocks, so the shape is fixed and a hash of one level cannot pass for that of another.
/// </summary>
internal static class HashTree
{
    public const int HashesPerBlock = BlockFileFormat.BlockSize / SHA256.HashSizeInBytes;

    /// <summary>Blocks of each level, lowest first, for <paramref name="hashed"/> (at least 1) hashed blocks.</summary>
    public static long[] Levels(long hashed)
    {
        var levels = new List<long>();
        var count = hashed;
        do
        {
            count = (count + HashesPerBlock - 1) / HashesPerBlock;
            levels.Add(count);
        }
        while (count > 1);
        return [.. levels];
    }

    public static long TreeBlocks(long hashed) => Levels(hashed).Sum();
}
