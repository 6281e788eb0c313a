using System.Buffers.Binary;

namespace CimConvert.Formats.Vhd;

/// <summary>
/// The 512-byte footer that makes a file a fixed VHD (Microsoft, "Virtual Hard Disk Image Format Specification" 1.0, "Hard Disk
/// Footer Format"), with the values that hcsshim writes (ext4/tar2ext4/vhdfooter.go): creator, time and geometry are zero.
/// </summary>
internal static class VhdFooter
{
    public const int Size = 512;
    public const int IdSize = 16;

    private const uint Features = 2;
    private const uint FormatVersion = 0x0001_0000;
    private const uint CreatorVersion = 0x000a_0000;
    private const uint FixedDisk = 2;

    private const int FeaturesOffset = 8;
    private const int FormatVersionOffset = 12;
    private const int DataOffsetOffset = 16;
    private const int CreatorVersionOffset = 32;
    private const int OriginalSizeOffset = 40;
    private const int CurrentSizeOffset = 48;
    private const int DiskTypeOffset = 60;
    private const int ChecksumOffset = 64;
    private const int IdOffset = 68;

    private static ReadOnlySpan<byte> Cookie => "conectix"u8;

    /// <param name="diskSize">Bytes before the footer.</param>
    /// <param name="id">The disk's 16-byte unique id; derived from its content, so that the same content gives the same bytes.</param>
    public static byte[] Create(long diskSize, ReadOnlySpan<byte> id)
    {
        var footer = new byte[Size];
        var to = footer.AsSpan();
        Cookie.CopyTo(to);
        BinaryPrimitives.WriteUInt32BigEndian(to[FeaturesOffset..], Features);
        BinaryPrimitives.WriteUInt32BigEndian(to[FormatVersionOffset..], FormatVersion);
        BinaryPrimitives.WriteInt64BigEndian(to[DataOffsetOffset..], -1);
        BinaryPrimitives.WriteUInt32BigEndian(to[CreatorVersionOffset..], CreatorVersion);
        BinaryPrimitives.WriteInt64BigEndian(to[OriginalSizeOffset..], diskSize);
        BinaryPrimitives.WriteInt64BigEndian(to[CurrentSizeOffset..], diskSize);
        BinaryPrimitives.WriteUInt32BigEndian(to[DiskTypeOffset..], FixedDisk);
        id[..IdSize].CopyTo(to[IdOffset..]);
        BinaryPrimitives.WriteUInt32BigEndian(to[ChecksumOffset..], ~Sum(footer));
        return footer;
    }

    private static uint Sum(ReadOnlySpan<byte> bytes)
    {
        var sum = 0u;
        foreach (var value in bytes)
        {
            sum += value;
        }

        return sum;
    }
}
