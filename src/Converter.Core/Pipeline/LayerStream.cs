using Converter.Core.Compression;
using Converter.Core.Layers;
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

    /// <summary>Runs the three stages to their end.</summary>
    /// <param name="import">Reads the tar to its very end, or throws.</param>
    /// <param name="cancellation">Stops all three.</param>
    /// <exception cref="InvalidDataException">The blob or the tar is not what it should be.</exception>
    public async Task<LayerImportResult> RunAsync(Func<Stream, CancellationToken, LayerImportResult> import, CancellationToken cancellation)
    {
        var (download, decompress, importing) = (Clock("download"), Clock("decompress"), Clock("import"));
        using var compressed = new BufferChannel(CompressedBufferSize, BuffersAhead, download, decompress);
        using var tar = new BufferChannel(TarBufferSize, BuffersAhead, decompress, importing);
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

    private StageClock Clock(string stage) => new(stage, plan.Index);

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
            Decompression.Read(
                compressed.Reader,
                plan.Compression,
                stream => tar.PumpAsync(stream, CountDecompressed, cancellation).GetAwaiter().GetResult());
        }
        catch (Exception e)
        {
            tar.Fail(e);
            throw;
        }
        finally
        {
            // Whatever went wrong here or behind, a damaged blob is the better explanation: read on until its digest is known.
            // Behind a decompressor's own end, too, the rest of the blob has to be read for that.
            if (!cancellation.IsCancellationRequested)
            {
                compressed.Reader.CopyTo(Stream.Null);
            }
        }
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
