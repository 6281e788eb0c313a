using System.Buffers.Binary;

namespace CimConvert.Layers.Hives;

/// <summary>
/// Devices in the binary form of BCD elements, little-endian: the GUID of the object with the device's options (zero for none), then a
/// record: type u32, flags u32, size of the record u32, zero u32, and the fields of the type.
/// </summary>
/// <remarks>
/// <para>
/// Established, from dumps of stores that boot Windows: the layout above; the GPT partition, byte for byte (a1ive/grub, issue 18;
/// jpz4085/BCD-SYS, issue 4); and that 'boot', which has no fields, has a record of 0x48 bytes as well.
/// </para>
/// <para>
/// Published by people who read the code of Windows' boot manager, but not checked against a store written by bcdedit: the type numbers
/// 7, 10 and 11 (phnt, ntbcd.h; "Understand BOOT_ENVIRONMENT_DEVICE", Black Hat USA 2024). A vmbus device is two GUIDs, the interface's
/// type and its instance, and records of a fixed size have 0x48 bytes (binsys/bootmgr, bootmgr.h; the boot library of Quinn Stephens,
/// 2025, bootlib.h and efiinit.c: two works with the same layout). The fields and sizes of composite and CimFS devices (the fork
/// mcleishk/DiscUtils-CompositeCimFs, CompositeDeviceRecord and CimfsDeviceRecord: one work).
/// </para>
/// <para>
/// Inferred: the type of a vmbus interface is stored as zero, because bcdedit and the call that it makes only get the instance (phnt,
/// BCD_ELEMENT_DEVICE); a vmbus record has the size of the other fixed ones; and values that are only known when the machine boots are
/// zero as well, because they come from the options object: a composite device's signature and the offsets of its parts, and a CimFS
/// device's offsets and the length of its path.
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

        // The two fields in between are zero: a local hard disk, and one with a GPT.
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
