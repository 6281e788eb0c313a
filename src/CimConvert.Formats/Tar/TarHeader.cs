namespace CimConvert.Formats.Tar;

/// <summary>One 512-byte header block, read in place in the reader's buffer.</summary>
/// <remarks>Offsets: POSIX.1-2017, pax, "ustar Interchange Format"; for the star variant, star(5).</remarks>
internal readonly ref struct TarHeader
{
    public const int Size = 512;

    private const int NameOffset = 0;
    private const int NameLength = 100;
    private const int SizeOffset = 124;
    private const int MtimeOffset = 136;
    private const int NumberLength = 12;
    private const int ChecksumOffset = 148;
    private const int ChecksumLength = 8;
    private const int TypeOffset = 156;
    private const int LinkNameOffset = 157;
    private const int LinkNameLength = 100;
    private const int MagicOffset = 257;
    private const int PrefixOffset = 345;
    private const int PrefixLength = 155;
    private const int StarPrefixLength = 131;
    private const int StarTrailerOffset = 508;

    private readonly ReadOnlySpan<byte> _block;

    public TarHeader(ReadOnlySpan<byte> block) => _block = block[..Size];

    public bool IsZero => !_block.ContainsAnyExcept((byte)0);

    public byte Type => _block[TypeOffset];

    public ReadOnlySpan<byte> Name => UntilNul(_block.Slice(NameOffset, NameLength));

    public ReadOnlySpan<byte> LinkName => UntilNul(_block.Slice(LinkNameOffset, LinkNameLength));

    /// <summary>The ustar prefix of the name; empty in GNU and pre-POSIX headers, which have other fields there.</summary>
    public ReadOnlySpan<byte> Prefix
    {
        get
        {
            if (!_block[MagicOffset..].StartsWith("ustar\0"u8))
            {
                return default;
            }

            var isStar = _block[StarTrailerOffset..].SequenceEqual("tar\0"u8);
            return UntilNul(_block.Slice(PrefixOffset, isStar ? StarPrefixLength : PrefixLength));
        }
    }

    public bool TryGetSize(out long size) => TarNumber.TryRead(_block.Slice(SizeOffset, NumberLength), out size) && size >= 0;

    public bool TryGetMtime(out long seconds) => TarNumber.TryRead(_block.Slice(MtimeOffset, NumberLength), out seconds);

    /// <summary>
    /// Whether the checksum field holds the sum of the block's bytes, with the field itself counted as spaces.
    /// Some historic writers summed signed bytes, so both sums are accepted, as the rationale of POSIX pax advises.
    /// </summary>
    public bool HasValidChecksum()
    {
        if (!TarNumber.TryRead(_block.Slice(ChecksumOffset, ChecksumLength), out var stated))
        {
            return false;
        }

        long unsigned = 0;
        long signed = 0;
        for (var i = 0; i < Size; i++)
        {
            var value = i is >= ChecksumOffset and < ChecksumOffset + ChecksumLength ? (byte)' ' : _block[i];
            unsigned += value;
            signed += (sbyte)value;
        }

        return stated == unsigned || stated == signed;
    }

    private static ReadOnlySpan<byte> UntilNul(ReadOnlySpan<byte> field)
    {
        var end = field.IndexOf((byte)0);
        return end < 0 ? field : field[..end];
    }
}
