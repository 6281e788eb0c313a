using CimConvert.Formats.Binary;

namespace CimConvert.Formats.Gzip;

/// <summary>
/// Decompresses gzip (RFC 1952) strictly: checks every member's header, checksum and length, and allows nothing but another member
/// behind a member. Reads the compressed stream to its end, and does not own it.
/// </summary>
/// <remarks>
/// Memory is one window and one input buffer, both pooled. Damage is reported as an <see cref="InvalidDataException"/> that says
/// what is wrong at which byte of the compressed stream; bytes decoded just before the damage may not be returned.
/// </remarks>
internal sealed class GunzipStream : ForwardStream
{
    private readonly GzipDecoder _decoder;
    private InvalidDataException? _damage;
    private bool _disposed;

    /// <param name="compressed">Read synchronously, from its current position.</param>
    public GunzipStream(Stream compressed) => _decoder = new GzipDecoder(compressed);

    /// <param name="nextChunk">
    /// Returns the chunks of a <see cref="GzipChunkReader"/> in order, each after a <see cref="GzipChunkDecoder"/> has decoded it.
    /// Output and errors are the same as for the stream that the chunks were cut from.
    /// </param>
    public GunzipStream(Func<GzipChunk?> nextChunk) => _decoder = new GzipDecoder(nextChunk);

    public override int Read(Span<byte> buffer)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        if (_damage is not null)
        {
            throw new InvalidDataException(_damage.Message, _damage);
        }

        try
        {
            return _decoder.Read(buffer);
        }
        catch (InvalidDataException e)
        {
            _damage = e;
            throw;
        }
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing && !_disposed)
        {
            _disposed = true;
            _decoder.Dispose();
        }

        base.Dispose(disposing);
    }
}
