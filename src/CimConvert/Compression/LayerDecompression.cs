using CimConvert.Oci;
using CimConvert.Plumbing;

namespace CimConvert.Compression;

/// <summary>Decompresses layers: each on its caller's thread, or, where one is large and cores are free, on several.</summary>
internal static class LayerDecompression
{
    /// <summary>Layers that are decompressed now, which share the cores.</summary>
    private static int s_layers;

    /// <param name="compressed">Stays the caller's.</param>
    /// <param name="compression">Its compression.</param>
    /// <param name="size">Bytes of it.</param>
    /// <param name="tar">Gets what was compressed.</param>
    /// <param name="onRead">Told of every piece that was decompressed.</param>
    /// <param name="cancellationToken">Stops.</param>
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
                Decompression.Explain(compression, () => ParallelGunzip.Read(compressed, workers, Pump, cancellationToken));
            }
            else
            {
                Decompression.Read(compressed, compression, Pump);
            }
        }
        finally
        {
            Interlocked.Decrement(ref s_layers);
        }

        void Pump(Stream decompressed) => tar.Pump(decompressed, onRead, cancellationToken);
    }
}
