using CimConvert.Formats.Gzip;
using CimConvert.Plumbing;

namespace CimConvert.Compression;

/// <summary>
/// Decompresses one gzip stream on several threads. Workers decode chunks speculatively; the reader joins them in order, and decodes
/// itself what they could not. Output and errors are the same as on one thread.
/// </summary>
/// <remarks>
/// A chunk takes at most 9 MiB: its bytes and the segments of its run. There are two chunks more than workers: one that waits for a
/// slower one before it, and one that is being read.
/// </remarks>
internal sealed class ParallelGunzip : IDisposable
{
    /// <summary>Smaller streams are not worth several threads.</summary>
    public const long MinCompressedSize = 16 * 1024 * 1024;

    /// <summary>With more workers, joining takes longer than decoding. Memory stays below 75 MB.</summary>
    private const int MaxWorkers = 6;

    private const int MinProcessors = 4;

    private readonly GzipChunkSizes _sizes;
    private readonly GzipChunkReader _chunks;
    private readonly Lock _chunksLock = new();
    private readonly OrderedResults<GzipChunk> _decoded;

    private ParallelGunzip(Stream compressed, int workers, GzipChunkSizes sizes)
    {
        _sizes = sizes;
        _chunks = new GzipChunkReader(compressed, sizes);
        _decoded = new OrderedResults<GzipChunk>(workers + 1);
    }

    /// <summary>
    /// The number of workers for a layer. 0 means one thread, which decodes with less work. One processor is left for hashing and
    /// importing; a single worker would take as long as one thread.
    /// </summary>
    /// <param name="compressedSize">Size of the layer.</param>
    /// <param name="processors">Processors of the machine.</param>
    /// <param name="layers">Layers that are being decompressed, this one included.</param>
    public static int WorkersFor(long compressedSize, int processors, int layers)
    {
        var workers = Math.Min(MaxWorkers, (processors - 1) / layers);
        return compressedSize >= MinCompressedSize && processors >= MinProcessors && workers > 1 ? workers : 0;
    }

    /// <param name="compressed">Not disposed. Read by one thread at a time, and not any more when this returns.</param>
    /// <param name="workers">Threads besides the caller's, at least one.</param>
    /// <param name="read">Reads the decompressed stream, on the caller's thread.</param>
    /// <param name="cancellationToken">Cancels waiting for chunks.</param>
    /// <exception cref="InvalidDataException">The stream is damaged.</exception>
    public static void Read(Stream compressed, int workers, Action<Stream> read, CancellationToken cancellationToken) =>
        Read(compressed, workers, GzipChunkSizes.Default, read, cancellationToken);

    internal static void Read(Stream compressed, int workers, GzipChunkSizes sizes, Action<Stream> read, CancellationToken cancellationToken)
    {
        using var gunzip = new ParallelGunzip(compressed, workers, sizes);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        using var stages = new StageGroup(CancellationToken.None);
        for (var i = 0; i < workers; i++)
        {
            stages.StartThread(() => gunzip.DecodeChunks(stop.Token));
        }

        try
        {
            using var stream = new GunzipStream(() => gunzip._decoded.Take(cancellationToken));
            read(stream);
        }
        finally
        {
            stop.Cancel();
            stages.CompleteAsync().GetAwaiter().GetResult();
        }
    }

    /// <summary>Releases the chunks that were decoded and not read. All workers have ended.</summary>
    public void Dispose()
    {
        foreach (var chunk in _decoded.TakeLeft())
        {
            chunk.Release();
        }

        _chunks.Dispose();
    }

    /// <summary>A worker's loop.</summary>
    private void DecodeChunks(CancellationToken stop)
    {
        using var decoder = new GzipChunkDecoder(_sizes);
        while (NextChunk(stop) is var (chunk, decoded))
        {
            try
            {
                decoder.Decode(chunk);
                decoded.SetResult(chunk);
            }
            catch (Exception e)
            {
                chunk.Release();
                decoded.SetException(e);
            }
        }
    }

    /// <summary>
    /// Reads the next chunk and takes its place in the order. An error of the compressed stream reaches the reader in that place.
    /// </summary>
    private (GzipChunk Chunk, TaskCompletionSource<GzipChunk> Decoded)? NextChunk(CancellationToken stop)
    {
        lock (_chunksLock)
        {
            try
            {
                // Waits before reading: there are never more chunks than places.
                if (_decoded.WaitForPlace(stop) && _chunks.Next() is { } chunk)
                {
                    return (chunk, _decoded.Begin());
                }

                _decoded.End();
            }
            catch (Exception e)
            {
                _decoded.End(e);
            }

            return null;
        }
    }
}
