using CimConvert.Cims;
using CimConvert.Cims.Managed;
using CimConvert.Containerd;
using CimConvert.Layers.Hives;
using CimConvert.Plumbing;
using CimConvert.Publishing;
using CimConvert.Storage;
using CimConvert.Store;
using Microsoft.Extensions.Logging;

namespace CimConvert.Pipeline;

/// <summary>
/// Takes a layer of a converted image into the place that a snapshotter's mount names. Its files are downloaded into a folder of the
/// place, which becomes what a pull makes of the layer's folder in a store; from there they are moved, hives first, the CIM last.
/// </summary>
internal sealed class SnapshotPull(SnapshotConversion conversion, IngestArea ingest, ConversionOptions options, ILogger logger) : IDisposable
{
    private readonly Dictionary<LayerPlan, LayerDownload> _downloads = [];

    public SnapshotConversion Conversion => conversion;

    private IReadOnlyList<(ConvertedFile File, LayerPlan Plan)> Files { get; } = [.. conversion.Layer.Files.Zip(conversion.Files)];

    /// <summary>Waits until the layer may be put into its place, and downloads its largest file ahead meanwhile.</summary>
    /// <param name="turn">Ends when the layer below is in containerd.</param>
    /// <param name="cancellationToken">Ends the waiting; what was downloaded stays.</param>
    /// <returns>The import slot, to be disposed at the end.</returns>
    public Task<IDisposable?> WaitForImportAsync(Task turn, CancellationToken cancellationToken)
    {
        // Whatever its size: a small one is kept, too, so that it can be downloaded ahead.
        var largest = conversion.Files.MaxBy(file => file.Blob.Size)!;
        var download = new LayerDownload(conversion.Blobs, ingest, largest, options.Limits, logger, smallest: 1);
        _downloads.Add(largest, download);
        return download.WaitForImportAsync(cancellationToken, turn);
    }

    /// <summary>Puts the layer into the place, which is empty again if that fails or the layer does not fit there.</summary>
    /// <returns>The CIM, or the reason why a forked one cannot be used above what is there.</returns>
    /// <exception cref="InvalidDataException">A file is not what the manifest says.</exception>
    public Task<(CommittedCim? Cim, string? WhyNot)> RunAsync(SnapshotMount mount, CancellationToken cancellationToken) =>
        new SnapshotPlace(mount, logger).FillAsync(
            () => mount.Kind == MountKind.CimFs ? PutForkedAsync(mount, cancellationToken) : PutBlockAsync(mount, cancellationToken), cancellationToken);

    /// <summary>Called when the layer is in containerd, or is not taken: the downloaded files are removed.</summary>
    public void Finish()
    {
        foreach (var download in _downloads.Values)
        {
            download.Finish();
        }
    }

    public void Dispose()
    {
        foreach (var download in _downloads.Values)
        {
            download.Dispose();
        }
    }

    private async Task<(CommittedCim? Cim, string? WhyNot)> PutBlockAsync(SnapshotMount mount, CancellationToken cancellationToken)
    {
        var folder = SnapshotPlace.WorkFolderOf(mount);
        await DownloadAsync(Files, folder, cancellationToken);
        await CompleteAsync(folder, cancellationToken);
        MoveHives(folder, mount);
        var root = Path.Combine(folder, IntegrityFile.LayerName);
        if (File.Exists(root))
        {
            AtomicFile.Rename(root, Path.Combine(mount.Folder, IntegrityFile.LayerName), overwrite: true);
        }

        AtomicFile.Rename(Path.Combine(folder, conversion.Layer.Record.Cim.File), mount.CimPath!, overwrite: false);
        Directory.Delete(folder, recursive: true);
        return (new CommittedCim(mount.CimPath!, conversion.Layer.Record.Cim.Size, null), null);
    }

    private async Task<(CommittedCim? Cim, string? WhyNot)> PutForkedAsync(SnapshotMount mount, CancellationToken cancellationToken)
    {
        var directory = Path.GetDirectoryName(mount.CimPath!)!;
        var parent = mount.ParentCims.Count == 0 ? null : mount.ParentCims[0].Path;
        using var set = new PartialCimSet(mount.CimPath!, parent, SnapshotPlace.WorkFolderOf(mount)) { KeepsOthers = true };
        if (parent is not null)
        {
            ForkedLayer.LinkRegions(parent, set.Folder);
        }

        var linked = Directory.GetFiles(set.Folder);

        // The file that says what else is needed is small, and comes first.
        await DownloadAsync([Files[^1]], set.Folder, cancellationToken);
        var cim = StandardCim.Open(Path.Combine(set.Folder, conversion.Layer.Record.Cim.File));
        if (WhyUnusable(cim, directory) is { } reason)
        {
            return (null, reason);
        }

        await DownloadAsync(Files.SkipLast(1), set.Folder, cancellationToken);
        await CompleteAsync(set.Folder, cancellationToken);
        Array.ForEach(linked, File.Delete);

        // From now on what a killed run moved can be told by this file. So it has its name only after its own files proved to be no others'.
        File.Move(cim.Path, Path.Combine(set.Folder, Path.GetFileName(mount.CimPath!)));
        MoveHives(set.Folder, mount);
        OpenFile.FlushFolder(mount.Folder);
        return (set.Finish(new BlockCimOptions(), cancellationToken), null);
    }

    /// <summary>
    /// Why a forked CIM cannot be used in a directory. Each conversion names its regions otherwise, so those of a layer that was imported
    /// here are not those that a layer converted elsewhere was forked from.
    /// </summary>
    private static string? WhyUnusable(StandardCim cim, string directory)
    {
        // Those of the layers below are linked beside it.
        if (cim.ParentRegions.FirstOrDefault(region => !File.Exists(region)) is { } missing)
        {
            return $"it needs '{Path.GetFileName(missing)}' of the layers that it was converted upon, and those below it here were not made in the same conversion";
        }

        return cim.OwnFiles.Select(file => Path.GetFileName(file)).FirstOrDefault(name => File.Exists(Path.Combine(directory, name))) is { } taken
            ? $"its '{taken}' would replace a file of another layer"
            : null;
    }

    private async Task DownloadAsync(IEnumerable<(ConvertedFile File, LayerPlan Plan)> files, string folder, CancellationToken cancellationToken)
    {
        foreach (var (file, plan) in files)
        {
            if (!_downloads.TryGetValue(plan, out var download))
            {
                // Without a download slot: whoever has the import slot downloads one file at a time.
                download = new LayerDownload(conversion.Blobs, ingest, plan, options.Limits, logger);
                _downloads.Add(plan, download);
            }

            await ConvertedDownload.WriteAsync(file, plan, folder, download, options, cancellationToken);
        }
    }

    private Task<bool> CompleteAsync(string folder, CancellationToken cancellationToken)
    {
        conversion.Files[^1].Progress.Stage = LayerStage.Sealing;
        return OwnThread.RunAsync(() =>
        {
            ConvertedLayerFolder.Complete(conversion.Layer, folder, cancellationToken);
            return true;
        });
    }

    private static void MoveHives(string folder, SnapshotMount mount)
    {
        var hives = Path.Combine(folder, RegistryHive.Folder);
        if (Directory.Exists(hives))
        {
            Directory.Move(hives, Path.Combine(mount.Folder, RegistryHive.Folder));
        }

        InheritedHives.Add(mount.Folder, mount.ParentFolders);
    }
}
