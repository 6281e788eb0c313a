using CimConvert.Formats.Binary;

namespace CimConvert.Oci;

/// <summary>
/// Passes the bytes read through it to a <see cref="DigestCheck"/>: reading returns 0 at the end only if all bytes are the expected
/// ones, and throws otherwise. Does not own the underlying stream.
/// </summary>
/// <param name="inner">The underlying stream.</param>
/// <param name="what">What the bytes are, to start error messages with: <c>layer sha256:…</c>.</param>
/// <param name="expected">The expected digest; null to only compute it.</param>
/// <param name="expectedSize">The expected number of bytes; null for any.</param>
internal sealed class DigestingStream(Stream inner, string what, Digest? expected, long? expectedSize) : ForwardStream
{
    private readonly DigestCheck _check = new(what, expected, expectedSize);
    private Digest? _digest;

    /// <summary>Bytes read so far.</summary>
    public long BytesRead => _check.Count;

    /// <summary>The digest of all bytes; available once the end has been read.</summary>
    public Digest Digest => _digest ?? throw new InvalidOperationException($"{what} was not read to its end");

    public override int Read(Span<byte> buffer)
    {
        var count = inner.Read(buffer);
        Take(buffer[..count], atEnd: count == 0 && !buffer.IsEmpty);
        return count;
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var count = await inner.ReadAsync(buffer, cancellationToken);
        Take(buffer.Span[..count], atEnd: count == 0 && !buffer.IsEmpty);
        return count;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _check.Dispose();
        }

        base.Dispose(disposing);
    }

    private void Take(ReadOnlySpan<byte> data, bool atEnd)
    {
        _check.Append(data);
        if (atEnd)
        {
            _digest ??= _check.Finish();
        }
    }
}
