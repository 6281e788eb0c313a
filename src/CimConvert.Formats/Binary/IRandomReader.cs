namespace CimConvert.Formats.Binary;

/// <summary>Bytes of known length that can be read anywhere. Implementations own what they read from.</summary>
internal interface IRandomReader : IDisposable
{
    long Length { get; }

    /// <summary>Fills <paramref name="destination"/> from <paramref name="offset"/>.</summary>
    /// <exception cref="InvalidDataException">The range does not lie within <see cref="Length"/>, or its bytes fail a check.</exception>
    void ReadAt(long offset, Span<byte> destination);
}

internal static class RandomReaderExtensions
{
    /// <summary>Refuses a range that does not lie within the reader, without overflow however large the numbers are.</summary>
    public static void CheckRange(this IRandomReader reader, long offset, long count)
    {
        ArgumentNullException.ThrowIfNull(reader);
        if (offset < 0 || count < 0 || offset > reader.Length || count > reader.Length - offset)
        {
            throw new InvalidDataException($"bytes {offset}..+{count} lie outside the {reader.Length} bytes there are");
        }
    }
}
