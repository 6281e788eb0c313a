using System.Runtime.ExceptionServices;
using CimConvert.Compression;
using CimConvert.Formats.Binary;
using CimConvert.Layers;
using CimConvert.Oci;
using CimConvert.Plumbing;
using CimConvert.Storage;

namespace CimConvert.Pipeline;

/// <summary>
/// A layer's tar as a stream. The blob is downloaded and verified, decompressed, and the tar hashed, each on a thread of its own. Bounded
/// channels of buffers join them, so the memory used does not depend on the layer's size. <see cref="ReadToEndAsync"/> reads the stream.
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
    private readonly DigestCheck? _tarCheck;
    private readonly Task _decompressed;
    private readonly Task _hashed = Task.CompletedTask;
    private Digest? _digest;

    /// <summary>Opens the tar of a layer whose blob comes from the image's source; it must match the layer's diff ID.</summary>
    public LayerTar(LayerPlan plan, LayerDownload download, InputLimits limits, DiskBudget? disk, CancellationToken cancellationToken)
        : this(download.OpenAsync, plan.Blob, plan.Compression, Check(plan.DiffId.Digest), plan.Progress, plan.Index, limits, disk, cancellationToken)
    {
    }

    /// <summary>Opens a file of a converted image, which a registry has compressed or not, as <see cref="LayerTar"/> opens a tar.</summary>
    /// <param name="plan">The layer; its blob is the file in the registry.</param>
    /// <param name="download">The blob's download.</param>
    /// <param name="content">What the file itself must be.</param>
    /// <param name="limits">The layer's limits.</param>
    /// <param name="disk">The disk budget; null for none.</param>
    /// <param name="cancellationToken">Stops the threads.</param>
    public LayerTar(LayerPlan plan, LayerDownload download, DigestCheck content, InputLimits limits, DiskBudget? disk, CancellationToken cancellationToken)
        : this(download.OpenAsync, plan.Blob, plan.Compression, content, plan.Progress, plan.Index, limits, disk, cancellationToken)
    {
    }

    /// <summary>Opens the tar of a layer whose diff ID is not known: <see cref="DiffId"/> and <see cref="Size"/> tell what it was.</summary>
    /// <param name="open">Opens the blob, which must match its descriptor.</param>
    /// <param name="blob">The blob.</param>
    /// <param name="compression">The blob's compression.</param>
    /// <param name="limits">The layer's limits.</param>
    /// <param name="cancellationToken">Stops the threads.</param>
    public LayerTar(
        Func<CancellationToken, Task<Stream>> open, Descriptor blob, LayerCompression compression, InputLimits limits, CancellationToken cancellationToken)
        : this(open, blob, compression, Check(diffId: null), new LayerProgress(), layer: 0, limits, disk: null, cancellationToken)
    {
    }

    /// <summary>Opens the tar of a compressed layer on disk, whose digests are not known.</summary>
    /// <param name="file">Read from its position; not owned.</param>
    /// <param name="compression">The file's compression.</param>
    /// <param name="limits">The layer's limits.</param>
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

    private LayerTar(
        Func<CancellationToken, Task<Stream>> open,
        Descriptor blob,
        LayerCompression compression,
        DigestCheck content,
        LayerProgress progress,
        int layer,
        InputLimits limits,
        DiskBudget? disk,
        CancellationToken cancellationToken)
    {
        var (downloading, decompressing, hashing, importing) = (Clock("download"), Clock("decompress"), Clock("hash"), Clock("import"));
        _outer = cancellationToken;
        _stages = new StageGroup(cancellationToken);
        _compressed = new BufferChannel(CompressedBufferSize, Buffers, downloading, decompressing);
        _tar = new BufferChannel(TarBufferSize, Buffers, decompressing, hashing, importing);
        _reader = _tar.Readers[1];
        _tarCheck = content;
        _stages.Start(() => DownloadAsync(open, blob, progress, _compressed));
        _decompressed = _stages.StartAwaitedThread(() => Decompress(_compressed.Reader, compression, blob.Size, Count));
        _hashed = _stages.StartAwaitedThread(Hash);

        StageClock Clock(string stage) => new(stage, layer);

        void Count(int bytes)
        {
            progress.AddDecompressed(bytes);
            limits.CheckSize(progress.Decompressed, progress.Downloaded);
            disk?.Take(bytes);
        }
    }

    /// <summary>The digest of the tar that was read to its end.</summary>
    public DiffId DiffId => new(_digest ?? throw new InvalidOperationException("the tar was not read to its end, or not hashed"));

    /// <summary>Bytes of the tar that was read to its end.</summary>
    public long Size => _tarCheck!.Count;

    /// <summary>
    /// Reads the tar on a thread of its own. Only when this returns are all digests verified, and may the result be used.
    /// </summary>
    /// <param name="read">Must read the stream to its end, or throw.</param>
    /// <exception cref="InvalidDataException">The blob or the tar does not match its digest, or is malformed.</exception>
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
        _digest = _tarCheck?.Finish();
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
        _tarCheck?.Dispose();
        await base.DisposeAsync();
    }

    /// <summary>
    /// Stops the threads after the reader failed. If the blob does not match its digest, or the tar its diff ID, that explains the failure
    /// better than the reader's own error: the rest of the blob is read until both are known.
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

    private static DigestCheck Check(Digest? diffId) => new("its uncompressed tar (diff ID)", diffId, expectedSize: null);

    private InvalidDataException? DiffIdMismatch()
    {
        try
        {
            _tarCheck?.Finish();
            return null;
        }
        catch (InvalidDataException mismatch)
        {
            return mismatch;
        }
    }

    private async Task DownloadAsync(
        Func<CancellationToken, Task<Stream>> open, Descriptor descriptor, LayerProgress progress, BufferChannel compressed)
    {
        Stream blob;
        try
        {
            blob = await open(_stages.Cancellation);
        }
        catch (Exception e)
        {
            // The channel must end, too, or its reader would wait forever.
            compressed.Fail(e);
            throw;
        }

        await using (blob)
        {
            await using var verified = new DigestingStream(blob, "its blob", descriptor.Digest, descriptor.Size);
            await compressed.PumpAsync(verified, progress.AddDownloaded, _stages.Cancellation);
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
            // The blob's digest is only known at its end, which may be after the end of the compressed data, or after a failure: read the
            // rest.
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
            _tarCheck!.Append(slice.Span);
        }
    }
}
