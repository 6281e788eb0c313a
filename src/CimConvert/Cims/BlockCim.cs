using CimConvert.Interop;

namespace CimConvert.Cims;

/// <summary>One CIM in a block file, or on a device: hcsshim's <c>cimfs.BlockCIM</c>.</summary>
/// <param name="BlockFile">
/// Path of the block file, or of a block device, <c>\\.\PhysicalDrive3</c> or <c>\\?\Volume{GUID}</c>. Only Windows' own writer takes
/// devices.
/// </param>
/// <param name="CimName">
/// The CIM's name in the file. Null means the file's only CIM; when a CIM is created, null means <c>layer.cim</c>.
/// </param>
public sealed record BlockCim(string BlockFile, string? CimName = null)
{
    /// <summary>
    /// The default name of a CIM in a block file. The layout of Windows' block files is not published, so the names in one cannot be looked
    /// up.
    /// </summary>
    internal const string DefaultName = "layer.cim";

    internal string NameOrDefault => CimName ?? DefaultName;

    /// <summary>The folder of the block file; the hives of its layer are in its folder <c>Hives</c>.</summary>
    internal string Folder => Path.GetDirectoryName(Path.GetFullPath(BlockFile))!;

    /// <summary>Parses <c>FILE</c> or <c>FILE::NAME</c>.</summary>
    /// <param name="location">A path that exists is used as it is, even with <c>::</c> in it.</param>
    public static BlockCim Parse(string location)
    {
        ArgumentNullException.ThrowIfNull(location);
        var (file, name) = OpenCim.Split(location);
        return new BlockCim(file, name);
    }

    /// <summary>Whether a path names a disk or volume rather than a file on one.</summary>
    internal static bool IsDevice(string path) => NativePath.IsDevice(path);
}
