using CimConvert.Cims;
using CimConvert.Cims.Tools;
using CimConvert.Layers;
using CimConvert.Layers.Hives;
using CimConvert.Pipeline;
using CimConvert.Plumbing;
using Microsoft.Extensions.Logging.Abstractions;

namespace CimConvert;

/// <summary>
/// Single layers: imports a layer's tar into a CIM, merges layers, and finds and destroys a layer's CIM. Each method is named after
/// the function of hcsshim that it stands for (<c>pkg/ociwclayer/cim</c>, <c>internal/wclayer/cim</c>).
/// </summary>
public static class CimLayer
{
    private const string DirectoryName = "cim-layers";

    /// <summary>Imports a layer into a block CIM (hcsshim: <c>ImportBlockCIMLayerWithOpts</c>).</summary>
    /// <param name="tar">The layer's uncompressed tar; read to its end on a thread of its own, and not disposed.</param>
    /// <param name="layer">What to make; nothing may have the file's name yet. The layer's hives go into the folder <c>Hives</c> beside it.</param>
    /// <param name="options">How; null for a base layer without seal and footer.</param>
    /// <param name="cancellationToken">Stops between entries, and leaves nothing behind.</param>
    /// <returns>Bytes of all regular files, as hcsshim counts them.</returns>
    /// <exception cref="ConversionException">The layer cannot be imported; a <see cref="LayerImportException"/> names the tar entry.</exception>
    /// <exception cref="InvalidDataException">The tar is malformed, or a parent is damaged.</exception>
    /// <exception cref="IOException">A file cannot be read or written.</exception>
    public static async Task<long> ImportBlockCimAsync(
        Stream tar, BlockCim layer, BlockCimImportOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(tar);
        ArgumentNullException.ThrowIfNull(layer);
        options ??= new BlockCimImportOptions();
        var backend = CimBackends.Select(CimBackends.NameOf(options.Backend), options.Block);
        var import = new FileImport(backend, HiveMergers.For(backend), options.Block, options.Limits, options.Logger ?? NullLogger.Instance);
        return (await import.RunAsync(tar, layer, options.ParentLayers, cancellationToken)).Import.Size;
    }

    /// <summary>Imports a layer into a block CIM without seal and footer (hcsshim: <c>ImportSingleFileCimLayerFromTar</c>).</summary>
    /// <param name="tar">The layer's uncompressed tar; read to its end, and not disposed.</param>
    /// <param name="layer">What to make; nothing may have the file's name yet.</param>
    /// <param name="parentLayers">The block CIMs of the layers below, nearest first; none for a base layer.</param>
    /// <param name="cancellationToken">Stops between entries, and leaves nothing behind.</param>
    /// <returns>Bytes of all regular files.</returns>
    /// <exception cref="ConversionException">As <see cref="ImportBlockCimAsync"/>.</exception>
    public static Task<long> ImportSingleFileCimAsync(
        Stream tar, BlockCim layer, IReadOnlyList<BlockCim> parentLayers, CancellationToken cancellationToken = default) =>
        ImportBlockCimAsync(tar, layer, new BlockCimImportOptions { ParentLayers = parentLayers }, cancellationToken);

    /// <summary>Imports a layer into a standard CIM that is forked from its parent's (hcsshim: <c>ImportCimLayerFromTar</c>).</summary>
    /// <param name="tar">The layer's uncompressed tar; read to its end on a thread of its own, and not disposed.</param>
    /// <param name="layerFolder">The layer's folder, which gets its hives; made where it is missing.</param>
    /// <param name="cimFile">The <c>.cim</c> file to make, in the directory of the parent's; nothing may have the name yet.</param>
    /// <param name="parentFolders">The layer folders below, nearest first; none for a base layer.</param>
    /// <param name="parentCim">The <c>.cim</c> file of the layer below; null for a base layer.</param>
    /// <param name="options">How; null for the defaults.</param>
    /// <param name="cancellationToken">Stops between entries, and leaves nothing behind.</param>
    /// <returns>Bytes of all regular files.</returns>
    /// <exception cref="ConversionException">The layer cannot be imported; a <see cref="LayerImportException"/> names the tar entry.</exception>
    /// <exception cref="InvalidDataException">The tar is malformed, or the parent cannot be forked from.</exception>
    /// <exception cref="IOException">A file cannot be read or written.</exception>
    public static async Task<long> ImportForkedCimAsync(
        Stream tar,
        string layerFolder,
        string cimFile,
        IReadOnlyList<string> parentFolders,
        string? parentCim,
        CimImportOptions? options = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(tar);
        ArgumentNullException.ThrowIfNull(parentFolders);
        options ??= new CimImportOptions();
        var backend = CimBackends.SelectForking(CimBackends.NameOf(options.Backend));
        var import = new FileImport(backend, HiveMergers.For(backend), new BlockCimOptions(), options.Limits, options.Logger ?? NullLogger.Instance);
        return (await import.RunForkedAsync(tar, cimFile, layerFolder, parentCim, parentFolders, cancellationToken)).Import.Size;
    }

