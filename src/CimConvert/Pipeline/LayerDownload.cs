using System.Buffers;
using System.Threading.RateLimiting;
using CimConvert.Oci;
using CimConvert.Sources;
using CimConvert.Store;
using Microsoft.Extensions.Logging;

namespace CimConvert.Pipeline;

/// <summary>
/// One layer's blob on its way here: what an earlier run got of it is taken up, and while the layer waits for its turn to be
/// written, more of it is fetched ahead. Disposed before it is finished, what came of it stays for a later run.
/// </summary>
internal sealed class LayerDownload : IDisposable
{
    /// <summary>Of smaller blobs nothing is kept: they are fetched again in no time.</summary>
    private const long SmallestKept = 4 << 20;

    private const int BufferSize = 128 * 1024;

    private readonly IImageSource _source;
    private readonly LayerPlan _plan;
    private readonly ConversionLimits _limits;
    private readonly ILogger _logger;
    private readonly PartialBlob? _kept;
    private RateLimitLease? _leave;

    public LayerDownload(IImageSource source, ConversionStore store, LayerPlan plan, ConversionLimits limits, ILogger logger)
    {
        _source = source;
        _plan = plan;
        _limits = limits;
        _logger = logger;
        _kept = source.IsRemote && Blob.Size >= SmallestKept ? store.TryOpenPartial(Blob.Digest) : null;
        if (_kept?.Resumed > Blob.Size)
        {
            _kept.Clear();
        }

        if (_kept?.IsFromEarlierRun == true)
        {
            logger.LogInformation("{Layer}: {Bytes} of {Size} bytes are here from an earlier run", plan.Name, _kept.Resumed, Blob.Size);
        }
    }

    private Descriptor Blob => _plan.Blob;

    private bool IsHere => _kept?.Resumed == Blob.Size;

    /// <summary>Waits until the layer may be written, and fetches ahead meanwhile.</summary>
    /// <returns>The leave to write, to be disposed when the layer is written.</returns>
    public async Task<IDisposable?> WaitForImportAsync(CancellationToken cancellationToken)
    {
        using var waiting = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var turn = _limits.EnterImportAsync(waiting.Token).AsTask();
        try
        {
            if (_source.IsRemote && !IsHere)
            {
                if (_kept is null)
                {
                    // Nothing is fetched ahead: a place among the downloads would lie idle, and whoever has the turn may wait for it.
                    await turn;
                }

                _leave = await _limits.EnterDownloadAsync(cancellationToken);
                if (_kept is not null && !turn.IsCompleted)
                {
                    await FetchAheadAsync(_kept, turn, cancellationToken);
                }
            }

            return await turn;
        }
        catch
        {
            await waiting.CancelAsync();
            await ((Task)turn).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (turn.IsCompletedSuccessfully)
            {
                (await turn)?.Dispose();
            }

            throw;
        }
    }

    /// <summary>The blob from its start.</summary>
    public async Task<Stream> OpenAsync(CancellationToken cancellationToken) => _kept is null
        ? _limits.Throttle(await _source.OpenBlobAsync(Blob, offset: 0, cancellationToken))
        : new ResumableBlob(token => OpenAtAsync(_kept.Resumed, token), _kept, Blob.Size, cancellationToken);

    /// <summary>
    /// What an earlier run left may be what is wrong, as after a power failure; the registry has the right bytes. Says whether
    /// there is reason to open the blob once more, from nothing.
    /// </summary>
    public bool TryStartOver(Exception failure)
    {
        if (_kept?.IsFromEarlierRun != true)
        {
            return false;
        }

        _logger.LogWarning("{Layer}: what an earlier run left of it is damaged ({Reason}); downloading it anew", _plan.Name, failure.Message);
        _kept.Clear();
        return true;
    }

    /// <summary>Says that the layer is in the store: what was downloaded for it goes.</summary>
    public void Finish()
    {
        if (_kept is not null)
        {
            _kept.Remove = true;
        }
    }

    /// <summary>All of the blob was read: others may download.</summary>
    public void GiveBack()
    {
        _leave?.Dispose();
        _leave = null;
    }

    public void Dispose()
    {
        GiveBack();
        _kept?.Dispose();
    }

    private async Task<Stream> OpenAtAsync(long offset, CancellationToken cancellationToken) =>
        _limits.Throttle(await _source.OpenBlobAsync(Blob, offset, cancellationToken));

    private async Task FetchAheadAsync(PartialBlob kept, Task turn, CancellationToken cancellationToken)
    {
        kept.SeekToEnd();
        var buffer = ArrayPool<byte>.Shared.Rent(BufferSize);
        try
        {
            await using var rest = await OpenAtAsync(kept.Resumed, cancellationToken);
            for (int read; !turn.IsCompleted && (read = await rest.ReadAsync(buffer, cancellationToken)) > 0;)
            {
                await kept.AppendAsync(buffer.AsMemory(0, read), cancellationToken);
                _limits.Disk?.Take(read);
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
            kept.Rewind();
        }

        if (IsHere)
        {
            GiveBack();
        }
    }
}
