using CimConvert.Cims;
using CimConvert.Containerd;
using CimConvert.Layers.Hives;
using CimConvert.Storage;
using CimConvert.Store;

namespace CimConvert.Pipeline;

/// <summary>Takes a block layer from a store that has it finished, as hard links where both are on one file system.</summary>
internal static class StoredBlockLayer
{
    /// <returns>Null if the store does not have the layer as the snapshotter wants it.</returns>
    public static CommittedCim? TryLink(ContainerdTarget target, LayerPlan plan, SnapshotMount mount)
    {
        if (mount.Kind != MountKind.BlockCim
            || target.Store?.FindLayer(plan.ChainId) is not { IsForked: false } stored
            || !IsAsWanted(stored, target, mount))
        {
            return null;
        }

        SnapshotImport.Prepare(mount);
        if (Directory.Exists(Path.Combine(stored.Folder, RegistryHive.Folder)))
        {
            Directory.CreateDirectory(Path.Combine(mount.Folder, RegistryHive.Folder));
        }

        foreach (var hive in stored.HiveFiles)
        {
            Link(hive, Path.Combine(mount.Folder, RegistryHive.Folder, Path.GetFileName(hive)));
        }

        InheritedHives.Add(mount.Folder, mount.ParentFolders);
        if (mount.LayerIntegrity)
        {
            AtomicFile.Copy(Path.Combine(stored.Folder, IntegrityFile.LayerName), Path.Combine(mount.Folder, IntegrityFile.LayerName));
        }

        Link(stored.CimFile, mount.CimPath!);
        return new CommittedCim(mount.CimPath!, stored.Record.Cim.Size, null);
    }

    private static bool IsAsWanted(StoredLayer stored, ContainerdTarget target, SnapshotMount mount) =>
        stored.Record.Backend == target.SelectBackend(SnapshotImport.OptionsOf(mount)).Name
        && stored.Record.Cim.CimName == mount.CimName
        && stored.Record.Cim.VhdFooter == mount.VhdFooter
        && stored.Record.Cim.IntegrityRoot is not null == mount.LayerIntegrity;

    private static void Link(string file, string link)
    {
        if (!HardLink.TryCreate(link, file))
        {
            AtomicFile.Copy(file, link);
        }
    }
}
