using System.Buffers;
using System.Threading.RateLimiting;
using CimConvert.Oci;
using CimConvert.Sources;
using CimConvert.Store;
using Microsoft.Extensions.Logging;

namespace CimConvert.Pipeline;

/// <summary>
/// The download of one layer's blob. It resumes what an earlier run downloaded, and downloads ahead while the layer waits for its turn to
/// be imported. If it is disposed before <see cref="Finish"/>, the downloaded part stays for a later run.
/// </summary>
internal sealed class LayerDownload : IDisposable
{
    /// <summary>Smaller blobs are cheaper to download again than to resume.</summary>
    private const long SmallestResumed = 4 << 20;

    private const int BufferSize = 128 * 1024;

    private readonly IImageSource _source;
    private readonly LayerPlan _plan;
    private readonly ConversionLimits _limits;
    private readonly ILogger _logger;
    private readonly PartialBlob? _partial;
    private RateLimitLease? _slot;

    /// <summary>The blob, open behind what was downloaded ahead: the import reads on, without another request.</summary>
    private Stream? _ahead;

    /// <param name="source">Where the blob is.</param>
    /// <param name="ingest">Keeps what is downloaded.</param>
    /// <param name="plan">The layer.</param>
    /// <param name="limits">Downloads at the same time, bandwidth and disk.</param>
    /// <param name="logger">Told what an earlier run downloaded.</param>
    /// <param name="smallest">Bytes of the smallest blob that is kept, and so can be downloaded ahead.</param>
    public LayerDownload(
        IImageSource source, IngestArea ingest, LayerPlan plan, ConversionLimits limits, ILogger logger, long smallest = SmallestResumed)
    {
        _source = source;
        _plan = plan;
        _limits = limits;
        _logger = logger;
        _partial = source.IsRemote && Blob.Size >= smallest ? ingest.TryOpenPartial(Blob.Digest) : null;
        if (_partial?.Resumed > Blob.Size)
        {
            _partial.Clear();
        }

        if (_partial?.IsFromEarlierRun == true)
        {
            logger.LogInformation("{Layer}: {Bytes} of {Size} bytes were downloaded by an earlier run", plan.Name, _partial.Resumed, Blob.Size);
        }
    }

    private Descriptor Blob => _plan.Blob;

    private bool IsComplete => _partial?.Resumed == Blob.Size;

    /// <summary>Waits until the layer may be imported, and downloads ahead meanwhile.</summary>
    /// <param name="cancellationToken">Ends the waiting; what was downloaded stays.</param>
    /// <param name="turn">What else the layer has to wait for, before its import slot; null for nothing.</param>
    /// <returns>The import slot, to be disposed when the import has ended.</returns>
    public async Task<IDisposable?> WaitForImportAsync(CancellationToken cancellationToken, Task? turn = null)
    {
        using var waiting = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var importSlot = EnterImportAsync(turn ?? Task.CompletedTask, waiting.Token);
        try
        {
            if (_source.IsRemote && !IsComplete)
            {
                if (_partial is null)
                {
                    // Nothing can be downloaded ahead: a download slot taken now would be idle, and the layer with the import slot may need
                    // one.
                    await importSlot;
                }

                _slot = await _limits.EnterDownloadAsync(cancellationToken);
                if (_partial is not null && !importSlot.IsCompleted)
                {
                    await FetchAheadAsync(_partial, importSlot, cancellationToken);
                }
            }

            return await importSlot;
        }
        catch
        {
            await waiting.CancelAsync();
            await ((Task)importSlot).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (importSlot.IsCompletedSuccessfully)
            {
                (await importSlot)?.Dispose();
            }

            throw;
        }
    }

    /// <summary>Opens the blob from its start.</summary>
    public Task<Stream> OpenAsync(CancellationToken cancellationToken) => OpenBehindAsync(0, cancellationToken);

    /// <summary>Opens the blob behind its first bytes, which somebody has already.</summary>
    public async Task<Stream> OpenBehindAsync(long offset, CancellationToken cancellationToken)
    {
        if (_partial is null)
        {
            return await OpenAtAsync(offset, cancellationToken);
        }

        _partial.Rewind();
        var blob = new ResumableBlob(token => OpenRestAsync(_partial, token), _partial, Blob.Size, cancellationToken);
        try
        {
            // Read, as the file keeps a blob from its start.
            await SkipAsync(blob, offset, cancellationToken);
            return blob;
        }
        catch
        {
            await blob.DisposeAsync();
            throw;
        }
    }

    /// <summary>
    /// Discards a part that an earlier run downloaded, so that the blob can be downloaded again from its start: the part may be damaged,
    /// for example by a power failure, while the registry has the right bytes. False if there is no such part.
    /// </summary>
    public bool TryStartOver(Exception failure)
    {
        if (_partial?.IsFromEarlierRun != true)
        {
            return false;
        }

        _logger.LogWarning("{Layer}: the part downloaded by an earlier run is damaged ({Reason}); downloading it again", _plan.Name, failure.Message);
        _partial.Clear();
        DropAhead();
        return true;
    }

    /// <summary>Called when the layer is in the store: the downloaded file is removed.</summary>
    public void Finish()
    {
        if (_partial is not null)
        {
            _partial.Remove = true;
        }
    }

    /// <summary>Called when the whole blob was read: another download may start.</summary>
    public void ReleaseSlot()
    {
        _slot?.Dispose();
        _slot = null;
    }

    public void Dispose()
    {
        ReleaseSlot();
        DropAhead();
        _partial?.Dispose();
    }

    private static async Task SkipAsync(Stream blob, long count, CancellationToken cancellationToken)
    {
        var unused = new byte[Math.Min(count, BufferSize)];
        for (var left = count; left > 0;)
        {
            var part = unused.AsMemory(0, (int)Math.Min(left, unused.Length));
            await blob.ReadExactlyAsync(part, cancellationToken);
            left -= part.Length;
        }
    }

    private async Task<RateLimitLease?> EnterImportAsync(Task turn, CancellationToken cancellationToken)
    {
        await turn.WaitAsync(cancellationToken);
        return await _limits.EnterImportAsync(cancellationToken);
    }

    private void DropAhead()
    {
        _ahead?.Dispose();
        _ahead = null;
    }

    private async Task<Stream> OpenRestAsync(PartialBlob partial, CancellationToken cancellationToken)
    {
        var rest = _ahead ?? await OpenAtAsync(partial.Resumed, cancellationToken);
        _ahead = null;
        return rest;
    }

    private async Task<Stream> OpenAtAsync(long offset, CancellationToken cancellationToken) =>
        _limits.Throttle(await _source.OpenBlobAsync(Blob, offset, cancellationToken));

    private async Task FetchAheadAsync(PartialBlob partial, Task importSlot, CancellationToken cancellationToken)
    {
        partial.SeekToEnd();
        var buffer = ArrayPool<byte>.Shared.Rent(BufferSize);
        try
        {
            _ahead = await OpenAtAsync(partial.Resumed, cancellationToken);
            for (int read; !importSlot.IsCompleted && (read = await _ahead.ReadAsync(buffer, cancellationToken)) > 0;)
            {
                await partial.AppendAsync(buffer.AsMemory(0, read), cancellationToken);
                _limits.Disk?.Take(read);
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
            partial.Rewind();
        }

        if (IsComplete)
        {
            DropAhead();
            ReleaseSlot();
        }
    }
}
