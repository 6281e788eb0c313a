using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text.Json.Serialization;

namespace CimConvert.Oci;

/// <summary>
/// A SHA-256 digest, written as <c>sha256:</c> and 64 lower-case hex digits (OCI image spec, descriptor.md, "Digests").
/// Other registered algorithms are refused, because no Windows image is published with them.
/// </summary>
[JsonConverter(typeof(DigestJsonConverter))]
[StructLayout(LayoutKind.Auto)]
internal readonly record struct Digest
{
    /// <summary>Bytes of the hash.</summary>
    public const int Size = SHA256.HashSizeInBytes;

    public const int HexLength = 2 * Size;

    private const string Algorithm = "sha256";

    // Four words rather than an array, so that digests are compared by value and copied without allocating.
    private readonly ulong _word0;
    private readonly ulong _word1;
    private readonly ulong _word2;
    private readonly ulong _word3;

    private Digest(ReadOnlySpan<byte> hash)
    {
        _word0 = BinaryPrimitives.ReadUInt64BigEndian(hash);
        _word1 = BinaryPrimitives.ReadUInt64BigEndian(hash[8..]);
        _word2 = BinaryPrimitives.ReadUInt64BigEndian(hash[16..]);
        _word3 = BinaryPrimitives.ReadUInt64BigEndian(hash[24..]);
    }

    /// <summary>The hash as 64 lower-case hex digits: the name of a blob in an OCI image layout.</summary>
    public string Hex
    {
        get
        {
            Span<byte> hash = stackalloc byte[Size];
            CopyTo(hash);
            return Convert.ToHexStringLower(hash);
        }
    }

    /// <summary>The digest of a 32-byte hash that is already computed.</summary>
    public static Digest FromHash(ReadOnlySpan<byte> hash) => hash.Length == Size
        ? new Digest(hash)
        : throw new ArgumentException($"a SHA-256 hash has {Size} bytes, not {hash.Length}", nameof(hash));

    public static Digest Compute(ReadOnlySpan<byte> data)
    {
        Span<byte> hash = stackalloc byte[Size];
        SHA256.HashData(data, hash);
        return new Digest(hash);
    }

    /// <summary>Hashes the rest of the stream.</summary>
    public static async ValueTask<Digest> ComputeAsync(Stream data, CancellationToken cancellationToken = default)
    {
        var hash = new byte[Size];
        await SHA256.HashDataAsync(data, hash, cancellationToken);
        return new Digest(hash);
    }

    /// <exception cref="InvalidDataException">The text is not a sha256 digest.</exception>
    public static Digest Parse(string text)
    {
        var problem = Read(text, out var digest);
        return problem is null ? digest : throw new InvalidDataException($"digest '{Printable.Of(text)}' {problem}");
    }

    public static bool TryParse(string text, out Digest digest) => Read(text, out digest) is null;

    public void CopyTo(Span<byte> destination)
    {
        BinaryPrimitives.WriteUInt64BigEndian(destination, _word0);
        BinaryPrimitives.WriteUInt64BigEndian(destination[8..], _word1);
        BinaryPrimitives.WriteUInt64BigEndian(destination[16..], _word2);
        BinaryPrimitives.WriteUInt64BigEndian(destination[24..], _word3);
    }

    public override string ToString() => $"{Algorithm}:{Hex}";

    /// <summary>Whether all characters are lower-case hex digits.</summary>
    internal static bool IsHex(ReadOnlySpan<char> text)
    {
        foreach (var c in text)
        {
            if (!char.IsAsciiHexDigitLower(c))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Parses a digest. Returns what is invalid, or null.</summary>
    private static string? Read(string text, out Digest digest)
    {
        digest = default;
        var colon = text.IndexOf(':', StringComparison.Ordinal);
        if (colon <= 0)
        {
            return $"is not of the form {Algorithm}:<{HexLength} hex digits>";
        }

        if (!text.AsSpan(0, colon).SequenceEqual(Algorithm))
        {
            return $"uses the algorithm '{Printable.Of(text[..colon], 32)}'; only {Algorithm} is supported";
        }

        var hex = text.AsSpan(colon + 1);
        if (hex.Length != HexLength)
        {
            return $"has {hex.Length} characters after '{Algorithm}:' where {HexLength} hex digits belong";
        }

        // descriptor.md: "sha256 ... encoded MUST match /[a-f0-9]{64}/". With upper case, the same content would have several digests.
        if (!IsHex(hex))
        {
            return "has a character that is not a lower-case hex digit";
        }

        Span<byte> hash = stackalloc byte[Size];
        Convert.FromHexString(hex, hash, out _, out _);
        digest = new Digest(hash);
        return null;
    }
}
