using CimConvert.Formats.Cim;

namespace CimConvert.Layers.UtilityVm;

/// <summary>
/// The folder of a base layer with the utility VM's files (github.com/microsoft/hcsshim, internal/wclayer, UtilityVMFilesPath).
/// </summary>
internal static class UtilityVmFolder
{
    public const string FilesPath = Name + @"\Files";

    private const string Name = "UtilityVM";

    /// <summary>Whether a path of a layer is the folder <c>UtilityVM</c> or lies in it.</summary>
    public static bool Contains(CimPath path) => path.Value.StartsWith(Name, StringComparison.OrdinalIgnoreCase)
        && (path.Value.Length == Name.Length || path.Value[Name.Length] == CimPath.Separator);

    /// <summary>Whether a path is the folder <c>UtilityVM\Files</c> or lies in it, compared without regard to case.</summary>
    /// <param name="path">A path of the layer.</param>
    /// <param name="inBootCim">The path relative to that folder, which is the root of the boot CIM.</param>
    public static bool TryEnter(CimPath path, out CimPath inBootCim)
    {
        inBootCim = CimPath.Root;
        if (!path.Value.StartsWith(FilesPath, StringComparison.OrdinalIgnoreCase))
        {
            return false;
        }

        var rest = path.Value[FilesPath.Length..];
        if (rest.Length == 0)
        {
            return true;
        }

        if (rest[0] != CimPath.Separator)
        {
            return false;
        }

        inBootCim = CimPath.Parse(rest[1..]);
        return true;
    }
}
