namespace CimConvert.Cims;

/// <summary>
/// Where the CIM of a layer folder is: <c>cim-layers/ID.cim</c> beside a folder called <c>ID</c>, so that the CIMs of a chain are
/// all in one directory. This is the layout of Microsoft's snapshotter.
/// </summary>
internal static class CimLayerFolder
{
    private const string DirectoryName = "cim-layers";

    /// <summary>The directory that has the CIM, and those of the layers beside this one.</summary>
    public static string GetCimDir(string layerFolder) => Path.Combine(Path.GetDirectoryName(Whole(layerFolder)) ?? Whole(layerFolder), DirectoryName);

    /// <summary>The CIM's name in it.</summary>
    public static string GetCimName(string layerFolder) => Path.GetFileName(Whole(layerFolder)) + OpenCim.StandardExtension;

    public static string GetCimPath(string layerFolder) => Path.Combine(GetCimDir(layerFolder), GetCimName(layerFolder));

    /// <summary>Whether there is a CIM for the folder.</summary>
    public static bool IsCimLayer(string layerFolder) => File.Exists(GetCimPath(layerFolder));

    private static string Whole(string folder) => Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder));
}
