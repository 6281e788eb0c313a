using CimConvert.Formats.Binary;

namespace CimConvert.Oci;

/// <summary>
/// Puts what is read through it to a <see cref="DigestCheck"/>: a reader that saw the end saw the right bytes. Does not own the
/// stream below.
/// </summary>
/// <param name="inner">Read front to back.</param>
/// <param name="what">What the bytes are, to start a message with: <c>layer sha256:…</c>.</param>
/// <param name="expected">What the bytes must hash to; null to only compute it.</param>
/// <param name="expectedSize">How many bytes there must be; null where any number may come.</param>
internal sealed class DigestingStream(Stream inner, string what, Digest? expected, long? expectedSize) : ForwardStream
{
    private readonly DigestCheck _check = new(what, expected, expectedSize);
    private Digest? _digest;

    /// <summary>Bytes read so far.</summary>
    public long BytesRead => _check.Count;

    /// <summary>The digest of all bytes; there once the end was read.</summary>
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
