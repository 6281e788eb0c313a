using System.Threading.RateLimiting;
using CimConvert.Formats.Binary;

namespace CimConvert.Pipeline;

/// <summary>A download that waits after each read until the bandwidth limit allows that many bytes.</summary>
/// <param name="download">Read asynchronously; owned.</param>
/// <param name="bandwidth">One token for each byte.</param>
/// <param name="burst">The most tokens that can be acquired at once.</param>
internal sealed class ThrottledStream(Stream download, RateLimiter bandwidth, int burst) : ForwardStream
{
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var read = await download.ReadAsync(buffer.Length > burst ? buffer[..burst] : buffer, cancellationToken);
        using var lease = await bandwidth.AcquireAsync(read, cancellationToken);
        return read;
    }

    public override int Read(Span<byte> buffer) => throw new NotSupportedException("blobs are downloaded asynchronously");

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            download.Dispose();
        }

        base.Dispose(disposing);
    }
}
