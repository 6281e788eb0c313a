using Converter.Core.Compression;
using Converter.Core.Oci;

namespace Converter.Core.Pipeline;

/// <summary>A layer's tar in a file, compressed or not: its compression is told by its first bytes.</summary>
internal static class LayerFile
{
    private const int BufferSize = 256 * 1024;
    private const int BuffersAhead = 8;
    private const int MagicSize = 4;

    /// <summary>Decompresses on one thread and reads the tar on another; whoever reads does so to the stream's end.</summary>
    /// <exception cref="ConversionException">It is a pipe or the like.</exception>
    public static async Task<T> ReadAsync<T>(string path, Func<Stream, CancellationToken, T> read, CancellationToken cancellation)
    {
        await using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, BufferSize, FileOptions.SequentialScan);
        if (!file.CanSeek)
        {
            throw new ConversionException("it is a pipe or a device, and a layer may be read more than once: save it to a file first");
        }

        var magic = new byte[MagicSize];
        var compression = Decompression.Detect(magic.AsSpan(0, await file.ReadAtLeastAsync(magic, MagicSize, throwOnEndOfStream: false, cancellation)));
        file.Position = 0;
        if (compression == LayerCompression.None)
        {
            return read(file, cancellation);
        }

        using var tar = new BufferChannel(BufferSize, BuffersAhead, new StageClock("decompress", layer: 0), new StageClock("import", layer: 0));
        using var stages = new StageGroup(cancellation);
        T? result = default;
        stages.StartThread(() =>
        {
            try
            {
                Decompression.Read(
                    file, compression, stream => tar.PumpAsync(stream, static _ => { }, stages.Cancellation).GetAwaiter().GetResult());
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
    }
}
