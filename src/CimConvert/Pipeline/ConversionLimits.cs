using System.Threading.RateLimiting;
using CimConvert.Storage;

namespace CimConvert.Pipeline;

/// <summary>Limits that the conversions of one process share. Without them, every layer starts at once.</summary>
internal sealed class ConversionLimits : IDisposable
{
    /// <summary>Ten refills a second: smooth for a network connection, and cheap for a timer.</summary>
    private static readonly TimeSpan s_period = TimeSpan.FromMilliseconds(100);

    private readonly ConcurrencyLimiter? _downloads;
    private readonly ConcurrencyLimiter? _imports;
    private readonly TokenBucketRateLimiter? _bandwidth;
    private readonly int _burst;

    /// <param name="downloads">Blobs downloaded at the same time; null for any number.</param>
    /// <param name="imports">Layers imported at the same time; null for any number.</param>
    /// <param name="bandwidth">Bytes a second of all downloads together; null for no limit.</param>
    /// <param name="disk">The disk budget of the store; null for no limit.</param>
    public ConversionLimits(int? downloads = null, int? imports = null, long? bandwidth = null, DiskBudget? disk = null)
    {
        _downloads = downloads is { } d ? Concurrency(d) : null;
        _imports = imports is { } i ? Concurrency(i) : null;
        Disk = disk;
        if (bandwidth is { } bytes)
        {
            var perPeriod = (int)Math.Clamp(bytes * s_period.TotalSeconds, 1, int.MaxValue / 2);
            _burst = perPeriod;
            _bandwidth = new TokenBucketRateLimiter(new TokenBucketRateLimiterOptions
            {
                TokenLimit = perPeriod,
                TokensPerPeriod = perPeriod,
                ReplenishmentPeriod = s_period,
                QueueLimit = int.MaxValue,
            });
        }
    }

    /// <summary>The disk budget; null if only the disk itself is the limit.</summary>
    public DiskBudget? Disk { get; }

    /// <summary>Waits until a blob may be downloaded. Disposing the lease lets another one start.</summary>
    internal ValueTask<RateLimitLease?> EnterDownloadAsync(CancellationToken cancellationToken) => EnterAsync(_downloads, cancellationToken);

    /// <summary>As <see cref="EnterDownloadAsync"/>, for importing a layer.</summary>
    internal ValueTask<RateLimitLease?> EnterImportAsync(CancellationToken cancellationToken) => EnterAsync(_imports, cancellationToken);

    /// <summary>The download, limited to the bandwidth if there is a limit.</summary>
    internal Stream Throttle(Stream download) => _bandwidth is null ? download : new ThrottledStream(download, _bandwidth, _burst);

    public void Dispose()
    {
        _downloads?.Dispose();
        _imports?.Dispose();
        _bandwidth?.Dispose();
    }

    private static ConcurrencyLimiter Concurrency(int permits) => new(new ConcurrencyLimiterOptions { PermitLimit = permits, QueueLimit = int.MaxValue });

    private static async ValueTask<RateLimitLease?> EnterAsync(ConcurrencyLimiter? limiter, CancellationToken cancellationToken) =>
        limiter is null ? null : await limiter.AcquireAsync(1, cancellationToken);
}
