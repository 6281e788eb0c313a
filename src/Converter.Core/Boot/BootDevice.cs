using System.Buffers.Binary;

namespace Converter.Core.Boot;

/// <summary>
/// Devices as elements of a BCD store hold them, little-endian: the id of the object with the device's options (zero for none),
/// then a record: type u32, flags u32, size u32 of the record, zero u32, and what the type calls for.
/// </summary>
/// <remarks>
/// <para>
/// Established: the frame and the GPT partition (ReactOS, boot/environ/include/bl.h and bcd.h, BCD_DEVICE_OPTION and
/// BL_DEVICE_DESCRIPTOR; DiscUtils, BootConfig, DeviceRecord and PartitionRecord), the type numbers 7, 10 and 11 (phnt ntbcd.h;
/// "CimfsDevice = 0xB" in Black Hat USA talks on boot managers), the fields and sizes of composite and CimFS devices (the fork
/// mcleishk/DiscUtils-CompositeCimFs, CompositeDeviceRecord and CimfsDeviceRecord).
/// </para>
/// <para>
/// Inferred, because no store that bcdedit wrote them into is published: that a vmbus device is the frame and the id of its
/// interface and nothing more (phnt has it so at the API); that what is only known when the machine starts is stored as zero:
/// a composite's signature and the offsets of its parts, a CimFS device's offsets and length of its path. Those come from the
/// options object.
/// </para>
/// </remarks>
internal static class BootDevice
{
    private const uint PartitionType = 6;
    private const uint VmbusType = 7;
    private const uint CompositeType = 10;
    private const uint CimFsType = 11;
    private const int Frame = GuidSize + RecordHead;
    private const int RecordHead = 16;
    private const int GuidSize = 16;

    /// <summary><c>gpt_partition={disk};{partition}</c></summary>
    public static byte[] GptPartition(Guid disk, Guid partition)
    {
        const int recordSize = 0x48;
        var device = New(PartitionType, recordSize, options: Guid.Empty);

        // Between the two stand, as zeros, that the disk is a local hard disk and that it has a GPT.
        Write(device, Frame, partition);
        Write(device, Frame + GuidSize + (2 * sizeof(uint)), disk);
        return device;
    }

    /// <summary><c>vmbus={instance}</c></summary>
    public static byte[] Vmbus(Guid instance)
    {
        var device = New(VmbusType, RecordHead + GuidSize, options: Guid.Empty);
        Write(device, Frame, instance);
        return device;
    }

    /// <summary><c>composite=0,{options}</c>: of format 0.</summary>
    public static byte[] Composite(Guid options) => New(CompositeType, RecordHead + GuidSize + (3 * sizeof(uint)), options);

    /// <summary><c>cimfs={volume},{options}</c>: mounted as the volume.</summary>
    public static byte[] CimFs(Guid volume, Guid options)
    {
        const uint format = 2;
        var device = New(CimFsType, RecordHead + (4 * sizeof(uint)) + GuidSize, options);
        BinaryPrimitives.WriteUInt32LittleEndian(device.AsSpan(Frame), format);
        Write(device, Frame + (4 * sizeof(uint)), volume);
        return device;
    }

    private static byte[] New(uint type, int recordSize, Guid options)
    {
        const int typeAt = GuidSize;
        const int sizeAt = typeAt + (2 * sizeof(uint));
        var device = new byte[GuidSize + recordSize];
        Write(device, 0, options);
        BinaryPrimitives.WriteUInt32LittleEndian(device.AsSpan(typeAt), type);
        BinaryPrimitives.WriteInt32LittleEndian(device.AsSpan(sizeAt), recordSize);
        return device;
    }

    private static void Write(byte[] device, int at, Guid id) => id.TryWriteBytes(device.AsSpan(at));
}
