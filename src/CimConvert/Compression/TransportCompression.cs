using System.IO.Compression;
using CimConvert.Oci;
using ZstdSharp;

namespace CimConvert.Compression;

/// <summary>How files of converted images are compressed for a registry.</summary>
/// <param name="Kind">The format.</param>
/// <param name="Level">zstd: 1 to 19, gzip: 1 to 9; 0 for none.</param>
internal sealed record TransportCompression(LayerCompression Kind, int Level)
{
    public const string ZstdName = "zstd";
    public const string GzipName = "gzip";
    public const string NoneName = "none";

    private const int ZstdLevel = 3;
    private const int GzipLevel = 6;
    private const int HighestZstdLevel = 19;
    private const int HighestGzipLevel = 9;
    private const int BufferSize = 1024 * 1024;

    public static TransportCompression None { get; } = new(LayerCompression.None, 0);

    /// <summary>zstd, which unpacks several times faster than gzip.</summary>
    public static TransportCompression Default { get; } = new(LayerCompression.Zstd, ZstdLevel);

    /// <param name="name">zstd, gzip or none.</param>
    /// <param name="level">Null for the format's usual one.</param>
    /// <exception cref="InvalidDataException">There is no such compression or level.</exception>
    public static TransportCompression Parse(string name, int? level)
    {
        var compression = name switch
        {
            ZstdName => new TransportCompression(LayerCompression.Zstd, level ?? ZstdLevel),
            GzipName => new TransportCompression(LayerCompression.Gzip, level ?? GzipLevel),
            NoneName => None with { Level = level ?? 0 },
            _ => throw new InvalidDataException($"there is no compression '{Printable.Of(name)}': {ZstdName}, {GzipName} or {NoneName}"),
        };
        var highest = compression.Kind switch { LayerCompression.Zstd => HighestZstdLevel, LayerCompression.Gzip => HighestGzipLevel, _ => 0 };
        return compression.Level >= Math.Min(highest, 1) && compression.Level <= highest
            ? compression
            : throw new InvalidDataException(highest == 0 ? "without compression there is no level" : $"{name} has levels from 1 to {highest}");
    }

    /// <summary>
    /// Compresses a stream. The same bytes come out on every system: zstd by the managed port, whichever libzstd a system has.
    /// </summary>
    /// <param name="from">Read to its end.</param>
    /// <param name="to">Not disposed.</param>
    /// <param name="content">What the stream must have: a registry sees only what became of it.</param>
    /// <param name="cancellationToken">Stops.</param>
    /// <exception cref="InvalidDataException">The stream has other content.</exception>
    public void Compress(Stream from, Stream to, DigestCheck content, CancellationToken cancellationToken)
    {
        using Stream compressor = Kind == LayerCompression.Zstd
            ? new CompressionStream(to, Level, leaveOpen: true)
            : new GZipStream(to, new ZLibCompressionOptions { CompressionLevel = Level }, leaveOpen: true);
        var buffer = new byte[BufferSize];
        for (int read; (read = from.Read(buffer)) > 0;)
        {
            cancellationToken.ThrowIfCancellationRequested();
            content.Append(buffer.AsSpan(0, read));
            compressor.Write(buffer, 0, read);
        }

        content.Finish();
    }

    public override string ToString() => Kind switch
    {
        LayerCompression.Zstd => $"{ZstdName}:{Level}",
        LayerCompression.Gzip => $"{GzipName}:{Level}",
        _ => NoneName,
    };
}
