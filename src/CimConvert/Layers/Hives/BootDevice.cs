using System.Buffers.Binary;

namespace CimConvert.Layers.Hives;

/// <summary>
/// Devices as elements of a BCD store hold them, little-endian: the id of the object with the device's options (zero for none),
/// then a record: type u32, flags u32, size u32 of the record, zero u32, and what the type calls for.
/// </summary>
/// <remarks>
/// <para>
/// Seen in dumps of stores that start Windows: the frame, the GPT partition byte for byte (a1ive/grub, issue 18; jpz4085/BCD-SYS,
/// issue 4), and that 'boot', which calls for nothing, has a record of 0x48 bytes as well.
/// </para>
/// <para>
/// Published by those who read Windows' boot manager, none of them with a store that bcdedit wrote: the type numbers 7, 10 and 11
/// (phnt ntbcd.h; "Understand BOOT_ENVIRONMENT_DEVICE", Black Hat USA 2024). That a vmbus device is two ids, the interface's type
/// and its instance, and that records of a fixed size are 0x48 bytes (binsys/bootmgr, bootmgr.h; the boot library of Quinn
/// Stephens, 2025, bootlib.h and efiinit.c: two works, one layout). The fields and sizes of composite and CimFS devices (the fork
/// mcleishk/DiscUtils-CompositeCimFs, CompositeDeviceRecord and CimfsDeviceRecord: one work).
/// </para>
/// <para>
/// Inferred: that the interface's type is stored as zero, for bcdedit is told the instance only and so is the call it makes (phnt,
/// BCD_ELEMENT_DEVICE); that a vmbus record has the size of the other fixed ones; that what is only known when the machine starts is
/// zero as well: a composite's signature and the offsets of its parts, a CimFS device's offsets
/// and length of its path. Those come from the options object.
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

    /// <summary>The record size of a device without variable parts; what its type does not use is zero.</summary>
    private const int FixedRecord = 0x48;

    /// <summary><c>gpt_partition={disk};{partition}</c></summary>
    public static byte[] GptPartition(Guid disk, Guid partition)
    {
        var device = New(PartitionType, FixedRecord, options: Guid.Empty);

        // Two zero fields lie between them: the disk is a local hard disk, and it has a GPT.
        Write(device, Frame, partition);
        Write(device, Frame + GuidSize + (2 * sizeof(uint)), disk);
        return device;
    }

    /// <summary><c>vmbus={instance}</c></summary>
    public static byte[] Vmbus(Guid instance)
    {
        const int instanceAt = Frame + GuidSize; // After the interface's type.
        var device = New(VmbusType, FixedRecord, options: Guid.Empty);
        Write(device, instanceAt, instance);
        return device;
    }

    /// <summary><c>composite=0,{options}</c>, of format 0.</summary>
    public static byte[] Composite(Guid options) => New(CompositeType, RecordHead + GuidSize + (3 * sizeof(uint)), options);

    /// <summary><c>cimfs={volume},{options}</c>: a CIM that is mounted as the volume.</summary>
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
