namespace CimConvert.Registry.Http;

/// <summary>How long to wait before a broken transfer goes on; the same curve as <see cref="RetryHandler"/>'s.</summary>
internal static class Backoff
{
    private const int MaxDoublings = 30;

    /// <summary>Doubles with each failure, up to the limit; half of it is random, so that many nodes do not come back as one.</summary>
    public static TimeSpan Delay(RegistryOptions options, int failures)
    {
        var full = Math.Min(
            options.RetryDelay.TotalMilliseconds * (1L << Math.Min(failures - 1, MaxDoublings)),
            options.MaxRetryDelay.TotalMilliseconds);
        return TimeSpan.FromMilliseconds(full * (1 + Random.Shared.NextDouble()) / 2);
    }
}
