using System.Runtime.InteropServices;

namespace CimConvert.Interop;

/// <summary>
/// The mounting half of CimFS, always from the system's cimfs.dll (shared reference, cimfs-api.md). All return an HRESULT.
/// </summary>
internal static partial class CimFs
{
    public const string Library = "cimfs.dll";

    static CimFs() => NativeLibraries.Register();

    /// <param name="directory">A folder with a standard CIM, a block file or a device.</param>
    /// <param name="name">The CIM's name in it.</param>
    /// <param name="flags">What kind it is.</param>
    /// <param name="volumeId">The volume it will be.</param>
    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf16)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    public static partial int CimMountImage(string directory, string name, CimMountFlags flags, in Guid volumeId);

    /// <summary>The first path is the merged CIM, then its sources, topmost first.</summary>
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
