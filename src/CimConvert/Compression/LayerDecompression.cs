using CimConvert.Oci;
using CimConvert.Plumbing;

namespace CimConvert.Compression;

/// <summary>Decompresses a layer into a channel: on the calling thread, or on several if it is large gzip and processors are free.</summary>
internal static class LayerDecompression
{
    /// <summary>Layers being decompressed now, which share the processors.</summary>
    private static int s_layers;

    /// <param name="compressed">Not disposed.</param>
    /// <param name="compression">How it is compressed.</param>
    /// <param name="size">Its length.</param>
    /// <param name="tar">Receives the decompressed tar.</param>
    /// <param name="onRead">Called with the number of bytes of every piece that was decompressed.</param>
    /// <param name="cancellationToken">Cancels.</param>
    /// <exception cref="InvalidDataException">The data is damaged.</exception>
    public static void Pump(
        Stream compressed, LayerCompression compression, long size, BufferChannel tar, Action<int> onRead, CancellationToken cancellationToken)
    {
        var layers = Interlocked.Increment(ref s_layers);
        try
        {
            var workers = compression == LayerCompression.Gzip ? ParallelGunzip.WorkersFor(size, Environment.ProcessorCount, layers) : 0;
            if (workers > 0)
            {
                Decompression.ReadInParallel(compressed, workers, PumpTar, cancellationToken);
            }
            else
            {
                Decompression.Read(compressed, compression, PumpTar);
            }
        }
        finally
        {
            Interlocked.Decrement(ref s_layers);
        }

        void PumpTar(Stream decompressed) => tar.Pump(decompressed, onRead, cancellationToken);
    }
}
