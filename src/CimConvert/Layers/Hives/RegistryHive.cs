using CimConvert.Formats.Cim;

namespace CimConvert.Layers.Hives;

/// <summary>One of the five registry hives of a Windows layer chain, with its three names.</summary>
/// <param name="Name">The file name in <c>Windows\System32\config</c>.</param>
/// <param name="BaseName">The name of the complete hive as of a layer, in that layer's folder <c>Hives</c>.</param>
/// <param name="DeltaName">The name of the hive of a layer's changes, in the folder <c>Hives</c> of the layer's tar.</param>
internal sealed record RegistryHive(string Name, string BaseName, string DeltaName)
{
    /// <summary>The folder of base and delta hives, in the CIM and on disk.</summary>
    public const string Folder = "Hives";

    /// <summary>All five, in the order in which hcsshim processes them.</summary>
    public static IReadOnlyList<RegistryHive> All { get; } =
    [
        new("SYSTEM", "SYSTEM_BASE", "SYSTEM_DELTA"),
        new("SOFTWARE", "SOFTWARE_BASE", "SOFTWARE_DELTA"),
        new("SAM", "SAM_BASE", "SAM_DELTA"),
        new("SECURITY", "SECURITY_BASE", "SECURITY_DELTA"),
        new("DEFAULT", "DEFAULTUSER_BASE", "DEFAULTUSER_DELTA"),
    ];

    public CimPath ConfigPath => CimPath.Parse(@"Files\Windows\System32\config").Append(Name);

    public CimPath BasePath => CimPath.Parse(Folder).Append(BaseName);

    public CimPath DeltaPath => CimPath.Parse(Folder).Append(DeltaName);

    /// <summary>The path of the delta hive on disk, after the import of the layer in <paramref name="layerFolder"/>.</summary>
    public string DeltaFile(string layerFolder) => Path.Combine(layerFolder, Folder, DeltaName);

    /// <summary>The path of the complete hive on disk, which child layers are merged with.</summary>
    public string BaseFile(string layerFolder) => Path.Combine(layerFolder, Folder, BaseName);
}
