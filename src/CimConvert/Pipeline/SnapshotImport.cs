using CimConvert.Cims;
using CimConvert.Cims.Tools;
using CimConvert.Containerd;
using CimConvert.Layers;
using CimConvert.Layers.Hives;
using Microsoft.Extensions.Logging;

namespace CimConvert.Pipeline;

/// <summary>Imports a layer into the place that a snapshotter's mount names: hives first, the CIM last.</summary>
internal sealed class SnapshotImport(ICimBackend backend, InputLimits limits, ILogger logger)
{
    /// <summary>In the snapshot's folder, so that it goes with the snapshot, whoever removes that.</summary>
    private const string WorkName = "layer.partial";

    private readonly IHiveMerger _hives = HiveMergers.For(backend);

    /// <summary>The block files of a mount are written with the snapshotter's own settings.</summary>
    public static BlockCimOptions OptionsOf(SnapshotMount mount) => new(mount.LayerIntegrity, mount.VhdFooter);

    /// <summary>
    /// Reads the tar, and makes the layer. What a killed run left in the place is replaced; after a failure nothing is left.
    /// </summary>
    /// <exception cref="ConversionException">The place is not on this machine, or the layer cannot be imported.</exception>
    /// <exception cref="InvalidDataException">The blob or the tar is damaged.</exception>
    public async Task<(LayerImportResult Import, CommittedCim Cim)> RunAsync(SnapshotMount mount, LayerTar tar, CancellationToken cancellationToken)
    {
        Prepare(mount);
        try
        {
            var made = await MakeAsync(mount, tar, cancellationToken);
            cancellationToken.ThrowIfCancellationRequested();

            // A daemon that gives up removes the snapshot at once: what is committed after that nobody else would remove.
            return Directory.Exists(mount.Folder) ? made : throw Removed(mount, cause: null);
        }
        catch (IOException e) when (!Directory.Exists(mount.Folder))
        {
            TryClear(mount);
            cancellationToken.ThrowIfCancellationRequested();
            throw Removed(mount, e);
        }
        catch
        {
            TryClear(mount);
            throw;
        }
    }

    /// <summary>Empties the place, for a layer to be put there.</summary>
    /// <exception cref="ConversionException">It is not on this machine.</exception>
    public static void Prepare(SnapshotMount mount)
    {
        if (!Directory.Exists(mount.Folder))
        {
            throw new ConversionException($"the snapshotter's folder '{mount.Folder}' is not on this machine: run this on the node itself, with the rights to its files");
        }

        Clear(mount);
    }

    private async Task<(LayerImportResult Import, CommittedCim Cim)> MakeAsync(SnapshotMount mount, LayerTar tar, CancellationToken cancellationToken)
    {
        using var cim = Create(mount);
        var importOptions = new LayerImportOptions { IsBase = mount.ParentFolders.Count == 0, LayerFolder = mount.Folder, Limits = limits, Logger = logger };
        var import = await tar.ReadToEndAsync((stream, token) => LayerImport.Import(stream, cim, importOptions, token));
        HiveMerging.Merge(cim, import.DeltaHives, mount.Folder, mount.ParentFolders, _hives, cancellationToken);
        InheritedHives.Add(mount.Folder, mount.ParentFolders);
        return (import, cim.Commit(cancellationToken));
    }

    /// <summary>The failure that led here is what is reported, whatever happens now.</summary>
    private void TryClear(SnapshotMount mount)
    {
        try
        {
            Clear(mount);
        }
        catch (Exception e) when (Failures.IsExpected(e))
        {
            logger.LogWarning("{Folder}: what a failed import left could not be removed: {Reason}", mount.Folder, e.Message);
        }
    }

    /// <summary>Removes what an import has put into the place, which may be gone itself.</summary>
    private static void Clear(SnapshotMount mount)
    {
        var hives = Path.Combine(mount.Folder, RegistryHive.Folder);
        if (Directory.Exists(hives))
        {
            Directory.Delete(hives, recursive: true);
        }

        if (!File.Exists(mount.CimPath))
        {
            return;
        }

        if (mount.Kind == MountKind.CimFs)
        {
            DestroyForked(mount.CimPath);
        }

        File.Delete(mount.CimPath);
    }

    private static ConversionException Removed(SnapshotMount mount, Exception? cause) =>
        new($"the snapshot's folder '{mount.Folder}' was removed while its layer was imported", cause);

    private static void DestroyForked(string cim)
    {
        try
        {
            CimDestruction.Destroy(cim, force: true);
        }
        catch (InvalidDataException)
        {
            // Half a file, which does not say what belongs to it.
        }
    }

    private ICimWriter Create(SnapshotMount mount)
    {
        if (mount.Kind == MountKind.CimFs)
        {
            return backend.CreateForked(mount.CimPath!, mount.ParentCims.Count == 0 ? null : mount.ParentCims[0].Path, Path.Combine(mount.Folder, WorkName));
        }

        foreach (var parent in mount.ParentCims)
        {
            backend.CheckSource(new BlockCim(parent.Path, parent.Name));
        }

        return backend.Create(mount.CimPath!, mount.CimName!, OptionsOf(mount));
    }
}
