using CimConvert.Compression;
using CimConvert.Layers;
using CimConvert.Oci;
using CimConvert.Plumbing;

namespace CimConvert.Pipeline;

/// <summary>A layer's tar in a file, compressed or not: its compression is told by its first bytes.</summary>
internal static class LayerFile
{
    private const int BufferSize = 256 * 1024;
    private const int Buffers = 16;
    private const int MagicSize = 4;

    /// <summary>Decompresses on one thread and reads the tar on another; whoever reads does so to the stream's end.</summary>
    /// <exception cref="ConversionException">It is a pipe or the like, or longer than a layer may be.</exception>
    public static async Task<T> ReadAsync<T>(string path, InputLimits limits, Func<Stream, CancellationToken, T> read, CancellationToken cancellationToken)
    {
        await using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, BufferSize, FileOptions.SequentialScan);
        if (!file.CanSeek || file.Length == 0)
        {
            throw new ConversionException("it is empty, a pipe or a device, and a layer may be read more than once: save it to a file first");
        }

        var magic = new byte[MagicSize];
        var compression = Decompression.Detect(magic.AsSpan(0, await file.ReadAtLeastAsync(magic, MagicSize, throwOnEndOfStream: false, cancellationToken)));
        file.Position = 0;
        if (compression == LayerCompression.None)
        {
            limits.CheckSize(file.Length, file.Length);
            return read(file, cancellationToken);
        }

        using var tar = new BufferChannel(BufferSize, Buffers, new StageClock("decompress", layer: 0), new StageClock("import", layer: 0));
        using var stages = new StageGroup(cancellationToken);
        T? result = default;
        var size = 0L;
        stages.StartThread(() =>
        {
            try
            {
                LayerDecompression.Pump(file, compression, file.Length, tar, Count, stages.Cancellation);
            }
            catch (Exception e)
            {
                tar.Fail(e);
                throw;
            }
        });
        stages.StartThread(() =>
        {
            try
            {
                result = read(tar.Reader, stages.Cancellation);
            }
            catch
            {
                tar.Abandon();
                throw;
            }
        });
        await stages.CompleteAsync();
        return result!;

        void Count(int bytes)
        {
            size += bytes;
            limits.CheckSize(size, file.Position);
        }
    }
}
