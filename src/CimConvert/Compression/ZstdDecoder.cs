using CimConvert.Interop;

namespace CimConvert.Compression;

/// <summary>
/// Decodes zstd frames one after another (RFC 8878). Implementations accept the same data; errors have the words of zstd, which may
/// differ between its versions. Frames that need a window over 128 MiB (ZSTD_WINDOWLOG_LIMIT_DEFAULT) are refused.
/// </summary>
internal abstract class ZstdDecoder : IDisposable
{
    /// <summary>libzstd where the machine has it, since it is faster; otherwise ZstdSharp, its port to C#.</summary>
    public static ZstdDecoder Create() => Libzstd.IsPresent ? new LibzstdDecoder() : new ZstdSharpDecoder();

    /// <summary>Decompresses until the input is used up or the output is full, or a frame ends.</summary>
    /// <param name="input">The next compressed bytes.</param>
    /// <param name="output">Where decompressed bytes go.</param>
    /// <param name="read">Bytes taken from the input.</param>
    /// <param name="written">Bytes written to the output.</param>
    /// <returns>Whether a frame has just ended and all of it was written.</returns>
    /// <exception cref="InvalidDataException">The data is damaged, or not zstd.</exception>
    public abstract bool Decompress(ReadOnlySpan<byte> input, Span<byte> output, out int read, out int written);

    public abstract void Dispose();
}
