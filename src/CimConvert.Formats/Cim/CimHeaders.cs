using CimConvert.Formats.Binary;

namespace CimConvert.Formats.Cim;

/// <summary>Writes the headers of filesystem, region and object ID files.</summary>
internal static class CimHeaders
{
    public static void WriteRegion(AppendWriter to, ushort index, RegionType type)
    {
        WriteCommon(to, CimFormat.RegionHeaderSize, CimFileType.Region);
        to.U16(index);
        to.U8((byte)type);
        to.U8(0);
        to.U32(0);
    }

    public static void WriteObjectIds(AppendWriter to, ushort index, RegionType type, uint count)
    {
        WriteCommon(to, CimFormat.ObjectIdHeaderSize, CimFileType.ObjectId);
        to.U16(index);
        to.U8((byte)type);
        to.U8(0);
        to.U32(0);
        to.U32(CimFormat.ObjectIdHeaderSize);
        to.U32(count);
    }

    public static void WriteFilesystem(AppendWriter to, RegionSet own, RegionOffset filesystem, IReadOnlyList<RegionSet> parents)
    {
        WriteCommon(to, CimFormat.FilesystemHeaderSize + (CimFormat.RegionSetSize * parents.Count), CimFileType.Filesystem);
        WriteRegionSet(to, own);
        to.U64(filesystem.Value);
        to.U32(0);
        to.U16(0);
        to.U16(checked((ushort)parents.Count));
        foreach (var parent in parents)
        {
            WriteRegionSet(to, parent);
        }
    }

    private static void WriteRegionSet(AppendWriter to, RegionSet set)
    {
        to.Guid(set.Id);
        to.U16(set.Count);
        to.U16(0);
        to.U32(0);
    }

    private static void WriteCommon(AppendWriter to, int headerLength, CimFileType type)
    {
        to.Bytes(CimFormat.Magic);
        to.U32((uint)headerLength);
        to.U8((byte)type);
        to.U8(0);
        to.U16(0);
        to.U32(CimFormat.VersionMajor);
        to.U32(CimFormat.VersionMinor);
        to.U64(0);
    }
}
