using System.Runtime.InteropServices;

namespace CimConvert.Interop;

/// <summary>
/// The writing half of CimFS, from cimwriter.dll, or from cimfs.dll, which exports the same functions
/// (see <see cref="NativeLibraries"/>). All return an HRESULT unless noted; signatures from the shared reference, cimfs-api.md.
/// </summary>
internal static partial class CimFsNative
{
    public const string Library = "cimwriter.dll";

    static CimFsNative() => NativeLibraries.Register();

    /// <summary>All of it: a library that lacks one is of no use.</summary>
    public static IReadOnlyList<string> Functions { get; } =
    [
        nameof(CimCreateImage2), nameof(CimCreateFile), nameof(CimCreateAlternateStream), nameof(CimWriteStream), nameof(CimCloseStream),
        nameof(CimCreateHardLink), nameof(CimCreateMergeLink), nameof(CimTombstoneFile), nameof(CimDeletePath), nameof(CimCommitImage),
        nameof(CimCloseImage), nameof(CimAddFsToMergedImage2),
    ];

    /// <summary>What sealed images need besides.</summary>
    public static IReadOnlyList<string> SealFunctions { get; } = [nameof(CimSealImage), nameof(CimGetVerificationInformation)];

    /// <summary>What standard CIMs need instead of <see cref="CimCreateImage2"/>.</summary>
    public static IReadOnlyList<string> ForkFunctions { get; } =
    [
        nameof(CimCreateImage), nameof(CimCreateFile), nameof(CimCreateAlternateStream), nameof(CimWriteStream), nameof(CimCloseStream),
        nameof(CimCreateHardLink), nameof(CimDeletePath), nameof(CimCommitImage), nameof(CimCloseImage),
    ];

    /// <summary>A standard CIM. A null name differs from an empty one: no image to fork from, no name for the new.</summary>
    /// <param name="imagePath">The folder of both.</param>
    /// <param name="oldName">The CIM in it to fork from.</param>
    /// <param name="newName">The CIM to make.</param>
    /// <param name="image">Open for writing.</param>
    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf16)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    public static partial int CimCreateImage(string imagePath, string? oldName, string? newName, out CimImageHandle image);

    /// <summary>A null name differs from an empty one: no image to fork from, no name for the new.</summary>
    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf16)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    public static partial int CimCreateImage2(string imagePath, CimCreateFlags flags, string? oldName, string? newName, out CimImageHandle image);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf16)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    public static partial int CimCreateFile(CimImageHandle image, string path, in CimFsFileMetadata metadata, out CimStreamHandle stream);

    /// <param name="image">Open for writing.</param>
    /// <param name="path"><c>file:stream:$DATA</c></param>
    /// <param name="size">Bytes it will hold.</param>
    /// <param name="stream">To be written and closed.</param>
    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf16)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    public static partial int CimCreateAlternateStream(CimImageHandle image, string path, ulong size, out CimStreamHandle stream);

    [LibraryImport(Library)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    public static partial int CimWriteStream(CimStreamHandle stream, ReadOnlySpan<byte> buffer, uint size);

    [LibraryImport(Library)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    public static partial int CimCloseStream(nint stream);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf16)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    public static partial int CimCreateHardLink(CimImageHandle image, string newPath, string existingPath);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf16)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    public static partial int CimCreateMergeLink(CimImageHandle image, string newPath, string oldPath);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf16)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    public static partial int CimTombstoneFile(CimImageHandle image, string path);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf16)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    public static partial int CimDeletePath(CimImageHandle image, string path);

    [LibraryImport(Library)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    public static partial int CimCommitImage(CimImageHandle image);

    [LibraryImport(Library)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    public static partial void CimCloseImage(nint image);

    /// <param name="image">The merged image.</param>
    /// <param name="path">Block file and CIM name, joined by <c>\</c>; the topmost layer's comes first.</param>
    /// <param name="flags">See <see cref="CimMergeFlags"/>.</param>
    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf16)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    public static partial int CimAddFsToMergedImage2(CimImageHandle image, string path, CimMergeFlags flags);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf16)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    public static partial int CimSealImage(string blockPath, out ulong hashSize, out ulong fixedHeaderSize, Span<byte> hash);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf16)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    public static partial int CimGetVerificationInformation(
        string blockPath, out uint isSealed, out ulong hashSize, out ulong signatureSize, out ulong fixedHeaderSize, Span<byte> hash, nint signature);
}
