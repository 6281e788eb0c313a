using CimConvert.Cims;
using CimConvert.Compression;
using CimConvert.Layers;
using CimConvert.Oci;
using CimConvert.Plumbing;
using CimConvert.Storage;

namespace CimConvert.Pipeline;

/// <summary>
/// One layer's way from its blob to its image: download and verify, decompress, verify the tar, import it, hash what is
/// written, each on its own thread, joined by bounded channels. Memory is the channels' buffers, whatever the layer's size.
/// </summary>
internal sealed class LayerStream(
    LayerPlan plan, Func<CancellationToken, Task<Stream>> openBlob, GrowingFileDigest? imageDigest, InputLimits limits, DiskBudget? disk)
{
    private const int CompressedBufferSize = 128 * 1024;
    private const int TarBufferSize = 256 * 1024;
    private const int Buffers = 16;

    /// <summary>Runs the stages to their end.</summary>
    /// <param name="import">Reads the tar to its very end, or throws. What it made counts once this returns.</param>
    /// <param name="cancellationToken">Stops them all.</param>
    /// <exception cref="InvalidDataException">The blob or the tar is not what it should be.</exception>
    public async Task<LayerImportResult> RunAsync(Func<Stream, CancellationToken, LayerImportResult> import, CancellationToken cancellationToken)
    {
        var (download, decompress, hash, importing) = (Clock("download"), Clock("decompress"), Clock("hash"), Clock("import"));
        using var compressed = new BufferChannel(CompressedBufferSize, Buffers, download, decompress);
        using var tar = new BufferChannel(TarBufferSize, Buffers, decompress, hash, importing);
        using var digest = new DigestCheck("its uncompressed tar (diff ID)", plan.DiffId.Digest, expectedSize: null);
        using var stages = new StageGroup(cancellationToken);
        LayerImportResult? result = null;

        stages.Start(() => DownloadAsync(compressed, stages.Cancellation));
        var decompressed = stages.StartAwaitedThread(() => Decompress(compressed, tar, stages.Cancellation));
        var hashed = stages.StartAwaitedThread(() => Hash(tar.Readers[0], digest));
        if (imageDigest is not null)
        {
            stages.StartThread(() => imageDigest.Follow(stages.Cancellation));
        }

        stages.StartThread(() => result = Import(tar, import, decompressed, hashed, digest, stages.Cancellation));
        await stages.CompleteAsync();
        return result!;
    }

    private StageClock Clock(string stage) => new(stage, plan.Index);

    private async Task DownloadAsync(BufferChannel compressed, CancellationToken cancellationToken)
    {
        await using var blob = await OpenOrFail(compressed, cancellationToken);
        await using var verified = new DigestingStream(blob, "its blob", plan.Blob.Digest, plan.Blob.Size);
        await compressed.PumpAsync(verified, plan.Progress.AddDownloaded, cancellationToken);
    }

    /// <summary>A blob that cannot be opened must end the channel too, or the next stage would wait for ever.</summary>
    private async Task<Stream> OpenOrFail(BufferChannel compressed, CancellationToken cancellationToken)
    {
        try
        {
            return await openBlob(cancellationToken);
        }
        catch (Exception e)
        {
            compressed.Fail(e);
            throw;
        }
    }

    private void Decompress(BufferChannel compressed, BufferChannel tar, CancellationToken cancellationToken)
    {
        try
        {
            LayerDecompression.Pump(compressed.Reader, plan.Compression, plan.Blob.Size, tar, CountDecompressed, cancellationToken);
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
            while (!cancellationToken.IsCancellationRequested && !compressed.Reader.Next().IsEmpty)
            {
            }
        }
    }

    private void CountDecompressed(int bytes)
    {
        plan.Progress.AddDecompressed(bytes);
        limits.CheckSize(plan.Progress.Decompressed, plan.Progress.Downloaded);
        disk?.Take(bytes);
    }

    private static void Hash(BufferReader tar, DigestCheck digest)
    {
        while (tar.Next() is { IsEmpty: false } slice)
        {
            digest.Append(slice.Span);
        }
    }

    private LayerImportResult Import(
        BufferChannel tar,
        Func<Stream, CancellationToken, LayerImportResult> import,
        Task decompressed,
        Task hashed,
        DigestCheck digest,
        CancellationToken cancellationToken)
    {
        var reader = tar.Readers[1];
        LayerImportResult result;
        try
        {
            result = import(reader, cancellationToken);
            imageDigest?.EndFollowing();
            if (!reader.Next().IsEmpty)
            {
                throw new InvalidOperationException("the importer left part of the tar unread");
            }
        }
        catch (Exception e) when (e is InvalidDataException or LayerImportException && !reader.IsAtEnd)
        {
            tar.Abandon();
            Task.WhenAny(decompressed).Wait(cancellationToken);
            throw;
        }
        catch (Exception e) when (e is InvalidDataException or LayerImportException)
        {
            // It was read to its end: that it is another tar is the better explanation.
            hashed.GetAwaiter().GetResult();
            digest.Finish();
            throw;
        }

        hashed.GetAwaiter().GetResult();
        digest.Finish();
        return result;
    }
}
