using CimConvert.Formats.Cim;

namespace CimConvert.Layers.Hives;

/// <summary>One of the five registry hives that every Windows layer chain carries, under the three names it goes by.</summary>
/// <param name="Name">Its file name in the system's <c>config</c> folder.</param>
/// <param name="BaseName">Its whole state after a layer, in that layer's <c>Hives</c> folder.</param>
/// <param name="DeltaName">A layer's changes to it, in the <c>Hives</c> folder of the layer's tar.</param>
internal sealed record RegistryHive(string Name, string BaseName, string DeltaName)
{
    /// <summary>The folder, in the image and on disk, that holds base and delta hives.</summary>
    public const string Folder = "Hives";

    /// <summary>All five, in the order the reference handles them in.</summary>
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

    /// <summary>Where the delta lies on disk after the import of the layer in <paramref name="layerFolder"/>.</summary>
    public string DeltaFile(string layerFolder) => Path.Combine(layerFolder, Folder, DeltaName);

    /// <summary>Where the whole hive lies on disk, for child layers to merge with.</summary>
    public string BaseFile(string layerFolder) => Path.Combine(layerFolder, Folder, BaseName);
}
