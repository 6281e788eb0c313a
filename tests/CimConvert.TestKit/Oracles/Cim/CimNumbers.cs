namespace CimConvert.TestKit.Oracles.Cim;

/// <summary>Numbers from the file, made safe to use.</summary>
internal static class CimNumbers
{
    private const int PieceLength = 1 << 16;

    public delegate void Piece(long at, Span<byte> buffer);

    public static long Length(ulong value, string what) => value <= 0xffff_ffff_ffff
        ? (long)value
        : throw new CimWalkException($"the {what} has a length of 0x{value:x}");

    /// <summary>Goes over a length in pieces that fit in memory.</summary>
    public static void ForEachPiece(long length, Piece action)
    {
        byte[] buffer = new byte[PieceLength];
        for (long at = 0; at < length; at += PieceLength)
        {
            action(at, buffer.AsSpan(0, (int)Math.Min(PieceLength, length - at)));
        }
    }
}
