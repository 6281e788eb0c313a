using System.Runtime.InteropServices;

namespace CimConvert.Interop;

/// <summary>
/// CIMFS_FILE_METADATA (Windows SDK, CimFs.h), naturally aligned: 96 bytes on x64 and arm64. Its pointers must refer to pinned or
/// unmanaged memory during the call.
/// </summary>
[StructLayout(LayoutKind.Sequential)]
internal struct CimFsFileMetadata
{
    public uint Attributes;
    public long FileSize;

    /// <summary>FILETIME, like the three times after it.</summary>
    public long CreationTime;
    public long LastWriteTime;
    public long ChangeTime;
    public long LastAccessTime;
    public nint SecurityDescriptor;
    public uint SecurityDescriptorSize;
    public nint Reparse;
    public uint ReparseSize;
    public nint ExtendedAttributes;
    public uint ExtendedAttributesSize;
}

/// <summary>CIMFS_IMAGE_PATH (Windows SDK, CimFs.h): the location of a CIM, as pointers to NUL-terminated UTF-16.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct CimFsImagePath
{
    /// <summary>The folder, block file or device.</summary>
    public nint ImageDir;

    /// <summary>The CIM's name in it.</summary>
    public nint ImageName;
}
