using CimConvert.Formats.Binary;

namespace CimConvert.Formats.Windows;

/// <summary>
/// The target of a symbolic link or mount point, decoded from its REPARSE_DATA_BUFFER ([MS-FSCC] 2.1.2.4 and 2.1.2.5);
/// <see cref="ReparsePoint"/> encodes it.
/// </summary>
/// <param name="PrintName">The target as shown to users.</param>
/// <param name="IsRelative">Whether the target is relative to the link's directory.</param>
internal sealed record ReparseTarget(string PrintName, bool IsRelative)
{
    /// <summary>Null if the buffer has another tag or is malformed.</summary>
    public static ReparseTarget? Read(byte[] buffer)
    {
        try
        {
            var reader = new SpanReader(buffer);
            var tag = reader.U32();
            if (tag is not (ReparsePoint.SymbolicLinkTag or ReparsePoint.MountPointTag))
            {
                return null;
            }

            // Data length and reserved; the substitute name's offset and length.
            reader.Skip(2 * sizeof(ushort));
            reader.Skip(2 * sizeof(ushort));
            var (offset, length) = (reader.U16(), reader.U16());
            var isRelative = tag == ReparsePoint.SymbolicLinkTag && (reader.U32() & ReparsePoint.RelativeFlag) != 0;
            reader.Skip(offset);
            return new ReparseTarget(reader.Utf16(length / sizeof(char)), isRelative);
        }
        catch (InvalidDataException)
        {
            return null;
        }
    }
}
