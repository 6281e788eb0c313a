using CimConvert.Formats.Binary;
using CimConvert.Store;

namespace CimConvert.Pipeline;

/// <summary>
/// A blob whose first bytes were downloaded before, and whose other bytes are kept as they are downloaded. The file that keeps them is not
/// owned.
/// </summary>
/// <param name="openRest">Opens the blob at the end of what was downloaded before; called once, if at all.</param>
/// <param name="kept">The bytes downloaded before.</param>
/// <param name="size">The size of the blob.</param>
/// <param name="lifetime">Cancels all reading.</param>
internal sealed class ResumableBlob(Func<CancellationToken, Task<Stream>> openRest, PartialBlob kept, long size, CancellationToken lifetime) : ForwardStream
{
    private Stream? _rest;
    private long _position;

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        int read;
        if (_position < kept.Resumed)
        {
            read = await kept.ReadAsync(buffer, cancellationToken);
        }
        else if (_rest is null && _position == size)
        {
            return 0;
        }
        else
        {
            _rest ??= await openRest(lifetime);
            read = await _rest.ReadAsync(buffer, cancellationToken);
            await kept.AppendAsync(buffer[..read], cancellationToken);
        }

        _position += read;
        return read;
    }

    public override int Read(Span<byte> buffer) => throw new NotSupportedException("blobs are downloaded asynchronously");

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _rest?.Dispose();
        }

        base.Dispose(disposing);
    }
}
