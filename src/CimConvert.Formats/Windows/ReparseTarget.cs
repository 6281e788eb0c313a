using CimConvert.Formats.Binary;

namespace CimConvert.Formats.Windows;

/// <summary>Where a symlink or mount point leads, read from its REPARSE_DATA_BUFFER ([MS-FSCC] 2.1.2.4 and 2.1.2.5).</summary>
/// <param name="PrintName">The target as people see it.</param>
/// <param name="IsRelative">Whether it counts from the link's directory.</param>
internal sealed record ReparseTarget(string PrintName, bool IsRelative)
{
    private const uint SymlinkTag = 0xA000000C;
    private const uint MountPointTag = 0xA0000003;
    private const uint RelativeFlag = 1;

    /// <summary>Null where the buffer is of another kind, or malformed.</summary>
    public static ReparseTarget? Read(byte[] buffer)
    {
        try
        {
            var reader = new SpanReader(buffer);
            var tag = reader.U32();
            if (tag is not (SymlinkTag or MountPointTag))
            {
                return null;
            }

            reader.Skip(2 * sizeof(ushort));
            reader.Skip(2 * sizeof(ushort));
            var (offset, length) = (reader.U16(), reader.U16());
            var relative = tag == SymlinkTag && (reader.U32() & RelativeFlag) != 0;
            reader.Skip(offset);
            return new ReparseTarget(reader.Utf16(length / sizeof(char)), relative);
        }
        catch (InvalidDataException)
        {
            return null;
        }
    }
}
