using System.Runtime.ExceptionServices;
using CimConvert.Compression;
using CimConvert.Formats.Binary;
using CimConvert.Layers;
using CimConvert.Oci;
using CimConvert.Plumbing;
using CimConvert.Storage;

namespace CimConvert.Pipeline;

/// <summary>
/// A layer's tar as a stream. Its blob is downloaded and verified, decompressed, and the tar hashed, each on a thread of its own,
/// joined by bounded channels: memory is their buffers, whatever the layer's size. <see cref="ReadToEndAsync"/> reads it.
/// </summary>
internal sealed class LayerTar : ForwardStream, ISliceSource
{
    private const int CompressedBufferSize = 128 * 1024;
    private const int TarBufferSize = 256 * 1024;
    private const int Buffers = 16;

    private readonly StageGroup _stages;
    private readonly CancellationToken _outer;
    private readonly BufferChannel? _compressed;
    private readonly BufferChannel _tar;
    private readonly BufferReader _reader;
    private readonly DigestCheck? _diffId;
    private readonly Task _decompressed;
    private readonly Task _hashed = Task.CompletedTask;

    /// <summary>The tar of a layer whose blob comes from its source; it must hash to the layer's diff ID.</summary>
    public LayerTar(LayerPlan plan, LayerDownload download, InputLimits limits, DiskBudget? disk, CancellationToken cancellationToken)
    {
        var (downloading, decompressing, hashing, importing) = (Clock("download"), Clock("decompress"), Clock("hash"), Clock("import"));
        _outer = cancellationToken;
        _stages = new StageGroup(cancellationToken);
        _compressed = new BufferChannel(CompressedBufferSize, Buffers, downloading, decompressing);
        _tar = new BufferChannel(TarBufferSize, Buffers, decompressing, hashing, importing);
        _reader = _tar.Readers[1];
        _diffId = new DigestCheck("its uncompressed tar (diff ID)", plan.DiffId.Digest, expectedSize: null);
        _stages.Start(() => DownloadAsync(plan, download, _compressed));
        _decompressed = _stages.StartAwaitedThread(() => Decompress(_compressed.Reader, plan.Compression, plan.Blob.Size, Count));
        _hashed = _stages.StartAwaitedThread(Hash);

        StageClock Clock(string stage) => new(stage, plan.Index);

        void Count(int bytes)
        {
            plan.Progress.AddDecompressed(bytes);
            limits.CheckSize(plan.Progress.Decompressed, plan.Progress.Downloaded);
            disk?.Take(bytes);
        }
    }

    /// <summary>The tar of a compressed layer on disk, whose digests nobody knows.</summary>
    /// <param name="file">Read from where it is; stays the caller's.</param>
    /// <param name="compression">Of the file.</param>
    /// <param name="limits">What the layer may take.</param>
    /// <param name="cancellationToken">Stops the threads.</param>
    public LayerTar(FileStream file, LayerCompression compression, InputLimits limits, CancellationToken cancellationToken)
    {
        var size = 0L;
        _outer = cancellationToken;
        _stages = new StageGroup(cancellationToken);
        _tar = new BufferChannel(TarBufferSize, Buffers, new StageClock("decompress", layer: 0), new StageClock("import", layer: 0));
        _reader = _tar.Reader;
        _decompressed = _stages.StartAwaitedThread(() => Decompress(file, compression, file.Length, Count));

        void Count(int bytes)
        {
            size += bytes;
            limits.CheckSize(size, file.Position);
        }
    }

    /// <summary>Reads the tar on a thread of its own. What was made of it counts once this returns: then all digests are right.</summary>
    /// <param name="read">Reads the stream to its very end, or throws.</param>
    /// <exception cref="InvalidDataException">The blob or the tar is not what it should be.</exception>
    public async Task<T> ReadToEndAsync<T>(Func<Stream, CancellationToken, T> read)
    {
        T result;
        try
        {
            result = await OwnThread.RunAsync(() => read(this, _stages.Cancellation));
        }
        catch (Exception e)
        {
            ExceptionDispatchInfo.Throw(await ExplainAsync(e));
            throw;
        }

        if (!_reader.Next().IsEmpty)
        {
            throw new InvalidOperationException("the importer left part of the tar unread");
        }

        await _stages.CompleteAsync();
        _diffId?.Finish();
        return result;
    }

    public override int Read(Span<byte> buffer) => _reader.Read(buffer);

    public ReadOnlyMemory<byte> Next() => _reader.Next();

    public override async ValueTask DisposeAsync()
    {
        await _stages.StopAsync();
        _stages.Dispose();
        _tar.Dispose();
        _compressed?.Dispose();
        _diffId?.Dispose();
        await base.DisposeAsync();
    }

    /// <summary>
    /// Stops the threads after the reader failed. A damaged blob explains a failure better than what the reader made of it, and so
    /// does another tar than the diff ID says: the rest of the blob is read until both are known.
    /// </summary>
    private async Task<Exception> ExplainAsync(Exception failure)
    {
        var better = failure;
        if (failure is InvalidDataException or LayerImportException)
        {
            var wasReadWhole = _reader.IsAtEnd;
            if (!wasReadWhole)
            {
                _tar.Abandon();
            }

            await _decompressed.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await _hashed.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            better = wasReadWhole ? DiffIdMismatch() ?? failure : failure;
        }

        var cause = await _stages.StopAsync();
        return _outer.IsCancellationRequested ? new OperationCanceledException(_outer) : cause ?? better;
    }

    private InvalidDataException? DiffIdMismatch()
    {
        try
        {
            _diffId?.Finish();
            return null;
        }
        catch (InvalidDataException mismatch)
        {
            return mismatch;
        }
    }

    private async Task DownloadAsync(LayerPlan plan, LayerDownload download, BufferChannel compressed)
    {
        Stream blob;
        try
        {
            blob = await download.OpenAsync(_stages.Cancellation);
        }
        catch (Exception e)
        {
            // The channel must end too, or its reader would wait for ever.
            compressed.Fail(e);
            throw;
        }

        await using (blob)
        {
            await using var verified = new DigestingStream(blob, "its blob", plan.Blob.Digest, plan.Blob.Size);
            await compressed.PumpAsync(verified, plan.Progress.AddDownloaded, _stages.Cancellation);
        }
    }

    private void Decompress(Stream compressed, LayerCompression compression, long size, Action<int> count)
    {
        try
        {
            LayerDecompression.Pump(compressed, compression, size, _tar, count, _stages.Cancellation);
        }
        catch (Exception e)
        {
            _tar.Fail(e);
            throw;
        }
        finally
        {
            // The blob's digest is known at its end only, which may lie behind the end of what was compressed, or of a failure.
            while (!_stages.Cancellation.IsCancellationRequested && _compressed?.Reader.Next().IsEmpty == false)
            {
            }
        }
    }

    private void Hash()
    {
        var tar = _tar.Readers[0];
        while (tar.Next() is { IsEmpty: false } slice)
        {
            _diffId!.Append(slice.Span);
        }
    }
}
