using CimConvert.Interop;

namespace CimConvert.Cims;

/// <summary>One CIM in a block file, or on a device: hcsshim's <c>cimfs.BlockCIM</c>.</summary>
/// <param name="BlockFile">Path of the block file, or a device: <c>\\.\PhysicalDrive3</c> or <c>\\?\Volume{GUID}</c>, which only Windows' own writer takes.</param>
/// <param name="CimName">The CIM's name in it; null for its only one, or, where one is made, for <c>layer.cim</c>.</param>
public sealed record BlockCim(string BlockFile, string? CimName = null)
{
    /// <summary>What a CIM in a block file is called where nothing says otherwise. Windows' one-file layout is not published, so its names cannot be looked up.</summary>
    internal const string DefaultName = "layer.cim";

    internal string NameOrDefault => CimName ?? DefaultName;

    /// <summary>The folder it lies in, where the hives of its layer are.</summary>
    internal string Folder => Path.GetDirectoryName(Path.GetFullPath(BlockFile))!;

    /// <summary>Reads <c>FILE</c> or <c>FILE::NAME</c>.</summary>
    /// <param name="location">A path that exists is taken as it is, even with <c>::</c> in it.</param>
    public static BlockCim Parse(string location)
    {
        ArgumentNullException.ThrowIfNull(location);
        var (file, name) = OpenCim.Split(location);
        return new BlockCim(file, name);
    }

    /// <summary>Whether a path names a disk or volume itself, without a file system.</summary>
    internal static bool IsDevice(string path) => NativePath.IsDevice(path);
}
