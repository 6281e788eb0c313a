using CimConvert.Formats.Windows;

namespace CimConvert.Formats.Cim;

/// <summary>The metadata that a CIM stores for a file or directory.</summary>
internal readonly record struct CimFileMetadata
{
    /// <summary>Win32 file attributes; FILE_ATTRIBUTE_DIRECTORY (0x10) makes a directory.</summary>
    public required uint Attributes { get; init; }

    /// <summary>Bytes of the default stream; 0 for directories and reparse points.</summary>
    public required long Size { get; init; }

    /// <summary>FILETIME, 100 ns ticks since 1601-01-01 UTC, like the three times after it.</summary>
    public required long CreationTime { get; init; }

    public required long LastWriteTime { get; init; }

    public required long ChangeTime { get; init; }

    public required long LastAccessTime { get; init; }

    /// <summary>A self-relative SECURITY_DESCRIPTOR; empty for none.</summary>
    public ReadOnlyMemory<byte> SecurityDescriptor { get; init; }

    /// <summary>A REPARSE_DATA_BUFFER with its tag; empty for none.</summary>
    public ReadOnlyMemory<byte> Reparse { get; init; }

    /// <summary>FILE_FULL_EA_INFORMATION entries; empty for none.</summary>
    public ReadOnlyMemory<byte> ExtendedAttributes { get; init; }

    public bool IsDirectory => (Attributes & Win32Attributes.Directory) != 0;
}
