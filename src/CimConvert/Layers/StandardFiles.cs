using System.Collections.Frozen;
using CimConvert.Formats.Cim;
using CimConvert.Layers.Hives;

namespace CimConvert.Layers;

/// <summary>
/// Standard files: files of a layer that are staged on disk and added to the CIM at the layer's end, because the importer uses them first.
/// Their names are compared without regard to case; on disk they always have the names below, never the tar's.
/// </summary>
internal static class StandardFiles
{
    private const string UtilityVmFiles = @"UtilityVM\Files\";

    private static readonly FrozenDictionary<string, CimPath> s_all = Names()
        .Select(CimPath.Parse)
        .ToFrozenDictionary(path => path.Value, NameComparer.Instance);

    public static bool Contains(CimPath path) => s_all.ContainsKey(path.Value);

    /// <summary>Gets the standard spelling of a standard file's path.</summary>
    public static bool TryGet(CimPath path, out CimPath standard) => s_all.TryGetValue(path.Value, out standard);

    private static IEnumerable<string> Names()
    {
        foreach (var hive in RegistryHive.All)
        {
            yield return hive.ConfigPath.Value;
            yield return hive.DeltaPath.Value;
        }

        yield return UtilityVmFiles + @"Windows\System32\config\SYSTEM";
        yield return UtilityVmFiles + @"Windows\System32\config\SOFTWARE";
        yield return UtilityVmFiles + @"EFI\Microsoft\Boot\BCD";
        yield return UtilityVmFiles + @"EFI\Microsoft\Boot\bootmgfw.efi";
    }
}
