namespace CimConvert.Formats.Gzip;

/// <summary>
/// A place where a block may start, in bits of the stream. That of a stored block is not known to the bit: its header is zeros
/// between the block before and the next whole byte, of which there may be more.
/// </summary>
/// <param name="First">The first bit that may be the header's first.</param>
/// <param name="Last">The last such bit, from which the block can be decoded.</param>
internal readonly record struct BlockStart(long First, long Last)
{
    /// <param name="length">The first bit of the block's length.</param>
    public static BlockStart Stored(long length) => new(length - 3 - 7, length - 3);

    /// <summary>Whether a block that the input stands before, in the order of the stream, is this one.</summary>
    public bool IsAt(BitInput input)
    {
        if (input.BitOffset < First || input.BitOffset > Last)
        {
            return false;
        }

        // Where more than one start is possible, the block is stored: not the last, and of type 0.
        input.Refill();
        return First == Last || (input.Bits & 7) == 0;
    }
}
