using System.Threading.RateLimiting;
using CimConvert.Storage;

namespace CimConvert.Pipeline;

/// <summary>What the conversions of one process share of the machine. Without any limit, each layer is free to go at once.</summary>
internal sealed class ConversionLimits : IDisposable
{
    /// <summary>Ten a second: smooth enough for a line, and rare enough for a timer.</summary>
    private static readonly TimeSpan s_period = TimeSpan.FromMilliseconds(100);

    private readonly ConcurrencyLimiter? _downloads;
    private readonly ConcurrencyLimiter? _imports;
    private readonly TokenBucketRateLimiter? _bandwidth;
    private readonly int _burst;

    /// <param name="downloads">Blobs that are downloaded at once; null for any number.</param>
    /// <param name="imports">Layers that are written at once; null for any number.</param>
    /// <param name="bandwidth">Bytes a second of all downloads together; null for as many as come.</param>
    /// <param name="disk">What the store may take; null for all there is.</param>
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

    /// <summary>Null where the disk is the only limit.</summary>
    public DiskBudget? Disk { get; }

    /// <summary>Waits for leave to download a blob; it is given back by disposing it.</summary>
    internal ValueTask<RateLimitLease?> EnterDownloadAsync(CancellationToken cancellationToken) => EnterAsync(_downloads, cancellationToken);

    /// <summary>As <see cref="EnterDownloadAsync"/>, for writing a layer.</summary>
    internal ValueTask<RateLimitLease?> EnterImportAsync(CancellationToken cancellationToken) => EnterAsync(_imports, cancellationToken);

    /// <summary>A download, slowed down where it must be.</summary>
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
