using CimConvert.Formats.Windows;

namespace CimConvert.Formats.Cim;

/// <summary>The metadata that a CIM stores for a file or directory.</summary>
public readonly record struct CimFileMetadata
{
    /// <summary>Win32 file attributes; FILE_ATTRIBUTE_DIRECTORY (0x10) makes a directory.</summary>
    public required uint Attributes { get; init; }

    /// <summary>Bytes of the default stream; 0 for directories and reparse points.</summary>
    public required long Size { get; init; }

    /// <summary>FILETIME, 100 ns ticks since 1601-01-01 UTC, like the three times after it.</summary>
    public required long CreationTime { get; init; }

    /// <summary>When the content was written last; a FILETIME.</summary>
    public required long LastWriteTime { get; init; }

    /// <summary>When content or metadata changed last; a FILETIME.</summary>
    public required long ChangeTime { get; init; }

    /// <summary>When the file was read last; a FILETIME.</summary>
    public required long LastAccessTime { get; init; }

    /// <summary>A self-relative SECURITY_DESCRIPTOR; empty for none.</summary>
    public ReadOnlyMemory<byte> SecurityDescriptor { get; init; }

    /// <summary>A REPARSE_DATA_BUFFER with its tag; empty for none.</summary>
    public ReadOnlyMemory<byte> Reparse { get; init; }

    /// <summary>FILE_FULL_EA_INFORMATION entries; empty for none.</summary>
    public ReadOnlyMemory<byte> ExtendedAttributes { get; init; }

    /// <summary>Whether the attributes are those of a directory.</summary>
    public bool IsDirectory => (Attributes & Win32Attributes.Directory) != 0;
}
