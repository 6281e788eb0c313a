using CimConvert.Pipeline;
using CimConvert.Registry;
using CimConvert.Registry.Http;
using CimConvert.Registry.Pull;
using CimConvert.Sources;
using Microsoft.Extensions.Logging;

namespace CimConvert.Prewarming;

/// <summary>
/// Converts the images of a list, several at once, into one place. A layer that images share is downloaded and converted once: the
/// first conversion to claim it, in this process or another, makes it, and the others wait for it.
/// </summary>
internal sealed class PrewarmRun : IDisposable
{
    private readonly PrewarmList _list;
    private readonly RegistryClient _registry;
    private readonly IPrewarmDestination _destination;
    private readonly ConversionLimits _limits;
    private readonly StartGate _gate;
    private readonly ILogger _logger;
    private readonly RetryPolicy _retryPolicy;
    private readonly IImageConversion?[] _running;
    private int _retriesLeft;

    /// <param name="list">The images, and limits for the run.</param>
    /// <param name="registry">For images in registries; not disposed here.</param>
    /// <param name="destination">Gets the converted images.</param>
    /// <param name="retryOptions">The delays between attempts.</param>
    /// <param name="logger">Logs every step.</param>
    public PrewarmRun(PrewarmList list, RegistryClient registry, IPrewarmDestination destination, RegistryOptions retryOptions, ILogger logger)
    {
        _list = list;
        _registry = registry;
        _destination = destination;
        _retryPolicy = new RetryPolicy(retryOptions);
        _logger = logger;
        _gate = new StartGate(list.Window, retryOptions.TimeProvider, logger);
        _retriesLeft = list.RetryBudget;
        _running = new IImageConversion?[list.Images.Count];
        _limits = new ConversionLimits(list.Concurrency.Downloads, list.Concurrency.Imports, list.Bandwidth, destination.Limit(list.Disk));
    }

    /// <summary>The layers of the images that are being converted at the moment.</summary>
    public IReadOnlyList<LayerPlan> Layers => [.. _running.SelectMany(conversion => conversion?.Layers ?? [])];

    /// <summary>Converts all images; stops at the first that fails for good if the list does not keep going.</summary>
    public async Task<PrewarmReport> RunAsync(CancellationToken cancellationToken)
    {
        var results = new PrewarmResult[_list.Images.Count];
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var work = new ParallelOptions { MaxDegreeOfParallelism = _list.Concurrency.Images, CancellationToken = CancellationToken.None };
        await Parallel.ForAsync(0, results.Length, work, async (i, _) =>
        {
            results[i] = await ConvertAsync(i, stop.Token);
            if (results[i].Outcome == PrewarmOutcome.Failed && !_list.KeepGoing)
            {
                await stop.CancelAsync();
            }
        });
        cancellationToken.ThrowIfCancellationRequested();
        return new PrewarmReport(results);
    }

    public void Dispose() => _limits.Dispose();

    private async Task<PrewarmResult> ConvertAsync(int index, CancellationToken cancellationToken)
    {
        var image = _list.Images[index];
        var (attempts, retries) = (0, 0);
        var retry = _retryPolicy.Build(new RetryRule<PrewarmResult>
        {
            IsTransient = outcome =>
                outcome.Exception is { } e && Failures.IsExpected(e) && ConversionAttempt.MayBeRepeated(e) && Interlocked.Decrement(ref _retriesLeft) >= 0,
            OnRetry = (outcome, _, pause) =>
                _logger.LogWarning("{Error}; trying the image again in {Delay:0.0} s", outcome.Exception!.Message, pause.TotalSeconds),

            // The list's budget ends the attempts.
            MaxAttempts = int.MaxValue,
        });
        try
        {
            return await retry.ExecuteAsync(AttemptAsync, cancellationToken);
        }
        catch (Exception e) when (Failures.IsExpected(e))
        {
            _logger.LogError("{Error}", e.Message);
            return new PrewarmResult(image, PrewarmOutcome.Failed, Conversion: null, attempts, retries, e);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            return new PrewarmResult(image, PrewarmOutcome.NotStarted, Conversion: null, attempts, retries, Failure: null);
        }

        async ValueTask<PrewarmResult> AttemptAsync(CancellationToken cancellationToken)
        {
            await _gate.WaitAsync(cancellationToken);
            attempts++;
            var source = image.Location.Open(_registry);
            try
            {
                var result = await ConvertAsync(index, image, source, cancellationToken);
                var outcome = result is null ? PrewarmOutcome.Pushed
                    : !result.IsNew ? PrewarmOutcome.Ready
                    : result.From is not null ? PrewarmOutcome.Pulled
                    : PrewarmOutcome.Converted;
                return new PrewarmResult(image, outcome, result, attempts, retries + source.Retries, Failure: null);
            }
            catch (Exception e) when (Failures.IsExpected(e))
            {
                retries += source.Retries;
                throw;
            }
            finally
            {
                _running[index] = null;
            }
        }
    }

    /// <summary>Null if the image is skipped because the registry has it already.</summary>
    private async Task<ConversionSummary?> ConvertAsync(int index, PrewarmImage image, IImageSource source, CancellationToken cancellationToken)
    {
        var conversion = await PrepareAsync(image, source, cancellationToken);
        _running[index] = conversion;
        return conversion is null ? null : await conversion.RunAsync(source, cancellationToken);
    }

    /// <summary>Adds the image's name to failures, as the conversion itself does later.</summary>
    private async Task<IImageConversion?> PrepareAsync(PrewarmImage image, IImageSource source, CancellationToken cancellationToken)
    {
        var options = new ConversionOptions
        {
            Platform = image.Platform,
            OsVersion = image.OsVersion,
            Concurrency = Math.Max(_list.Concurrency.Downloads, _list.Concurrency.Imports),
            Input = _list.Limits,
            Limits = _limits,
        };
        try
        {
            return await _destination.PrepareAsync(image, source, options, cancellationToken);
        }
        catch (Exception e) when (Failures.IsExpected(e))
        {
            throw Failures.Of(source.Name, e);
        }
    }
}
