namespace CimConvert.Formats.Binary;

/// <summary>Random access to bytes of known length. Implementations own what they read from.</summary>
internal interface IRandomReader : IDisposable
{
    long Length { get; }

    /// <summary>Fills <paramref name="destination"/> from <paramref name="offset"/>.</summary>
    /// <exception cref="InvalidDataException">The range does not lie within <see cref="Length"/>, or its bytes fail a check.</exception>
    void ReadAt(long offset, Span<byte> destination);
}

internal static class RandomReaderExtensions
{
    /// <summary>Throws if the range does not lie within the reader. Does not overflow, whatever the numbers.</summary>
    /// <exception cref="InvalidDataException">The range does not lie within the reader.</exception>
    public static void CheckRange(this IRandomReader reader, long offset, long count)
    {
        ArgumentNullException.ThrowIfNull(reader);
        if (offset < 0 || count < 0 || offset > reader.Length || count > reader.Length - offset)
        {
            throw new InvalidDataException($"bytes {offset}..+{count} lie outside the {reader.Length} bytes there are");
        }
    }
}
