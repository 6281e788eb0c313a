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
        var results = new IReadOnlyList<PrewarmResult>[_list.Images.Count];
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var work = new ParallelOptions { MaxDegreeOfParallelism = _list.Concurrency.Images, CancellationToken = CancellationToken.None };
        await Parallel.ForAsync(0, results.Length, work, async (i, _) => results[i] = await ConvertVersionsAsync(i, stop));
        cancellationToken.ThrowIfCancellationRequested();
        return new PrewarmReport([.. results.SelectMany(versions => versions)]);
    }

    public void Dispose() => _limits.Dispose();

    /// <summary>Converts the image, or every version of it, one after the other: they share layers.</summary>
    private async Task<IReadOnlyList<PrewarmResult>> ConvertVersionsAsync(int index, CancellationTokenSource stop)
    {
        var image = _list.Images[index];
        IReadOnlyList<PrewarmImage> versions = image.HasVersions ? [] : [image];
        if (image.HasVersions)
        {
            var listed = await TryAsync(image, ListAsync, stop.Token);
            if (versions.Count == 0)
            {
                await StopAfterAsync(listed, stop);
                return [listed];
            }
        }

        var results = new List<PrewarmResult>(versions.Count);
        foreach (var version in versions)
        {
            results.Add(await TryAsync(version, (source, token) => ConvertAsync(index, version, source, token), stop.Token));
            await StopAfterAsync(results[^1], stop);
        }

        if (image.Push is not null && versions[0].IsOfIndex && await PushIndexAsync(image, results, stop.Token) is { } failure)
        {
            results.Add(failure);
            await StopAfterAsync(failure, stop);
        }

        return results;

        async Task<(PrewarmOutcome Outcome, ConversionSummary? Conversion)> ListAsync(IImageSource source, CancellationToken cancellationToken)
        {
            try
            {
                versions = await image.ListAsync(source, cancellationToken);
                return (PrewarmOutcome.Ready, null);
            }
            catch (Exception e) when (Failures.IsExpected(e))
            {
                throw Failures.Of(source.Name, e);
            }
        }
    }

    /// <summary>Pushes the index of an image's versions. An index that lacks one would take the place of one that has it.</summary>
    /// <returns>What became of it if it failed, else null.</returns>
    private async Task<PrewarmResult?> PushIndexAsync(PrewarmImage image, IReadOnlyList<PrewarmResult> versions, CancellationToken cancellationToken)
    {
        if (versions.Any(version => version.Conversion is null))
        {
            _logger.LogWarning("{Image}: its index is not pushed, as not all of its versions are converted", image.Location);
            return null;
        }

        var pushed = await TryAsync(image, PushAsync, cancellationToken);
        return pushed.Outcome is PrewarmOutcome.Failed or PrewarmOutcome.NotStarted ? pushed : null;

        async Task<(PrewarmOutcome Outcome, ConversionSummary? Conversion)> PushAsync(IImageSource source, CancellationToken cancellationToken)
        {
            try
            {
                await _destination.PushIndexAsync(image, [.. versions.Select(version => version.Conversion!)], cancellationToken);
                return (PrewarmOutcome.Pushed, null);
            }
            catch (Exception e) when (Failures.IsExpected(e))
            {
                throw Failures.Of(source.Name, e);
            }
        }
    }

    private async Task StopAfterAsync(PrewarmResult result, CancellationTokenSource stop)
    {
        if (result.Outcome == PrewarmOutcome.Failed && !_list.KeepGoing)
        {
            await stop.CancelAsync();
        }
    }

    /// <summary>Does something with an image, again after transient failures as far as the list's budget goes.</summary>
    private async Task<PrewarmResult> TryAsync(
        PrewarmImage image,
        Func<IImageSource, CancellationToken, Task<(PrewarmOutcome Outcome, ConversionSummary? Conversion)>> work,
        CancellationToken cancellationToken)
    {
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
                var (outcome, conversion) = await work(source, cancellationToken);
                return new PrewarmResult(image, outcome, conversion, attempts, retries + source.Retries, Failure: null);
            }
            catch (Exception e) when (Failures.IsExpected(e))
            {
                retries += source.Retries;
                throw;
            }
        }
    }

    private async Task<(PrewarmOutcome Outcome, ConversionSummary? Conversion)> ConvertAsync(
        int index, PrewarmImage image, IImageSource source, CancellationToken cancellationToken)
    {
        try
        {
            if (await PrepareAsync(image, source, cancellationToken) is not { } conversion)
            {
                return (PrewarmOutcome.Pushed, null);
            }

            _running[index] = conversion;
            var result = await conversion.RunAsync(source, cancellationToken);
            var outcome = !result.IsNew ? PrewarmOutcome.Ready
                : result.From is not null ? PrewarmOutcome.Pulled
                : PrewarmOutcome.Converted;
            return (outcome, result);
        }
        finally
        {
            _running[index] = null;
        }
    }

    /// <summary>
    /// Null if the image is skipped because the registry has it already. Adds the image's name to failures, as the conversion itself does
    /// later.
    /// </summary>
    private async Task<IImageConversion?> PrepareAsync(PrewarmImage image, IImageSource source, CancellationToken cancellationToken)
    {
        var options = image.Options(_list) with
        {
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
            throw Failures.Of(options.NameOf(source), e);
        }
    }
}