    /// <summary>Merges block CIMs into one of metadata only, which is mounted with them (hcsshim: <c>MergeBlockCIMLayersWithOpts</c>).</summary>
    /// <param name="sources">At least two, topmost first.</param>
    /// <param name="merged">What to make; nothing may have the file's name yet.</param>
    /// <param name="options">How; null for no seal and no footer.</param>
    /// <param name="cancellationToken">Stops, and leaves nothing behind.</param>
    /// <exception cref="ConversionException">They cannot be merged by the back end.</exception>
    /// <exception cref="InvalidDataException">A source is damaged, or a link of one has no target.</exception>
    public static Task MergeBlockCimsAsync(
        IReadOnlyList<BlockCim> sources, BlockCim merged, BlockCimMergeOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(sources);
        ArgumentNullException.ThrowIfNull(merged);
        options ??= new BlockCimMergeOptions();
        var backend = CimBackends.Select(CimBackends.NameOf(options.Backend), options.Block);
        return OwnThread.RunAsync(() => backend.Merge(merged.BlockFile, merged.CimName ?? "merged.cim", sources, options.Block, cancellationToken));
    }

    /// <summary>Removes the CIM of a layer folder, with its region files, and then the folder (hcsshim: <c>DestroyCimLayer</c>).</summary>
    /// <param name="layerFolder">See <see cref="GetCimPath"/>.</param>
    /// <param name="force">Also where other CIMs are forked from it, regions are missing, or a CIM beside it cannot be read.</param>
    /// <exception cref="ConversionException">It is refused, and nothing was removed.</exception>
    /// <exception cref="InvalidDataException">The CIM is damaged, and nothing was removed.</exception>
    public static void Destroy(string layerFolder, bool force = false)
    {
        CimDestruction.Run(GetCimPath(layerFolder), force);
        if (Directory.Exists(layerFolder))
        {
            Directory.Delete(layerFolder, recursive: true);
        }
    }

    /// <summary>
    /// The directory of the CIM of a layer folder, and of those of the layers beside it (hcsshim: <c>GetCimDirFromLayer</c>):
    /// <c>cim-layers</c> beside the folder, so that the CIMs of a chain are all in one directory.
    /// </summary>
    public static string GetCimDirectory(string layerFolder) =>
        Path.Combine(Path.GetDirectoryName(Whole(layerFolder)) ?? Whole(layerFolder), DirectoryName);

    /// <summary>The name of the CIM of a layer folder: the folder's, and <c>.cim</c> (hcsshim: <c>GetCimNameFromLayer</c>).</summary>
    public static string GetCimName(string layerFolder) => Path.GetFileName(Whole(layerFolder)) + OpenCim.StandardExtension;

    /// <summary>The path of the CIM of a layer folder (hcsshim: <c>GetCimPathFromLayer</c>).</summary>
    public static string GetCimPath(string layerFolder) => Path.Combine(GetCimDirectory(layerFolder), GetCimName(layerFolder));

    /// <summary>Whether there is a CIM for a layer folder (hcsshim: <c>IsCimLayer</c>).</summary>
    public static bool IsCimLayer(string layerFolder) => File.Exists(GetCimPath(layerFolder));

    /// <summary>What the files of a standard CIM take on the disk (hcsshim: <c>GetCimUsage</c>).</summary>
    /// <param name="cimFile">Its <c>.cim</c> file.</param>
    /// <exception cref="InvalidDataException">It is damaged, or a region file is missing.</exception>
    public static CimUsage GetUsage(string cimFile) => StandardCim.Open(cimFile).Usage();

    private static string Whole(string folder) => Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder));
}
