using System.Globalization;
using CimConvert.Formats.Cim;
using CimConvert.Formats.Tar;
using CimConvert.Formats.Windows;

namespace CimConvert.Layers;

/// <summary>
/// A tar entry's metadata as a CIM keeps it. The records are those of Microsoft's writer (go-winio, backuptar);
/// the shared reference windows-layers.md lists them with what holds where one is absent.
/// </summary>
internal static class EntryMetadata
{
    /// <exception cref="InvalidDataException">A record is malformed, or says something else than the entry's type.</exception>
    public static CimFileMetadata Read(TarReader tar, SecurityDescriptors descriptors)
    {
        var modified = Time(tar, "mtime"u8) ?? PaxTime.ToFileTime(tar.MtimeSeconds);
        return new CimFileMetadata
        {
            Attributes = Attributes(tar),
            Size = tar.Size,
            CreationTime = Time(tar, "LIBARCHIVE.creationtime"u8) ?? modified,
            LastWriteTime = modified,
            ChangeTime = Time(tar, "ctime"u8) ?? modified,
            LastAccessTime = Time(tar, "atime"u8) ?? modified,
            SecurityDescriptor = descriptors.FromPax(tar),
            Reparse = tar.Type == TarEntryType.SymbolicLink
                ? ReparsePoint.Encode(tar.LinkName, isMountPoint: tar.TryGetPax("MSWINDOWS.mountpoint"u8, out _))
                : default,
            ExtendedAttributes = ExtendedAttributes.FromPax(tar),
        };
    }

    /// <summary>What the importer makes up itself: no times, no descriptor of its own.</summary>
    public static CimFileMetadata Made(uint attributes, long size) => new()
    {
        Attributes = attributes,
        Size = size,
        CreationTime = 0,
        LastWriteTime = 0,
        ChangeTime = 0,
        LastAccessTime = 0,
        SecurityDescriptor = SecurityDescriptor.NullDacl,
    };

    /// <summary>For an entry of a type that no layer of Windows has, such as a device.</summary>
    public static InvalidDataException NotOnWindows(TarReader tar) => new($"an entry of the type {tar.Type}, which is not supported on Windows");

    private static uint Attributes(TarReader tar)
    {
        uint attributes = 0;
        if (tar.TryGetPax("MSWINDOWS.fileattr"u8, out var text)
            && !uint.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out attributes))
        {
            throw new InvalidDataException("file attributes that are no decimal number of 32 bits");
        }

        // The only reparse data a layer carries is that of symbolic links, so no other entry may keep the bit.
        attributes &= ~Win32Attributes.ReparsePoint;
        return tar.Type switch
        {
            TarEntryType.SymbolicLink => attributes | Win32Attributes.ReparsePoint,
            TarEntryType.Directory => attributes | Win32Attributes.Directory,
            _ when (attributes & Win32Attributes.Directory) != 0 =>
                throw new InvalidDataException("a regular file with the attribute of directories (0x10)"),
            _ => attributes,
        };
    }

    private static long? Time(TarReader tar, ReadOnlySpan<byte> keyword) =>
        tar.TryGetPax(keyword, out var text) && !text.IsEmpty ? PaxTime.ToFileTime(text) : null;
}
