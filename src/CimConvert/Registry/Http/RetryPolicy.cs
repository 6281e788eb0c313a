using System.Diagnostics.CodeAnalysis;
using Polly;
using Polly.Retry;

namespace CimConvert.Registry.Http;

/// <summary>
/// The one retry policy: for requests, transfers, pushes and whole images of a prewarm list. Polly carries it out
/// (https://www.pollydocs.org/strategies/retry). Pauses double from <see cref="RegistryOptions.RetryDelay"/> to
/// <see cref="RegistryOptions.MaxRetryDelay"/>; half of each is random, so that many nodes do not return at the same moment.
/// Retry-After replaces the pause; an operation fails if it asks for more than the longest one.
/// </summary>
internal sealed class RetryPolicy(RegistryOptions options)
{
    private const int MaxDoublings = 30;

    public int MaxAttempts => options.MaxAttempts;

    [UnconditionalSuppressMessage(
        "Trimming", "IL2091", Justification = "Polly asks for the result type's members so that it may check the options by reflection; options without attributes on it have none to check.")]
    public ResiliencePipeline<T> Build<T>(RetryRule<T> rule)
    {
        var maxAttempts = rule.MaxAttempts ?? options.MaxAttempts;
        var builder = new ResiliencePipelineBuilder<T> { TimeProvider = options.TimeProvider };
        builder.AddRetry(new RetryStrategyOptions<T>
        {
            // The rule ends the attempts: Polly's own count knows neither progress nor a single attempt.
            MaxRetryAttempts = int.MaxValue,
            ShouldHandle = arguments => ValueTask.FromResult(
                rule.IsTransient(arguments.Outcome)
                && !(rule.RetryAfter(arguments.Outcome) > options.MaxRetryDelay)
                && CountFailures(arguments.AttemptNumber) < maxAttempts),
            DelayGenerator = arguments => ValueTask.FromResult<TimeSpan?>(
                rule.RetryAfter(arguments.Outcome) ?? Pause(CountFailures(arguments.AttemptNumber))),
            OnRetry = arguments =>
            {
                rule.OnRetry(arguments.Outcome, CountFailures(arguments.AttemptNumber), arguments.RetryDelay);
                return default;
            },
        });
        if (rule.AttemptTimeout is { } timeout)
        {
            builder.AddTimeout(timeout);
        }

        return builder.Build();

        int CountFailures(int attemptNumber) => rule.Failures?.Invoke() ?? attemptNumber + 1;
    }

    private TimeSpan Pause(int failures)
    {
        var full = Math.Min(
            options.RetryDelay.TotalMilliseconds * (1L << Math.Min(failures - 1, MaxDoublings)), options.MaxRetryDelay.TotalMilliseconds);
        return TimeSpan.FromMilliseconds(full * (1 + Random.Shared.NextDouble()) / 2);
    }
}

/// <summary>What an operation retries.</summary>
internal sealed record RetryRule<T>
{
    /// <summary>Whether another attempt may succeed; asked once per attempt.</summary>
    public required Func<Outcome<T>, bool> IsTransient { get; init; }

    /// <summary>Told before each pause: what failed, how often so far, and how long the pause is.</summary>
    public required Action<Outcome<T>, int, TimeSpan> OnRetry { get; init; }

    /// <summary>The pause that the registry asks for; null where it does not.</summary>
    public Func<Outcome<T>, TimeSpan?> RetryAfter { get; init; } = _ => null;

    /// <summary>Failures so far, for operations that reset the count when they progress; null counts those of one execution.</summary>
    public Func<int>? Failures { get; init; }

    /// <summary>Null for <see cref="RegistryOptions.MaxAttempts"/>.</summary>
    public int? MaxAttempts { get; init; }

    /// <summary>Limits each attempt; null for no limit.</summary>
    public TimeSpan? AttemptTimeout { get; init; }
}
