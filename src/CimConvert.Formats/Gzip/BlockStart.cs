namespace CimConvert.Formats.Gzip;

/// <summary>
/// A place where a block may start, in bits of the stream. Where a stored block starts is not known exactly: its header is three
/// zeros, and zeros up to the next whole byte follow it.
/// </summary>
/// <param name="First">The first bit at which the header may start.</param>
/// <param name="Last">The last such bit; the block can be decoded from here.</param>
internal readonly record struct BlockStart(long First, long Last)
{
    /// <param name="length">The first bit of the block's length.</param>
    public static BlockStart Stored(long length) => new(length - 3 - 7, length - 3);

    /// <summary>Whether the input, read in the stream's order, is at the start of this block.</summary>
    public bool IsAt(BitInput input)
    {
        if (input.BitOffset < First || input.BitOffset > Last)
        {
            return false;
        }

        // Several possible starts mean a stored block: not the last, and of type 0.
        input.Refill();
        return First == Last || (input.Bits & 7) == 0;
    }
}
