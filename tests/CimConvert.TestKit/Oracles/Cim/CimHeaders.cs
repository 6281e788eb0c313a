using System.Buffers.Binary;

namespace CimConvert.TestKit.Oracles.Cim;

internal enum CimFileType : byte
{
    FileSystem = 0,
    Region = 1,
    ObjectIds = 2,
}

/// <summary>The headers that the files of a CIM start with.</summary>
internal static class CimHeaders
{
    public const int CommonLength = 32;
    public const int RegionLength = 40;
    public const int ObjectIdLength = 48;
    public const int FileSystemLength = 72;
    public const int RegionSetLength = 24;

    private const int OldestMajor = 2;
    private const int NewestMajor = 3;
    private const int SupportedMinor = 0;
    private const byte LastRegionType = 2;

    /// <summary>Checks what every file starts with, and gives the whole header.</summary>
    public static byte[] ReadCommon(CimFile file, CimFileType type, int headerLength)
    {
        byte[] header = file.Read(0, headerLength, "header");
        if (!header.AsSpan(0, 8).SequenceEqual("cimfile0"u8))
        {
            throw file.Error("has no magic");
        }

        if (header[12] != (byte)type)
        {
            throw file.Error($"is of type {header[12]}, not {(byte)type} ({type})");
        }

        uint major = BinaryPrimitives.ReadUInt32LittleEndian(header.AsSpan(16));
        uint minor = BinaryPrimitives.ReadUInt32LittleEndian(header.AsSpan(20));
        if (major is < OldestMajor or > NewestMajor || minor != SupportedMinor)
        {
            throw file.Error($"is of version {major}.{minor}");
        }

        return header;
    }

    /// <summary>Checks the length a header gives itself; a filesystem header may count its parent sets or not.</summary>
    public static void CheckLength(CimFile file, byte[] header, params int[] allowed)
    {
        uint length = BinaryPrimitives.ReadUInt32LittleEndian(header.AsSpan(8));
        if (!allowed.Contains((int)length))
        {
            throw file.Error($"gives its header {length} bytes, not {string.Join(" or ", allowed)}");
        }
    }

    /// <summary>Checks index and type of a region or object ID file, and gives the type.</summary>
    public static byte CheckRegionIdentity(CimFile file, byte[] header, int index)
    {
        ushort written = BinaryPrimitives.ReadUInt16LittleEndian(header.AsSpan(CommonLength));
        byte type = header[CommonLength + 2];
        if (written != index)
        {
            throw file.Error($"says it is region {written}");
        }

        return type <= LastRegionType ? type : throw file.Error($"has region type {type}");
    }

    public static WalkedRegionSet ReadSet(ReadOnlySpan<byte> bytes) =>
        new(new Guid(bytes[..16]), BinaryPrimitives.ReadUInt16LittleEndian(bytes[16..]));
}
