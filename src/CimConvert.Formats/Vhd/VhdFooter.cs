using System.Buffers.Binary;

namespace CimConvert.Formats.Vhd;

/// <summary>
/// The 512-byte footer that makes a plain file a fixed VHD (Microsoft, "Virtual Hard Disk Image Format Specification" 1.0,
/// "Hard Disk Footer Format"), with the values Microsoft's layer tools write: creator, time and geometry stay zero.
/// </summary>
internal static class VhdFooter
{
    public const int Size = 512;
    public const int IdSize = 16;

    private const uint Features = 2;
    private const uint FormatVersion = 0x0001_0000;
    private const uint CreatorVersion = 0x000a_0000;
    private const uint FixedDisk = 2;

    private const int FeaturesAt = 8;
    private const int FormatVersionAt = 12;
    private const int DataOffsetAt = 16;
    private const int CreatorVersionAt = 32;
    private const int OriginalSizeAt = 40;
    private const int CurrentSizeAt = 48;
    private const int DiskTypeAt = 60;
    private const int ChecksumAt = 64;
    private const int IdAt = 68;

    private static ReadOnlySpan<byte> Cookie => "conectix"u8;

    /// <param name="diskSize">Bytes before the footer.</param>
    /// <param name="id">16 bytes that tell this disk from others: derive them from its content.</param>
    public static byte[] Create(long diskSize, ReadOnlySpan<byte> id)
    {
        var footer = new byte[Size];
        var to = footer.AsSpan();
        Cookie.CopyTo(to);
        BinaryPrimitives.WriteUInt32BigEndian(to[FeaturesAt..], Features);
        BinaryPrimitives.WriteUInt32BigEndian(to[FormatVersionAt..], FormatVersion);
        BinaryPrimitives.WriteInt64BigEndian(to[DataOffsetAt..], -1);
        BinaryPrimitives.WriteUInt32BigEndian(to[CreatorVersionAt..], CreatorVersion);
        BinaryPrimitives.WriteInt64BigEndian(to[OriginalSizeAt..], diskSize);
        BinaryPrimitives.WriteInt64BigEndian(to[CurrentSizeAt..], diskSize);
        BinaryPrimitives.WriteUInt32BigEndian(to[DiskTypeAt..], FixedDisk);
        id[..IdSize].CopyTo(to[IdAt..]);
        BinaryPrimitives.WriteUInt32BigEndian(to[ChecksumAt..], ~Sum(footer));
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
