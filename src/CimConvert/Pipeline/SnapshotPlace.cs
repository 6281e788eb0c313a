using CimConvert.Cims.Tools;
using CimConvert.Containerd;
using CimConvert.Layers.Hives;
using Microsoft.Extensions.Logging;

namespace CimConvert.Pipeline;

/// <summary>The place that a snapshotter's mount names for a layer: has all of it, or nothing.</summary>
internal sealed class SnapshotPlace(SnapshotMount mount, ILogger logger)
{
    /// <summary>In the snapshot's folder, so that it goes with the snapshot, whoever removes that.</summary>
    private const string WorkName = "layer.partial";

    /// <summary>Holds files until they are complete.</summary>
    public static string WorkFolderOf(SnapshotMount mount) => Path.Combine(mount.Folder, WorkName);

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

    /// <summary>Fills the place. What a killed run left in it is replaced; after a failure nothing is left.</summary>
    /// <exception cref="ConversionException">The place is not on this machine, or was removed meanwhile.</exception>
    public async Task<T> FillAsync<T>(Func<Task<T>> fill, CancellationToken cancellationToken)
    {
        Prepare(mount);
        try
        {
            var made = await fill();
            cancellationToken.ThrowIfCancellationRequested();

            // A daemon that gives up removes the snapshot at once: what is committed after that nobody else would remove.
            return Directory.Exists(mount.Folder) ? made : throw Removed(cause: null);
        }
        catch (IOException e) when (!Directory.Exists(mount.Folder))
        {
            TryClear();
            cancellationToken.ThrowIfCancellationRequested();
            throw Removed(e);
        }
        catch
        {
            TryClear();
            throw;
        }
    }

    /// <summary>The failure that led here is what is reported, whatever happens now.</summary>
    private void TryClear()
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

    /// <summary>Removes what was put into the place, which may be gone itself.</summary>
    private static void Clear(SnapshotMount mount)
    {
        RemoveFolder(Path.Combine(mount.Folder, RegistryHive.Folder));
        if (mount.Kind == MountKind.BlockCim)
        {
            // Of forked CIMs the next writer does it: the folder tells which files were moved out of it already.
            RemoveFolder(WorkFolderOf(mount));
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

    private static void RemoveFolder(string path)
    {
        if (Directory.Exists(path))
        {
            Directory.Delete(path, recursive: true);
        }
    }

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

    private ConversionException Removed(Exception? cause) => new($"the snapshot's folder '{mount.Folder}' was removed while its layer was imported", cause);
}
