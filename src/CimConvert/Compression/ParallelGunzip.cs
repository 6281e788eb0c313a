using System.Threading.Channels;
using CimConvert.Formats.Gzip;
using CimConvert.Plumbing;

namespace CimConvert.Compression;

/// <summary>
/// Decompresses one gzip stream on several threads. Each takes the next chunk of compressed bytes, and decodes it ahead of its
/// time; who reads puts together, in order, what they decoded, and decodes by itself what they could not. Bytes and errors are
/// those of the one decoder.
/// </summary>
/// <remarks>
/// Memory is 9 MiB a chunk at most (its bytes, and the segments of its run), and there are two chunks more than workers: one that
/// waits for a slower one, and the one that is read.
/// </remarks>
internal sealed class ParallelGunzip : IDisposable
{
    private readonly GzipChunkSizes _sizes;
    private readonly GzipChunkReader _chunks;
    private readonly Channel<Task<GzipChunk>> _inOrder;
    private readonly Lock _reading = new();

    private ParallelGunzip(Stream compressed, int workers, GzipChunkSizes sizes)
    {
        _sizes = sizes;
        _chunks = new GzipChunkReader(compressed, sizes);
        _inOrder = Channel.CreateBounded<Task<GzipChunk>>(new BoundedChannelOptions(workers + 1) { SingleReader = true });
    }

    /// <summary>A smaller stream is through before several threads have anything to win.</summary>
    public const long MinCompressedSize = 16 * 1024 * 1024;

    /// <summary>With these, putting together takes as long as decoding; and memory stays below 75 MB.</summary>
    private const int MaxWorkers = 6;

    /// <summary>
    /// How many workers a layer should have, 0 for none: one thread decodes with less work. One core is left to those who hash and
    /// import; with a single worker, the time is that of one thread.
    /// </summary>
    /// <param name="compressedSize">Of the layer.</param>
    /// <param name="processors">Of the machine.</param>
    /// <param name="layers">That are decompressed at the same time.</param>
    public static int WorkersFor(long compressedSize, int processors, int layers) =>
        compressedSize >= MinCompressedSize && Math.Min(MaxWorkers, (processors - 1) / layers) is var workers and > 1 && processors > 3 ? workers : 0;

    /// <param name="compressed">Stays the caller's. It is read by one thread at a time, and by none any more when this returns.</param>
    /// <param name="workers">Threads besides the caller's, at least one.</param>
    /// <param name="read">Reads what was compressed, on the caller's thread.</param>
    /// <param name="cancellationToken">Gives up waiting for chunks.</param>
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
            stages.StartThread(() => gunzip.Work(stop.Token));
        }

        try
        {
            using var stream = new GunzipStream(() => gunzip.Next(cancellationToken));
            read(stream);
        }
        finally
        {
            stop.Cancel();
            stages.CompleteAsync().GetAwaiter().GetResult();
        }
    }

    /// <summary>Gives back what was decoded and not read. All workers have ended.</summary>
    public void Dispose()
    {
        while (_inOrder.Reader.TryRead(out var chunk))
        {
            if (chunk.IsCompletedSuccessfully)
            {
                chunk.Result.Release();
            }
        }

        _chunks.Dispose();
    }

    private void Work(CancellationToken stop)
    {
        using var decoder = new GzipChunkDecoder(_sizes);
        while (Take(stop) is var (chunk, decoded))
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

    /// <summary>The next chunk, which has got its place in the order. What fails here is what comes next in the order.</summary>
    private (GzipChunk Chunk, TaskCompletionSource<GzipChunk> Decoded)? Take(CancellationToken stop)
    {
        lock (_reading)
        {
            try
            {
                // Before it is read, so that no more chunks are about than there are places.
                if (_inOrder.Writer.WaitToWriteAsync(stop).AsTask().GetAwaiter().GetResult() && _chunks.Next() is { } chunk)
                {
                    var decoded = new TaskCompletionSource<GzipChunk>(TaskCreationOptions.RunContinuationsAsynchronously);
                    _inOrder.Writer.TryWrite(decoded.Task);
                    return (chunk, decoded);
                }

                _inOrder.Writer.TryComplete();
            }
            catch (Exception e)
            {
                _inOrder.Writer.TryComplete(e);
            }

            return null;
        }
    }

    private GzipChunk? Next(CancellationToken cancellationToken)
    {
        Task<GzipChunk>? chunk;
        while (!_inOrder.Reader.TryRead(out chunk))
        {
            if (!_inOrder.Reader.WaitToReadAsync(cancellationToken).AsTask().GetAwaiter().GetResult())
            {
                return null;
            }
        }

        return chunk.GetAwaiter().GetResult();
    }
}
