using System.Runtime.InteropServices;

namespace CimConvert.Interop;

/// <summary>
/// The Windows offline registry library, offreg.dll from System32 (learn.microsoft.com, "Offline Registry Library"). All functions
/// return a Win32 error code.
/// </summary>
internal static partial class OffReg
{
    public const string Library = "offreg.dll";

    static OffReg() => NativeLibraries.Register();

    public static IReadOnlyList<string> Functions { get; } = [nameof(OROpenHive), nameof(ORMergeHives), nameof(ORSaveHive), nameof(ORCloseHive)];

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf16)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    public static partial int OROpenHive(string path, out HiveHandle hive);

    /// <param name="hives">The base hive, then the differencing hives.</param>
    /// <param name="count">Number of hives.</param>
    /// <param name="merged">A new hive in memory.</param>
    [LibraryImport(Library)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    public static partial int ORMergeHives(ReadOnlySpan<nint> hives, uint count, out HiveHandle merged);

    /// <summary>Fails if the path exists.</summary>
    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf16)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    public static partial int ORSaveHive(HiveHandle hive, string path, uint osMajorVersion, uint osMinorVersion);

    [LibraryImport(Library)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    public static partial int ORCloseHive(nint hive);
}

/// <summary>A hive opened by offreg.dll.</summary>
internal sealed class HiveHandle() : SafeHandle(0, ownsHandle: true)
{
    public override bool IsInvalid => handle == 0;

    protected override bool ReleaseHandle() => OffReg.ORCloseHive(handle) == 0;
}
