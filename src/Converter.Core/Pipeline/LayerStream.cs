using Converter.Core.Compression;
using Converter.Core.Layers;
using Converter.Core.Oci;
using Converter.Core.Store;

namespace Converter.Core.Pipeline;

/// <summary>
/// One layer's way from its blob to its importer: download and verify, decompress, verify and import, each on its own thread,
/// joined by bounded channels. Memory is the channels' buffers, whatever the layer's size.
/// </summary>
internal sealed class LayerStream(LayerPlan plan, Func<CancellationToken, Task<Stream>> openBlob, DiskBudget? disk)
{
    private const int CompressedBufferSize = 128 * 1024;
    private const int TarBufferSize = 256 * 1024;
    private const int BuffersAhead = 8;

    private static int s_decompressing;

    /// <summary>Runs the three stages to their end.</summary>
    /// <param name="import">Reads the tar to its very end, or throws.</param>
    /// <param name="cancellation">Stops all three.</param>
    /// <exception cref="InvalidDataException">The blob or the tar is not what it should be.</exception>
    public async Task<LayerImportResult> RunAsync(Func<Stream, CancellationToken, LayerImportResult> import, CancellationToken cancellation)
    {
        using var compressed = new BufferChannel(CompressedBufferSize, BuffersAhead);
        using var tar = new BufferChannel(TarBufferSize, BuffersAhead);
        using var stages = new StageGroup(cancellation);
        var decompressed = new TaskCompletionSource();
        LayerImportResult? result = null;

        stages.Start(() => DownloadAsync(compressed, stages.Cancellation));
        stages.StartThread(() =>
        {
            try
            {
                Decompress(compressed, tar, stages.Cancellation);
            }
            finally
            {
                decompressed.SetResult();
            }
        });
        stages.StartThread(() => result = Import(tar, import, decompressed.Task, stages.Cancellation));
        await stages.CompleteAsync();
        return result!;
    }

    private async Task DownloadAsync(BufferChannel compressed, CancellationToken cancellation)
    {
        await using var blob = await OpenOrFail(compressed, cancellation);
        await using var verified = new DigestingStream(blob, "its blob", plan.Blob.Digest, plan.Blob.Size);
        await compressed.PumpAsync(verified, plan.Progress.AddDownloaded, cancellation);
    }

    /// <summary>A blob that cannot be opened must end the channel too, or the next stage would wait for ever.</summary>
    private async Task<Stream> OpenOrFail(BufferChannel compressed, CancellationToken cancellation)
    {
        try
        {
            return await openBlob(cancellation);
        }
        catch (Exception e)
        {
            compressed.Fail(e);
            throw;
        }
    }

    private void Decompress(BufferChannel compressed, BufferChannel tar, CancellationToken cancellation)
    {
        try
        {
            var layers = Interlocked.Increment(ref s_decompressing);
            var workers = plan.Compression == LayerCompression.Gzip ? ParallelGunzip.WorkersFor(plan.Blob.Size, Environment.ProcessorCount, layers) : 0;
            if (workers > 0)
            {
                Decompression.Explain(plan.Compression, () => ParallelGunzip.Read(compressed.Reader, workers, Pump, cancellation));
            }
            else
            {
                Decompression.Read(compressed.Reader, plan.Compression, Pump);
            }
        }
        catch (Exception e)
        {
            tar.Fail(e);
            throw;
        }
        finally
        {
            Interlocked.Decrement(ref s_decompressing);

            // Whatever went wrong here or behind, a damaged blob is the better explanation: read on until its digest is known.
            // Behind a decompressor's own end, too, the rest of the blob has to be read for that.
            if (!cancellation.IsCancellationRequested)
            {
                compressed.Reader.CopyTo(Stream.Null);
            }
        }

        void Pump(Stream stream) => tar.PumpAsync(stream, CountDecompressed, cancellation).GetAwaiter().GetResult();
    }

    private void CountDecompressed(int bytes)
    {
        plan.Progress.AddDecompressed(bytes);
        disk?.Take(bytes);
    }

    private LayerImportResult Import(
        BufferChannel tar, Func<Stream, CancellationToken, LayerImportResult> import, Task decompressed, CancellationToken cancellation)
    {
        try
        {
            using var verified = new DigestingStream(tar.Reader, "its uncompressed tar (diff ID)", plan.DiffId.Digest, expectedSize: null);
            var result = import(verified, cancellation);
            if (verified.Read(stackalloc byte[1]) != 0)
            {
                throw new InvalidOperationException("the importer left part of the tar unread");
            }

            return result;
        }
        catch (Exception e) when (e is InvalidDataException or LayerImportException)
        {
            tar.Abandon();
            decompressed.Wait(cancellation);
            throw;
        }
    }
}
