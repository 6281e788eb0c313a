using System.Runtime.InteropServices;

namespace CimConvert.Interop;

/// <summary>
/// The mount functions of CimFS, always from cimfs.dll in System32 (Windows SDK, CimFs.h; docs/cimfs-api.md). All return an HRESULT.
/// </summary>
internal static partial class CimFsMounting
{
    public const string Library = "cimfs.dll";

    static CimFsMounting() => NativeLibraries.Register();

    /// <param name="directory">The folder of a standard CIM, or the block file or device of a block CIM.</param>
    /// <param name="name">The CIM's name in it.</param>
    /// <param name="flags">The kind of CIM.</param>
    /// <param name="volumeId">GUID of the volume that the CIM is mounted as.</param>
    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf16)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    public static partial int CimMountImage(string directory, string name, CimMountFlags flags, in Guid volumeId);

    /// <summary>The first path is the merged CIM; its sources follow, topmost first.</summary>
    [LibraryImport(Library)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    public static partial int CimMergeMountImage(uint count, ReadOnlySpan<CimFsImagePath> paths, CimMountFlags flags, in Guid volumeId);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf16)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    public static partial int CimMountVerifiedImage(
        string directory, string name, CimMountFlags flags, in Guid volumeId, ushort hashSize, ReadOnlySpan<byte> hash);

    [LibraryImport(Library)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    public static partial int CimMergeMountVerifiedImage(
        uint count, ReadOnlySpan<CimFsImagePath> paths, CimMountFlags flags, in Guid volumeId, ushort hashSize, ReadOnlySpan<byte> hash);

    [LibraryImport(Library)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    public static partial int CimDismountImage(in Guid volumeId);
}
