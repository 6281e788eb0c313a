using System.Runtime.InteropServices;

namespace CimConvert.Interop;

/// <summary>
/// The write functions of CimFS, from cimwriter.dll or from cimfs.dll, which exports the same functions
/// (<see cref="NativeLibraries"/> chooses). All return an HRESULT except <see cref="CimCloseImage"/>. Signatures: Windows SDK,
/// CimFs.h; docs/cimfs-api.md. What Windows calls an image is a CIM here.
/// </summary>
internal static partial class CimFsWriting
{
    public const string Library = "cimwriter.dll";

    static CimFsWriting() => NativeLibraries.Register();

    /// <summary>The functions that block CIMs need, all of them.</summary>
    public static IReadOnlyList<string> Functions { get; } =
    [
        nameof(CimCreateImage2), nameof(CimCreateFile), nameof(CimCreateAlternateStream), nameof(CimWriteStream), nameof(CimCloseStream),
        nameof(CimCreateHardLink), nameof(CimCreateMergeLink), nameof(CimTombstoneFile), nameof(CimDeletePath), nameof(CimCommitImage),
        nameof(CimCloseImage), nameof(CimAddFsToMergedImage2),
    ];

    /// <summary>The functions that sealed CIMs need in addition.</summary>
    public static IReadOnlyList<string> SealFunctions { get; } = [nameof(CimSealImage), nameof(CimGetVerificationInformation)];

    /// <summary>The functions that forked CIMs need, which are standard CIMs.</summary>
    public static IReadOnlyList<string> ForkFunctions { get; } =
    [
        nameof(CimCreateImage), nameof(CimCreateFile), nameof(CimCreateAlternateStream), nameof(CimWriteStream), nameof(CimCloseStream),
        nameof(CimCreateHardLink), nameof(CimDeletePath), nameof(CimCommitImage), nameof(CimCloseImage),
    ];

    /// <summary>Creates a standard CIM. A null name means none; it differs from an empty one.</summary>
    /// <param name="folder">The folder of both CIMs.</param>
    /// <param name="oldName">The CIM in the folder to fork from; null for none.</param>
    /// <param name="newName">The CIM to create.</param>
    /// <param name="cim">The new CIM, open for writing.</param>
    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf16)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    public static partial int CimCreateImage(string folder, string? oldName, string? newName, out CimImageHandle cim);

    /// <summary>Creates a CIM of the kind that the flags say. A null name means none; it differs from an empty one.</summary>
    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf16)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    public static partial int CimCreateImage2(string path, CimCreateFlags flags, string? oldName, string? newName, out CimImageHandle cim);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf16)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    public static partial int CimCreateFile(CimImageHandle cim, string path, in CimFsFileMetadata metadata, out CimStreamHandle stream);

    /// <param name="cim">A CIM open for writing.</param>
    /// <param name="path"><c>file:stream:$DATA</c></param>
    /// <param name="size">Bytes that will be written.</param>
    /// <param name="stream">The stream, to be written and closed.</param>
    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf16)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    public static partial int CimCreateAlternateStream(CimImageHandle cim, string path, ulong size, out CimStreamHandle stream);

    [LibraryImport(Library)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    public static partial int CimWriteStream(CimStreamHandle stream, ReadOnlySpan<byte> buffer, uint size);

    [LibraryImport(Library)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    public static partial int CimCloseStream(nint stream);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf16)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    public static partial int CimCreateHardLink(CimImageHandle cim, string newPath, string existingPath);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf16)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    public static partial int CimCreateMergeLink(CimImageHandle cim, string newPath, string oldPath);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf16)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    public static partial int CimTombstoneFile(CimImageHandle cim, string path);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf16)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    public static partial int CimDeletePath(CimImageHandle cim, string path);

    [LibraryImport(Library)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    public static partial int CimCommitImage(CimImageHandle cim);

    [LibraryImport(Library)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    public static partial void CimCloseImage(nint cim);

    /// <summary>Adds a source to a merged CIM. Sources are added topmost layer first.</summary>
    /// <param name="cim">The merged CIM, open for writing.</param>
    /// <param name="path">The source's block file and CIM name, joined by <c>\</c>.</param>
    /// <param name="flags">See <see cref="CimMergeFlags"/>.</param>
    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf16)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    public static partial int CimAddFsToMergedImage2(CimImageHandle cim, string path, CimMergeFlags flags);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf16)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    public static partial int CimSealImage(string blockPath, out ulong hashSize, out ulong fixedHeaderSize, Span<byte> hash);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf16)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    public static partial int CimGetVerificationInformation(
        string blockPath, out uint isSealed, out ulong hashSize, out ulong signatureSize, out ulong fixedHeaderSize, Span<byte> hash, nint signature);
}
