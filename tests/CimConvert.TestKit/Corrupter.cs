namespace CimConvert.TestKit;

/// <summary>
/// Damages bytes or files the same way for the same seed, so that a failing case can be run again by its number.
/// </summary>
public sealed class Corrupter(int seed)
{
    private ulong state = (ulong)(uint)seed;

    /// <summary>A copy with one byte changed to another value.</summary>
    public byte[] FlipByte(ReadOnlySpan<byte> bytes)
    {
        byte[] copy = bytes.ToArray();
        if (copy.Length > 0)
        {
            copy[Below(copy.Length)] ^= (byte)(1 + Below(255));
        }

        return copy;
    }

    /// <summary>A copy that ends early, by at least one byte.</summary>
    public byte[] Truncate(ReadOnlySpan<byte> bytes) => bytes.Length == 0 ? [] : bytes[..(int)Below(bytes.Length)].ToArray();

    /// <summary>A copy with up to <paramref name="length"/> bytes in a row made zero.</summary>
    public byte[] ZeroRange(ReadOnlySpan<byte> bytes, int length)
    {
        byte[] copy = bytes.ToArray();
        int start = copy.Length == 0 ? 0 : (int)Below(copy.Length);
        copy.AsSpan(start, Math.Min(length, copy.Length - start)).Clear();
        return copy;
    }

    /// <summary>Changes one byte of a file in place and says where.</summary>
    public long FlipByte(string path)
    {
        using FileStream file = new(path, FileMode.Open, FileAccess.ReadWrite);
        long at = Below(file.Length);
        FlipAt(file, at, (byte)(1 + Below(255)));
        return at;
    }

    /// <summary>Changes the byte at a chosen offset of a file.</summary>
    public static void FlipByteAt(string path, long offset)
    {
        using FileStream file = new(path, FileMode.Open, FileAccess.ReadWrite);
        FlipAt(file, offset, 0xff);
    }

    /// <summary>Cuts a file short and says to what length.</summary>
    public long Truncate(string path)
    {
        using FileStream file = new(path, FileMode.Open, FileAccess.ReadWrite);
        file.SetLength(Below(file.Length));
        return file.Length;
    }

    /// <summary>Makes a range of a file zero and says where it starts.</summary>
    public long ZeroRange(string path, int length)
    {
        using FileStream file = new(path, FileMode.Open, FileAccess.ReadWrite);
        long start = Below(file.Length);
        file.Position = start;
        file.Write(new byte[Math.Min(length, file.Length - start)]);
        return start;
    }

    private static void FlipAt(FileStream file, long offset, byte mask)
    {
        file.Position = offset;
        int value = file.ReadByte();
        if (value < 0)
        {
            throw new ArgumentOutOfRangeException(nameof(offset), offset, "past the end of " + file.Name);
        }

        file.Position = offset;
        file.WriteByte((byte)(value ^ mask));
    }

    private long Below(long limit)
    {
        if (limit <= 0)
        {
            throw new ArgumentOutOfRangeException(nameof(limit), limit, "nothing to damage in an empty input");
        }

        state = unchecked(state + SeededContent.GoldenGamma);
        return (long)(SeededContent.Mix(state) % (ulong)limit);
    }
}
