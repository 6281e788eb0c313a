using CimConvert.Registry.Http;
using Microsoft.Extensions.Logging;
using Polly;

namespace CimConvert.Registry.Push;

/// <summary>Retries transient failures of a push (<see cref="RegistryException.IsTransient"/>).</summary>
internal static class PushRetry
{
    public static ResiliencePipeline<T> Build<T>(RegistryOptions options, ILogger logger) => new RetryPolicy(options).Build(new RetryRule<T>
    {
        IsTransient = outcome => outcome.Exception is RegistryException { IsTransient: true },
        RetryAfter = outcome => (outcome.Exception as RegistryException)?.RetryAfter,
        OnRetry = (outcome, failures, pause) => logger.LogWarning(
            "{Reason}; attempt {Attempt} of {Attempts} follows in {Delay:0.0} s", outcome.Exception!.Message, failures + 1, options.MaxAttempts, pause.TotalSeconds),
    });
}
