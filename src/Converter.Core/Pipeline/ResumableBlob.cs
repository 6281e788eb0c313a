using Converter.Core.Oci;
using Converter.Core.Sources;
using Converter.Core.Store;
using Converter.Formats.Binary;

namespace Converter.Core.Pipeline;

/// <summary>A blob whose first bytes are an earlier run's, and whose others are kept as they come. Leaves what is kept to its owner.</summary>
internal sealed class ResumableBlob(IImageSource source, Descriptor blob, PartialBlob partial, CancellationToken lifetime) : ForwardStream
{
    private Stream? _rest;
    private long _position;

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        int read;
        if (_position < partial.Resumed)
        {
            read = await partial.ReadAsync(buffer, cancellationToken);
        }
        else if (_rest is null && _position == blob.Size)
        {
            return 0;
        }
        else
        {
            _rest ??= await source.OpenBlobAsync(blob, _position, lifetime);
            read = await _rest.ReadAsync(buffer, cancellationToken);
            await partial.AppendAsync(buffer[..read], cancellationToken);
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
