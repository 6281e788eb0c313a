using System.Security.Cryptography;
using Converter.Core.Oci;
using Converter.Formats.Binary;

namespace Converter.Core.Compression;

/// <summary>
/// Hashes and counts what is read through it. Where a digest or size is expected, more bytes are refused as they come, and the
/// end is only reported if all is as expected: a reader that saw the end saw the right bytes. Does not own the stream below.
/// </summary>
/// <param name="inner">Read front to back.</param>
/// <param name="what">What the bytes are, to start a message with: <c>layer sha256:…</c>.</param>
/// <param name="expected">What the bytes must hash to; null to only compute it.</param>
/// <param name="expectedSize">How many bytes there must be; null where any number may come.</param>
public sealed class DigestingStream(Stream inner, string what, Digest? expected, long? expectedSize) : ForwardStream
{
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private Digest? _digest;

    /// <summary>Bytes read so far.</summary>
    public long BytesRead { get; private set; }

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
            _hash.Dispose();
        }

        base.Dispose(disposing);
    }

    private void Take(ReadOnlySpan<byte> data, bool atEnd)
    {
        BytesRead += data.Length;
        if (BytesRead > expectedSize)
        {
            throw new InvalidDataException($"{what} is longer than the {expectedSize} bytes it should have");
        }

        _hash.AppendData(data);
        if (atEnd && _digest is null)
        {
            _digest = Finish();
        }
    }

    private Digest Finish()
    {
        if (expectedSize is { } size && size != BytesRead)
        {
            throw new InvalidDataException($"{what} ended after {BytesRead} of {size} bytes");
        }

        Span<byte> hash = stackalloc byte[Digest.Size];
        _hash.GetHashAndReset(hash);
        var digest = Digest.FromHash(hash);
        return expected is null || digest == expected
            ? digest
            : throw new InvalidDataException($"{what} has other content than it should: its digest is {digest}, expected {expected}");
    }
}
