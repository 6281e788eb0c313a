using CimConvert.Cims;
using CimConvert.Layers;
using CimConvert.Layers.Hives;
using CimConvert.Plumbing;
using CimConvert.Sources;
using CimConvert.Store;
using Microsoft.Extensions.Logging;

namespace CimConvert.Pipeline;

/// <summary>A layer that is read to its end and checked, but not committed: its parent may have to be first.</summary>
internal sealed class ImportedLayer(LayerPlan plan, IngestFolder folder, LayerDownload download, ICimWriter image, LayerImportResult result) : IDisposable
{
    public LayerPlan Plan => plan;

    public IngestFolder Folder => folder;

    public ICimWriter Image => image;

    public LayerImportResult Result => result;

    public LayerDownload Download => download;

    public void Dispose()
    {
        image.Dispose();
        download.Dispose();
        folder.Dispose();
    }
}

/// <summary>Brings single layers from their source into the store, in two steps: import, at any time, and seal, after the parent.</summary>
internal sealed class LayerConversion(
    IImageSource source, ConversionStore store, ICimBackend backend, ConversionOptions options, ILogger logger)
{
    private const string BlockCimFile = "layer.bcim";
    private const string VhdFile = "layer.vhd";
    private const string CimName = "layer.cim";

    /// <summary>Whether a layer can only be imported when its parent is in the store.</summary>
    public bool NeedsParent => options.Forked;

    private string FileName => options.Forked ? CimName : options.Image.VhdFooter ? VhdFile : BlockCimFile;

    /// <summary>The layer as the store has it, if it was made the way it is wanted now.</summary>
    public StoredLayer? Find(LayerPlan plan)
    {
        if (store.FindLayer(plan.ChainId) is not { } stored || !IsAsWanted(stored))
        {
            return null;
        }

        store.RemovePartial(plan.Blob.Digest);
        return stored;
    }

    /// <summary>Downloads and imports a layer; null where another process finished it while this one waited for it.</summary>
    public async Task<ImportedLayer?> ImportAsync(LayerPlan plan, CancellationToken cancellationToken)
    {
        var folder = await store.ClaimAsync(plan.ChainId, cancellationToken);
        LayerDownload? download = null;
        try
        {
            if (Find(plan) is not null)
            {
                folder.Dispose();
                return null;
            }

            options.Limits.Disk?.Check(plan.Blob.Size);
            download = new LayerDownload(source, store, plan, options.Limits, logger);
            using var turn = await download.WaitForImportAsync(cancellationToken);
            plan.Progress.Stage = LayerStage.Importing;
            Instruments.ActiveImports.Add(1);
            try
            {
                return await ImportAsync(plan, folder, download, cancellationToken);
            }
            finally
            {
                Instruments.ActiveImports.Add(-1);
                download.GiveBack();
            }
        }
        catch
        {
            download?.Dispose();
            folder.Dispose();
            throw;
        }
    }

    private async Task<ImportedLayer> ImportAsync(LayerPlan plan, IngestFolder folder, LayerDownload download, CancellationToken cancellationToken)
    {
        try
        {
            return await ImportOnceAsync(plan, folder, download, cancellationToken);
        }
        catch (Exception e) when (e is InvalidDataException or LayerImportException && download.TryStartOver(e))
        {
            folder.Clear();
            plan.Progress.Restart();
            return await ImportOnceAsync(plan, folder, download, cancellationToken);
        }
    }

    private async Task<ImportedLayer> ImportOnceAsync(LayerPlan plan, IngestFolder folder, LayerDownload download, CancellationToken cancellationToken)
    {
        var image = options.Forked
            ? ForkedLayer.Create(backend, Path.Combine(folder.Path, FileName), plan.Parents.Count == 0 ? null : Path.Combine(store.LayerFolder(plan.Parents[0]), FileName))
            : backend.Create(Path.Combine(folder.Path, FileName), CimName, options.Image);
        try
        {
            var importOptions = new LayerImportOptions { IsBase = plan.Index == 0, LayerFolder = folder.Path, Limits = options.Input, Logger = logger };
            var stream = new LayerStream(plan, download.OpenAsync, image.Digest, options.Input, options.Limits.Disk);
            var result = await stream.RunAsync((tar, token) => LayerImport.Run(tar, image, importOptions, token), cancellationToken);
            logger.LogInformation("{Layer}: imported {Entries} entries, {Bytes} bytes", plan.Name, result.Entries, plan.Progress.Decompressed);
            return new ImportedLayer(plan, folder, download, image, result);
        }
        catch
        {
            image.Dispose();
            throw;
        }
    }

    /// <summary>Merges the layer's hives with those below, commits the image and moves the layer to its place in the store.</summary>
    public StoredLayer Seal(ImportedLayer layer, CancellationToken cancellationToken)
    {
        var plan = layer.Plan;
        plan.Progress.Stage = LayerStage.Sealing;
        using var clock = StageClock.Start("seal", plan.Index);
        if (plan.Parents.Count > 0)
        {
            var parentFolders = plan.Parents.Select(store.LayerFolder).ToArray();
            new HiveMerging(options.Hives).Run(layer.Folder.Path, layer.Result.DeltaHives, parentFolders, layer.Image, cancellationToken);
        }

        var image = layer.Image.Commit(cancellationToken);
        var (file, regionFiles) = options.Forked
            ? ForkedLayer.Finish(image, CimName, cancellationToken)
            : (StoredLayer.Describe(image, CimName, options.Image.VhdFooter, cancellationToken), null);
        var record = new LayerRecord
        {
            SourceDigest = plan.Blob.Digest,
            DiffId = plan.DiffId.Digest,
            ChainId = plan.ChainId.Digest,
            Parents = [.. plan.Parents.Select(p => p.Digest)],
            UncompressedSize = plan.Progress.Decompressed,
            FilesSize = layer.Result.Size,
            Cim = file,
            RegionFiles = regionFiles,
            Backend = backend.Name,
        };
        var stored = store.Publish(layer.Folder, record);
        layer.Download.Finish();
        logger.LogInformation("{Layer}: sealed as {Path}", plan.Name, stored.CimFile);
        plan.Progress.Stage = LayerStage.Done;
        return stored;
    }

    private bool IsAsWanted(StoredLayer stored) =>
        stored.Record.Backend == backend.Name
        && stored.Record.Cim.File == FileName
        && stored.Record.Cim.VhdFooter == options.Image.VhdFooter
        && stored.Record.Cim.IntegrityRoot is not null == options.Image.Integrity;
}
