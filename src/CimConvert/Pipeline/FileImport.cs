using CimConvert.Cims;
using CimConvert.Layers;
using CimConvert.Layers.Hives;
using Microsoft.Extensions.Logging;

namespace CimConvert.Pipeline;

/// <summary>A layer tar on disk, compressed or not, made into a block file or a forked CIM: what the importer does for one layer, without a registry.</summary>
internal sealed class FileImport(ICimBackend backend, IHiveMerger hives, BlockCimOptions options, InputLimits limits, ILogger logger)
{
    private const string StagingSuffix = ".staging";

    /// <param name="layerTar">Path of the tar; its compression is told by its first bytes.</param>
    /// <param name="blockFile">What to make; nothing may have the name yet.</param>
    /// <param name="cimName">Name of the CIM in it.</param>
    /// <param name="parents">The block files of the layers below, nearest first; none for a base layer. Their hives lie in the folder <c>Hives</c> beside each.</param>
    /// <param name="cancellationToken">Stops, and leaves nothing behind.</param>
    public async Task<(LayerImportResult Import, CommittedCim Cim)> RunAsync(
        string layerTar, string blockFile, string cimName, IReadOnlyList<string> parents, CancellationToken cancellationToken)
    {
        ThrowIfDevice(blockFile);
        foreach (var parent in parents)
        {
            var source = BlockCim.Parse(parent);
            ThrowIfDevice(source.BlockFile);
            backend.CheckSource(source);
        }

        var folder = FolderOf(blockFile);
        Directory.CreateDirectory(folder);
        using var cim = backend.Create(blockFile, cimName, options);
        var parentFolders = parents.Select(parent => FolderOf(BlockCim.Parse(parent).BlockFile)).ToArray();
        return await RunAsync(layerTar, cim, blockFile + StagingSuffix, folder, parentFolders, cancellationToken);
    }

    /// <summary>The same into a standard CIM, which is forked from the parent's and holds all layers so far.</summary>
    /// <param name="layerTar">Path of the tar; its compression is told by its first bytes.</param>
    /// <param name="cimFile">The <c>.cim</c> file to make; nothing may have the name yet.</param>
    /// <param name="layerFolder">The layer's folder, which gets its hives; made where it is missing.</param>
    /// <param name="parentCim">The <c>.cim</c> file of the layer below, in the same directory; null for a base layer.</param>
    /// <param name="parentFolders">The layer folders below, nearest first.</param>
    /// <param name="cancellationToken">Stops, and leaves nothing behind.</param>
    public async Task<(LayerImportResult Import, CommittedCim Cim)> RunForkedAsync(
        string layerTar, string cimFile, string layerFolder, string? parentCim, IReadOnlyList<string> parentFolders, CancellationToken cancellationToken)
    {
        if (parentCim is null != (parentFolders.Count == 0))
        {
            throw new ConversionException("a layer has both a parent CIM and the layer folders below it, or neither");
        }

        var folder = Path.TrimEndingDirectorySeparator(Path.GetFullPath(layerFolder));
        using var cim = backend.CreateForked(cimFile, parentCim);
        return await RunAsync(layerTar, cim, folder + StagingSuffix, folder, parentFolders, cancellationToken);
    }

    private async Task<(LayerImportResult Import, CommittedCim Cim)> RunAsync(
        string layerTar, ICimWriter cim, string staging, string folder, IReadOnlyList<string> parentFolders, CancellationToken cancellationToken)
    {
        try
        {
            RemoveFolder(staging);
            Directory.CreateDirectory(staging);
            var importOptions = new LayerImportOptions { IsBase = parentFolders.Count == 0, LayerFolder = staging, Limits = limits, Logger = logger };
            var result = await LayerFile.ReadAsync(layerTar, limits, (tar, token) => LayerImport.Run(tar, cim, importOptions, token), cancellationToken);
            LayerFinish.MergeHives(cim, result.DeltaHives, staging, parentFolders, hives, cancellationToken);

            // The hives are in place before the CIM gets its name: a CIM that is there has them.
            var isNew = !Directory.Exists(folder);
            Directory.CreateDirectory(folder);
            var moved = HivesBesideCim.Move(staging, folder);
            try
            {
                return (result, cim.Commit(cancellationToken));
            }
            catch
            {
                HivesBesideCim.Remove(moved);
                if (isNew)
                {
                    Directory.Delete(folder);
                }

                throw;
            }
        }
        finally
        {
            RemoveFolder(staging);
        }
    }

    /// <summary>hcsshim refuses it, too.</summary>
    private static void ThrowIfDevice(string path)
    {
        if (BlockLocation.IsDevice(path))
        {
            throw new ConversionException(
                $"layers cannot be imported into a block device, nor on top of one ('{path}'): a layer's registry hives must lie in a folder beside its block file, and a device has none");
        }
    }

    private static string FolderOf(string blockFile) => Path.GetDirectoryName(Path.GetFullPath(blockFile))!;

    private static void RemoveFolder(string folder)
    {
        if (Directory.Exists(folder))
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
