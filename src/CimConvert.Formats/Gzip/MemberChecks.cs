namespace CimConvert.Formats.Gzip;

/// <summary>What a member's data comes to, which stands behind it (RFC 1952, 2.3.1).</summary>
internal struct MemberChecks
{
    private uint _checksum;
    private uint _length;

    public void Append(ReadOnlySpan<byte> decoded)
    {
        _checksum = Crc32.Append(_checksum, decoded);

        // ISIZE is the length modulo 2^32, as the field here overflows to.
        _length += (uint)decoded.Length;
    }

    /// <summary>Reads what it should come to.</summary>
    /// <exception cref="InvalidDataException">It is not that.</exception>
    public readonly void Compare(BitInput input)
    {
        input.AlignToByte();
        var checksum = input.TakeUInt32();
        if (checksum != _checksum)
        {
            throw input.Bad($"a checksum of {checksum:x8} where the data has {_checksum:x8}");
        }

        var length = input.TakeUInt32();
        if (length != _length)
        {
            throw input.Bad($"a length of {length} where the data has {_length}");
        }
    }
}
