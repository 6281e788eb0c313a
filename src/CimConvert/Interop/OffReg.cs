using System.Runtime.InteropServices;

namespace CimConvert.Interop;

/// <summary>Windows' offline registry library, offreg.dll of System32. All return a Win32 error.</summary>
internal static partial class OffReg
{
    public const string Library = "offreg.dll";

    static OffReg() => NativeLibraries.Register();

    public static IReadOnlyList<string> Functions { get; } = [nameof(OROpenHive), nameof(ORMergeHives), nameof(ORSaveHive), nameof(ORCloseHive)];

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf16)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    public static partial int OROpenHive(string path, out HiveHandle hive);

    /// <param name="hives">The base hive first, then the differencing ones.</param>
    /// <param name="count">How many.</param>
    /// <param name="merged">A new hive, in memory.</param>
    [LibraryImport(Library)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    public static partial int ORMergeHives(ReadOnlySpan<nint> hives, uint count, out HiveHandle merged);

    /// <summary>Refuses a path that exists.</summary>
    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf16)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    public static partial int ORSaveHive(HiveHandle hive, string path, uint osMajorVersion, uint osMinorVersion);

    [LibraryImport(Library)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    public static partial int ORCloseHive(nint hive);
}
