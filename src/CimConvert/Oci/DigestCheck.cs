using System.Security.Cryptography;

namespace CimConvert.Oci;

/// <summary>
/// Hashes and counts bytes. Where a digest or size is expected, more bytes are refused as they come, and the end is only
/// accepted if all is as expected.
/// </summary>
/// <param name="what">What the bytes are, to start a message with: <c>layer sha256:…</c>.</param>
/// <param name="expected">What the bytes must hash to; null to only compute it.</param>
/// <param name="expectedSize">How many bytes there must be; null where any number may come.</param>
internal sealed class DigestCheck(string what, Digest? expected, long? expectedSize) : IDisposable
{
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);

    /// <summary>Bytes taken so far.</summary>
    public long Count { get; private set; }

    /// <exception cref="InvalidDataException">More bytes than there should be.</exception>
    public void Append(ReadOnlySpan<byte> data)
    {
        Count += data.Length;
        if (Count > expectedSize)
        {
            throw new InvalidDataException($"{what} is longer than the {expectedSize} bytes it should have");
        }

        _hash.AppendData(data);
    }

    /// <summary>Says that no more bytes come.</summary>
    /// <returns>The digest of all bytes.</returns>
    /// <exception cref="InvalidDataException">They are not what they should be.</exception>
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
