using CimConvert.Formats.Gzip;
using CimConvert.Oci;

namespace CimConvert.Compression;

/// <summary>From a blob's bytes to a layer's tar.</summary>
internal static class Decompression
{
    /// <summary>Wraps <paramref name="blob"/>, which stays the caller's, in what its compression calls for.</summary>
    /// <exception cref="ConversionException">The machine lacks what the compression needs.</exception>
    public static Stream Open(Stream blob, LayerCompression compression) => compression switch
    {
        LayerCompression.None => blob,
        LayerCompression.Gzip => new GunzipStream(blob),
        LayerCompression.Zstd => new ZstdStream(blob),
        _ => throw new ArgumentOutOfRangeException(nameof(compression), compression, message: null),
    };

    /// <summary>Opens a blob and reads it; where its compression turns out to be damaged, the error says so in a user's words.</summary>
    public static void Read(Stream blob, LayerCompression compression, Action<Stream> read) =>
        Explain(compression, () =>
        {
            using var decompressor = Open(blob, compression);
            read(decompressor);
        });

    /// <summary>As <see cref="Read"/>, for who opens the blob in another way.</summary>
    public static void Explain(LayerCompression compression, Action read)
    {
        ArgumentNullException.ThrowIfNull(read);
        try
        {
            read();
        }
        catch (InvalidDataException e) when (compression != LayerCompression.None)
        {
            var name = compression == LayerCompression.Gzip ? "gzip" : "zstd";
            throw new InvalidDataException($"its {name} data is damaged or ends too early: {e.Message}", e);
        }
    }

    /// <summary>By a file's first bytes, since scripts name layer files as they like.</summary>
    public static LayerCompression Detect(ReadOnlySpan<byte> start) =>
        start.StartsWith((ReadOnlySpan<byte>)[0x1f, 0x8b]) ? LayerCompression.Gzip
        : start.StartsWith((ReadOnlySpan<byte>)[0x28, 0xb5, 0x2f, 0xfd]) ? LayerCompression.Zstd
        : LayerCompression.None;
}
