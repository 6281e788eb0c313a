using System.IO.Hashing;

namespace CimConvert.Formats.Gzip;

/// <summary>Checksum and length of a member's data, which stand behind it (RFC 1952, 2.3.1).</summary>
internal sealed class MemberChecks
{
    private readonly Crc32 _checksum = new();
    private uint _length;

    /// <summary>Another member's data follows.</summary>
    public void Reset()
    {
        _checksum.Reset();
        _length = 0;
    }

    public void Append(ReadOnlySpan<byte> decoded)
    {
        _checksum.Append(decoded);

        // ISIZE is the length modulo 2^32: the field overflows in the same way.
        _length += (uint)decoded.Length;
    }

    /// <summary>Reads the member's trailer.</summary>
    /// <exception cref="InvalidDataException">The data has another checksum or length.</exception>
    public void Compare(BitInput input)
    {
        input.AlignToByte();
        var expected = input.TakeUInt32();
        if (_checksum.GetCurrentHashAsUInt32() is var checksum && checksum != expected)
        {
            throw input.Bad($"a checksum of {expected:x8} where the data has {checksum:x8}");
        }

        var length = input.TakeUInt32();
        if (length != _length)
        {
            throw input.Bad($"a length of {length} where the data has {_length}");
        }
    }
}
