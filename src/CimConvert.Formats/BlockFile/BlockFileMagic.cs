namespace CimConvert.Formats.BlockFile;

/// <summary>Tells our containers from the block files of others by their first bytes.</summary>
internal static class BlockFileMagic
{
    /// <summary>Bytes that are looked at.</summary>
    public const int Length = 8;

    public static bool IsAtStartOf(ReadOnlySpan<byte> file) => file.StartsWith(BlockFileFormat.HeadMagic);
}
