using Converter.Formats.Binary;

namespace Converter.Formats.Gzip;

/// <summary>
/// Decompresses gzip (RFC 1952), strictly: every member's header, checksum and length are checked, and behind a member there is
/// another, or the end. Does not own the compressed stream, and reads it to its end.
/// </summary>
/// <remarks>
/// Memory is one window and one input buffer, both pooled, however much comes out. Damage is an <see cref="InvalidDataException"/>
/// that says what is wrong, and at which byte of the compressed stream; what was decoded just before it may not be handed out.
/// </remarks>
/// <param name="compressed">Read synchronously, from where it stands.</param>
public sealed class GunzipStream(Stream compressed) : ForwardStream
{
    private readonly GzipDecoder _decoder = new(compressed);
    private InvalidDataException? _damage;
    private bool _disposed;

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
