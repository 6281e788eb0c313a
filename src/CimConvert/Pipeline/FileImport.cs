using CimConvert.Cims;
using CimConvert.Layers;
using CimConvert.Layers.Hives;
using CimConvert.Plumbing;
using Microsoft.Extensions.Logging;

namespace CimConvert.Pipeline;

/// <summary>Imports one layer without a registry or a store: its tar, from a file or a stream, into a block file or a forked CIM.</summary>
internal sealed class FileImport(ICimBackend backend, IHiveMerger hives, BlockCimOptions options, InputLimits limits, ILogger logger)
{
    /// <summary>Hands the layer's tar to an import, and returns what that returns.</summary>
    private delegate Task<LayerImportResult> TarReading(Func<Stream, CancellationToken, LayerImportResult> import);

    /// <param name="layerTar">Path of the tar; its first bytes tell how it is compressed.</param>
    /// <param name="blockFile">What to make; nothing may have the name yet.</param>
    /// <param name="cimName">Name of the CIM in it.</param>
    /// <param name="parents">The block files of the layers below, nearest first; none for a base layer. Their hives lie in the folder <c>Hives</c> beside each.</param>
    /// <param name="cancellationToken">Stops, and leaves nothing behind.</param>
    public Task<(LayerImportResult Import, CommittedCim Cim)> RunAsync(
        string layerTar, string blockFile, string cimName, IReadOnlyList<string> parents, CancellationToken cancellationToken) =>
        ImportBlockAsync(FromFile(layerTar, cancellationToken), new BlockCim(blockFile, cimName), [.. parents.Select(BlockCim.Parse)], cancellationToken);

    /// <summary>As above, from a stream with the uncompressed tar, which is read to its end on a thread of its own.</summary>
    public Task<(LayerImportResult Import, CommittedCim Cim)> RunAsync(
        Stream tar, BlockCim layer, IReadOnlyList<BlockCim> parents, CancellationToken cancellationToken) =>
        ImportBlockAsync(FromStream(tar, cancellationToken), layer, parents, cancellationToken);

    /// <summary>The same into a standard CIM, which is forked from the parent's and holds all layers so far.</summary>
    /// <param name="layerTar">Path of the tar; its first bytes tell how it is compressed.</param>
    /// <param name="cimFile">The <c>.cim</c> file to make; nothing may have the name yet.</param>
    /// <param name="layerFolder">The layer's folder, which gets its hives; made where it is missing.</param>
    /// <param name="parentCim">The <c>.cim</c> file of the layer below, in the same directory; null for a base layer.</param>
    /// <param name="parentFolders">The layer folders below, nearest first.</param>
    /// <param name="cancellationToken">Stops, and leaves nothing behind.</param>
    public Task<(LayerImportResult Import, CommittedCim Cim)> RunForkedAsync(
        string layerTar, string cimFile, string layerFolder, string? parentCim, IReadOnlyList<string> parentFolders, CancellationToken cancellationToken) =>
        ImportForkedAsync(FromFile(layerTar, cancellationToken), cimFile, layerFolder, parentCim, parentFolders, cancellationToken);

    /// <summary>As above, from a stream with the uncompressed tar, which is read to its end on a thread of its own.</summary>
    public Task<(LayerImportResult Import, CommittedCim Cim)> RunForkedAsync(
        Stream tar, string cimFile, string layerFolder, string? parentCim, IReadOnlyList<string> parentFolders, CancellationToken cancellationToken) =>
        ImportForkedAsync(FromStream(tar, cancellationToken), cimFile, layerFolder, parentCim, parentFolders, cancellationToken);

    private TarReading FromFile(string layerTar, CancellationToken cancellationToken) =>
        import => LayerFile.ReadAsync(layerTar, limits, import, cancellationToken);

    private static TarReading FromStream(Stream tar, CancellationToken cancellationToken) =>
        import => OwnThread.RunAsync(() => import(tar, cancellationToken));

    private async Task<(LayerImportResult Import, CommittedCim Cim)> ImportBlockAsync(
        TarReading tar, BlockCim layer, IReadOnlyList<BlockCim> parents, CancellationToken cancellationToken)
    {
        ThrowIfDevice(layer.BlockFile);
        foreach (var parent in parents)
        {
            ThrowIfDevice(parent.BlockFile);
            backend.CheckSource(parent);
        }

        Directory.CreateDirectory(layer.Folder);
        using var cim = backend.Create(layer.BlockFile, layer.NameOrDefault, options);
        using var staged = new StagedLayer(layer.BlockFile, layer.Folder);
        return await ImportAsync(tar, cim, staged, [.. parents.Select(parent => parent.Folder)], cancellationToken);
    }

    private async Task<(LayerImportResult Import, CommittedCim Cim)> ImportForkedAsync(
        TarReading tar, string cimFile, string layerFolder, string? parentCim, IReadOnlyList<string> parentFolders, CancellationToken cancellationToken)
    {
        if (parentCim is null != (parentFolders.Count == 0))
        {
            throw new ConversionException("a layer has both a parent CIM and the layer folders below it, or neither");
        }

        var folder = Path.TrimEndingDirectorySeparator(Path.GetFullPath(layerFolder));
        using var cim = backend.CreateForked(cimFile, parentCim);
        using var staged = new StagedLayer(folder, folder);
        return await ImportAsync(tar, cim, staged, parentFolders, cancellationToken);
    }

    private async Task<(LayerImportResult Import, CommittedCim Cim)> ImportAsync(
        TarReading tar, ICimWriter cim, StagedLayer staged, IReadOnlyList<string> parentFolders, CancellationToken cancellationToken)
    {
        var importOptions = new LayerImportOptions { IsBase = parentFolders.Count == 0, LayerFolder = staged.Folder, Limits = limits, Logger = logger };
        var import = await tar((stream, token) => LayerImport.Run(stream, cim, importOptions, token));
        return (import, staged.Commit(cim, import.DeltaHives, parentFolders, hives, cancellationToken));
    }

    /// <summary>hcsshim refuses it, too.</summary>
    private static void ThrowIfDevice(string path)
    {
        if (BlockCim.IsDevice(path))
        {
            throw new ConversionException(
                $"layers cannot be imported into a block device, nor on top of one ('{path}'): a layer's registry hives must lie in a folder beside its block file, and a device has none");
        }
    }
}
