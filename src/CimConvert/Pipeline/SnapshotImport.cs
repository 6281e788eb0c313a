using CimConvert.Cims;
using CimConvert.Containerd;
using CimConvert.Layers;
using CimConvert.Layers.Hives;
using Microsoft.Extensions.Logging;

namespace CimConvert.Pipeline;

/// <summary>Imports a layer into the place that a snapshotter's mount names: hives first, the CIM last.</summary>
internal sealed class SnapshotImport(ICimBackend backend, InputLimits limits, ILogger logger)
{
    private readonly IHiveMerger _hives = HiveMergers.For(backend);

    /// <summary>The block files of a mount are written with the snapshotter's own settings.</summary>
    public static BlockCimOptions OptionsOf(SnapshotMount mount) => new(mount.LayerIntegrity, mount.VhdFooter);

    /// <summary>
    /// Reads the tar, and makes the layer. What a killed run left in the place is replaced; after a failure nothing is left.
    /// </summary>
    /// <exception cref="ConversionException">The place is not on this machine, or the layer cannot be imported.</exception>
    /// <exception cref="InvalidDataException">The blob or the tar is damaged.</exception>
    public Task<(LayerImportResult Import, CommittedCim Cim)> RunAsync(SnapshotMount mount, LayerTar tar, CancellationToken cancellationToken) =>
        new SnapshotPlace(mount, logger).FillAsync(() => MakeAsync(mount, tar, cancellationToken), cancellationToken);

    private async Task<(LayerImportResult Import, CommittedCim Cim)> MakeAsync(SnapshotMount mount, LayerTar tar, CancellationToken cancellationToken)
    {
        using var cim = Create(mount);
        var importOptions = new LayerImportOptions { IsBase = mount.ParentFolders.Count == 0, LayerFolder = mount.Folder, Limits = limits, Logger = logger };
        var import = await tar.ReadToEndAsync((stream, token) => LayerImport.Import(stream, cim, importOptions, token));
        HiveMerging.Merge(cim, import.DeltaHives, mount.Folder, mount.ParentFolders, _hives, cancellationToken);
        InheritedHives.Add(mount.Folder, mount.ParentFolders);
        return (import, cim.Commit(cancellationToken));
    }

    private ICimWriter Create(SnapshotMount mount)
    {
        if (mount.Kind == MountKind.CimFs)
        {
            return backend.CreateForked(mount.CimPath!, mount.ParentCims.Count == 0 ? null : mount.ParentCims[0].Path, SnapshotPlace.WorkFolderOf(mount));
        }

        foreach (var parent in mount.ParentCims)
        {
            backend.CheckSource(new BlockCim(parent.Path, parent.Name));
        }

        return backend.Create(mount.CimPath!, mount.CimName!, OptionsOf(mount));
    }
}
