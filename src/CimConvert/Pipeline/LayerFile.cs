using CimConvert.Compression;
using CimConvert.Layers;
using CimConvert.Oci;

namespace CimConvert.Pipeline;

/// <summary>A layer's tar in a file, compressed or not: its compression is told by its first bytes.</summary>
internal static class LayerFile
{
    private const int BufferSize = 256 * 1024;
    private const int MagicSize = 4;

    /// <summary>Decompresses on one thread and reads the tar on another; whoever reads does so to the stream's end.</summary>
    /// <exception cref="ConversionException">It is a pipe or the like, or longer than a layer may be.</exception>
    public static async Task<T> ReadAsync<T>(string path, InputLimits limits, Func<Stream, CancellationToken, T> read, CancellationToken cancellationToken)
    {
        await using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, BufferSize, FileOptions.SequentialScan);
        if (!file.CanSeek)
        {
            throw new ConversionException("the input must be seekable, as a layer may be read more than once: save it to a file first");
        }

        if (file.Length == 0)
        {
            throw new ConversionException("the file is empty");
        }

        var magic = new byte[MagicSize];
        var compression = Decompression.Detect(magic.AsSpan(0, await file.ReadAtLeastAsync(magic, MagicSize, throwOnEndOfStream: false, cancellationToken)));
        file.Position = 0;
        if (compression == LayerCompression.None)
        {
            limits.CheckSize(file.Length, file.Length);
            return read(file, cancellationToken);
        }

        await using var tar = new LayerTar(file, compression, limits, cancellationToken);
        return await tar.ReadToEndAsync(read);
    }
}
