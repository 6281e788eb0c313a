using CimConvert.Cims;
using CimConvert.Containerd;
using CimConvert.Layers.Hives;
using CimConvert.Storage;
using CimConvert.Store;

namespace CimConvert.Pipeline;

/// <summary>Takes a block layer from a store that has it finished, as hard links where both are on one file system.</summary>
internal static class StoredBlockLayer
{
    /// <summary>Whether the store has the layer; how the snapshotter wants it is known later.</summary>
    public static bool IsIn(ContainerdTarget target, LayerPlan plan) => target.Snapshotter == SnapshotterChoice.BlockCim && Find(target, plan) is not null;

    /// <returns>Null if the store does not have the layer as the snapshotter wants it.</returns>
    public static async Task<CommittedCim?> TryLinkAsync(ContainerdTarget target, LayerPlan plan, SnapshotMount mount, CancellationToken cancellationToken)
    {
        if (mount.Kind != MountKind.BlockCim || target.Store is not { } store)
        {
            return null;
        }

        // The store's garbage collection leaves the layer alone meanwhile.
        using var lease = await store.UseAsync([plan.ChainId], cancellationToken);
        if (Find(target, plan) is not { } stored || !IsAsWanted(stored, target, mount))
        {
            return null;
        }

        SnapshotPlace.Prepare(mount);
        if (Directory.Exists(Path.Combine(stored.Folder, RegistryHive.Folder)))
        {
            Directory.CreateDirectory(Path.Combine(mount.Folder, RegistryHive.Folder));
        }

        foreach (var hive in stored.HiveFiles)
        {
            HardLink.CreateOrCopy(Path.Combine(mount.Folder, RegistryHive.Folder, Path.GetFileName(hive)), hive);
        }

        InheritedHives.Add(mount.Folder, mount.ParentFolders);
        if (mount.LayerIntegrity)
        {
            AtomicFile.Copy(Path.Combine(stored.Folder, IntegrityFile.LayerName), Path.Combine(mount.Folder, IntegrityFile.LayerName));
        }

        HardLink.CreateOrCopy(mount.CimPath!, stored.CimFile);
        return new CommittedCim(mount.CimPath!, stored.Record.Cim.Size, null);
    }

    private static StoredLayer? Find(ContainerdTarget target, LayerPlan plan) =>
        target.Store?.FindLayer(plan.ChainId) is { IsForked: false } stored ? stored : null;

    private static bool IsAsWanted(StoredLayer stored, ContainerdTarget target, SnapshotMount mount) =>
        stored.Record.Backend == target.SelectBackend(SnapshotImport.OptionsOf(mount)).Name
        && stored.Record.Cim.CimName == mount.CimName
        && stored.Record.Cim.VhdFooter == mount.VhdFooter
        && stored.Record.Cim.IntegrityRoot is not null == mount.LayerIntegrity;
}
