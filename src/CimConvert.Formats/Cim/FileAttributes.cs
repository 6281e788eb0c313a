using CimConvert.Formats.Windows;

namespace CimConvert.Formats.Cim;

/// <summary>Converts between Win32 attributes and a file record's flags, which store five of them.</summary>
internal static class FileAttributes
{
    private static readonly (uint Attribute, CimFileFlags Flag)[] s_map =
    [
        (Win32Attributes.ReadOnly, CimFileFlags.ReadOnly),
        (Win32Attributes.Hidden, CimFileFlags.Hidden),
        (Win32Attributes.System, CimFileFlags.System),
        (Win32Attributes.Archive, CimFileFlags.Archive),
        (Win32Attributes.SparseFile, CimFileFlags.Sparse),
    ];

    public static CimFileFlags ToFlags(uint attributes)
    {
        var flags = CimFileFlags.None;
        foreach (var (attribute, flag) in s_map)
        {
            flags |= (attributes & attribute) != 0 ? flag : 0;
        }

        return flags;
    }

    /// <summary>
    /// The attributes that Windows reports: directory and reparse point follow from the rest of the record, and
    /// FILE_ATTRIBUTE_NORMAL stands for none.
    /// </summary>
    public static uint FromFlags(CimFileFlags flags, bool isDirectory, bool isReparsePoint)
    {
        var attributes = (isDirectory ? Win32Attributes.Directory : 0) | (isReparsePoint ? Win32Attributes.ReparsePoint : 0);
        foreach (var (attribute, flag) in s_map)
        {
            attributes |= (flags & flag) != 0 ? attribute : 0;
        }

        return attributes == 0 ? Win32Attributes.Normal : attributes;
    }
}
