using CimConvert.Formats.Gzip;
using CimConvert.Oci;

namespace CimConvert.Compression;

/// <summary>Decompresses a blob to the layer's tar.</summary>
internal static class Decompression
{
    private static ReadOnlySpan<byte> GzipMagic => [0x1f, 0x8b];

    private static ReadOnlySpan<byte> ZstdMagic => [0x28, 0xb5, 0x2f, 0xfd];

    /// <summary>The compression of a file by its first bytes: names of layer files tell nothing.</summary>
    public static LayerCompression Detect(ReadOnlySpan<byte> start) =>
        start.StartsWith(GzipMagic) ? LayerCompression.Gzip
        : start.StartsWith(ZstdMagic) ? LayerCompression.Zstd
        : LayerCompression.None;

    /// <summary>A stream that decompresses <paramref name="blob"/> and does not own it; for a blob that is not compressed, the blob itself.</summary>
    public static Stream Open(Stream blob, LayerCompression compression) => compression switch
    {
        LayerCompression.None => blob,
        LayerCompression.Gzip => new GunzipStream(blob),
        LayerCompression.Zstd => new ZstdStream(blob, ZstdDecoder.Create()),
        _ => throw new ArgumentOutOfRangeException(nameof(compression), compression, message: null),
    };

    /// <summary>Opens a blob and reads it.</summary>
    /// <exception cref="InvalidDataException">The compressed data is damaged or truncated; the message says so.</exception>
    public static void Read(Stream blob, LayerCompression compression, Action<Stream> read)
    {
        if (compression == LayerCompression.None)
        {
            read(blob);
            return;
        }

        DescribeDamage(compression, () =>
        {
            using var decompressed = Open(blob, compression);
            read(decompressed);
        });
    }

    /// <summary>Reads a gzip blob on several threads, with the same output and errors.</summary>
    public static void ReadInParallel(Stream blob, int workers, Action<Stream> read, CancellationToken cancellationToken) =>
        DescribeDamage(LayerCompression.Gzip, () => ParallelGunzip.Read(blob, workers, read, cancellationToken));

    private static void DescribeDamage(LayerCompression compression, Action read)
    {
        try
        {
            read();
        }
        catch (InvalidDataException e)
        {
            var name = compression == LayerCompression.Gzip ? "gzip" : "zstd";
            throw new InvalidDataException($"its {name} data is damaged or ends too early: {e.Message}", e);
        }
    }
}
