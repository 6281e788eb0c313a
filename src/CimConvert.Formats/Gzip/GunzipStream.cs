using CimConvert.Formats.Binary;

namespace CimConvert.Formats.Gzip;

/// <summary>
/// Decompresses gzip (RFC 1952), strictly: every member's header, checksum and length are checked, and behind a member there is
/// another, or the end. Does not own the compressed stream, and reads it to its end.
/// </summary>
/// <remarks>
/// Memory is one window and one input buffer, both pooled, however much comes out. Damage is an <see cref="InvalidDataException"/>
/// that says what is wrong, and at which byte of the compressed stream; what was decoded just before it may not be handed out.
/// </remarks>
internal sealed class GunzipStream : ForwardStream
{
    private readonly GzipDecoder _decoder;
    private InvalidDataException? _damage;
    private bool _disposed;

    /// <param name="compressed">Read synchronously, from where it stands.</param>
    public GunzipStream(Stream compressed) => _decoder = new GzipDecoder(compressed);

    /// <param name="nextChunk">
    /// Hands over, one after another, the chunks of a <see cref="GzipChunkReader"/>, each when a <see cref="GzipChunkDecoder"/> is
    /// through with it. What comes out, and what is refused, is the same as of the stream they were cut from.
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
