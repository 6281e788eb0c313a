using System.Runtime.ExceptionServices;
using CimConvert.Registry.Http;
using Microsoft.Extensions.Logging;

namespace CimConvert.Registry.Push;

/// <summary>Counts how often one thing failed, and waits before it is tried again.</summary>
internal sealed class PushAttempts(RegistryOptions options, ILogger logger)
{
    private int _failures;

    public bool HaveFailed => _failures > 0;

    /// <summary>It got further than ever: what failed before does not count any more.</summary>
    public void Advance() => _failures = 0;

    /// <exception cref="RegistryException">The failure itself, where no attempt is left.</exception>
    public async Task AfterAsync(RegistryException failure, CancellationToken cancellationToken)
    {
        if (++_failures >= options.MaxAttempts)
        {
            ExceptionDispatchInfo.Throw(failure);
        }

        var pause = failure.RetryAfter ?? Backoff.Delay(options, _failures);
        logger.LogWarning(
            "{Reason}; attempt {Attempt} of {Attempts} follows in {Delay:0.0} s", failure.Message, _failures + 1, options.MaxAttempts, pause.TotalSeconds);
        await Task.Delay(pause, options.TimeProvider, cancellationToken);
    }
}
