using CimConvert.Storage;

namespace CimConvert.Layers.Hives;

/// <summary>
/// The complete hives that a layer does not change. In a store they are looked for in the layers further below; hcsshim and containerd's
/// differ look into the direct parent's folder only, so a layer that they may import upon has all five.
/// </summary>
internal static class InheritedHives
{
    /// <summary>Adds hives of the nearest layers below that have them, as hard links where the file system has such.</summary>
    /// <param name="layerFolder">The layer's folder, where its own hives are complete.</param>
    /// <param name="parentFolders">The folders of the layers below, nearest first.</param>
    public static void Add(string layerFolder, IReadOnlyList<string> parentFolders)
    {
        foreach (var hive in RegistryHive.All)
        {
            var file = hive.BaseFile(layerFolder);
            if (File.Exists(file) || parentFolders.Select(hive.BaseFile).FirstOrDefault(File.Exists) is not { } inherited)
            {
                continue;
            }

            HostLinks.RefuseBelow(layerFolder, file);
            Directory.CreateDirectory(Path.GetDirectoryName(file)!);
            HardLink.CreateOrCopy(file, inherited);
        }
    }
}
