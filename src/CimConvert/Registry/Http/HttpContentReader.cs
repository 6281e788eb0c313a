namespace CimConvert.Registry.Http;

/// <summary>Reads bodies of limited size.</summary>
internal static class HttpContentReader
{
    /// <summary>Reads a whole body of limited size; of a larger one, only enough to detect that it is too large.</summary>
    /// <exception cref="InvalidDataException">The body has more than <paramref name="maxBytes"/>.</exception>
    public static async Task<byte[]> ReadBoundedAsync(this HttpContent content, int maxBytes, CancellationToken cancellationToken)
    {
        using var body = await content.ReadAsStreamAsync(cancellationToken);
        return await ReadBoundedAsync(body, maxBytes, cancellationToken);
    }

    /// <inheritdoc cref="ReadBoundedAsync(HttpContent, int, CancellationToken)"/>
    public static async Task<byte[]> ReadBoundedAsync(Stream body, int maxBytes, CancellationToken cancellationToken)
    {
        const int firstGuess = 16 << 10;
        var buffer = new byte[Math.Min(firstGuess, maxBytes + 1)];
        var length = 0;
        while (true)
        {
            var read = await body.ReadAsync(buffer.AsMemory(length), cancellationToken);
            length += read;
            if (read == 0)
            {
                return buffer[..length];
            }

            if (length > maxBytes)
            {
                throw new InvalidDataException($"it has more than the {maxBytes} bytes allowed");
            }

            if (length == buffer.Length)
            {
                Array.Resize(ref buffer, Math.Min(2 * buffer.Length, maxBytes + 1));
            }
        }
    }
}
