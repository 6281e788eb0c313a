using System.Security.Cryptography;

namespace CimConvert.Oci;

/// <summary>
/// Hashes and counts bytes, and checks them against an expected digest and size: too many bytes are refused as they arrive, too
/// few or wrong ones at the end.
/// </summary>
/// <param name="what">What the bytes are, to start error messages with: <c>layer sha256:…</c>.</param>
/// <param name="expected">The expected digest; null to only compute it.</param>
/// <param name="expectedSize">The expected number of bytes; null for any.</param>
internal sealed class DigestCheck(string what, Digest? expected, long? expectedSize) : IDisposable
{
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);

    /// <summary>Bytes so far.</summary>
    public long Count { get; private set; }

    /// <exception cref="InvalidDataException">There are more bytes than expected.</exception>
    public void Append(ReadOnlySpan<byte> data)
    {
        Count += data.Length;
        if (Count > expectedSize)
        {
            throw new InvalidDataException($"{what} is longer than the {expectedSize} bytes it should have");
        }

        _hash.AppendData(data);
    }

    /// <summary>Call after the last byte.</summary>
    /// <returns>The digest of all bytes.</returns>
    /// <exception cref="InvalidDataException">The size or digest is not the expected one.</exception>
    public Digest Finish()
    {
        if (expectedSize is { } size && size != Count)
        {
            throw new InvalidDataException($"{what} ended after {Count} of {size} bytes");
        }

        Span<byte> hash = stackalloc byte[Digest.Size];
        _hash.GetHashAndReset(hash);
        var digest = Digest.FromHash(hash);
        return expected is null || digest == expected
            ? digest
            : throw new InvalidDataException($"{what} has other content than it should: its digest is {digest}, expected {expected}");
    }

    public void Dispose() => _hash.Dispose();
}
