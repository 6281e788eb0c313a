using CimConvert.Cims;
using CimConvert.Layers;
using CimConvert.Plumbing;
using CimConvert.Sources;
using CimConvert.Store;
using Microsoft.Extensions.Logging;

namespace CimConvert.Pipeline;

/// <summary>
/// Converts one layer into the store: <c>there already? → claim → create the CIM → open the tar → import → verify → [parents are in] →
/// hives → commit → publish</c>.
/// </summary>
internal sealed class LayerJob(
    LayerPlan plan, IImageSource source, ConversionStore store, ICimBackend backend, ConversionOptions options, ILogger logger)
{
    public LayerPlan Plan => plan;

    /// <summary>
    /// Whether the layer can be imported only when its parent is in the store, because a forked CIM refers to its parent's files.
    /// </summary>
    public bool NeedsParent => options.Forked && plan.Index > 0;

    /// <summary>Finds the layer in the store, if it was made with the same options; null if not.</summary>
    public StoredLayer? Find()
    {
        if (store.FindLayer(plan.ChainId) is not { } stored || !LayerFiles.IsAsWanted(stored, backend.Name, options))
        {
            return null;
        }

        store.Ingest.RemovePartial(plan.Blob.Digest);
        return stored;
    }

    /// <summary>Claims, downloads and imports the layer. Null if another process finished it while this one waited for the claim.</summary>
    public async Task<ImportedLayer?> ImportAsync(CancellationToken cancellationToken)
    {
        var folder = await store.Ingest.ClaimAsync(plan.ChainId, cancellationToken);
        LayerDownload? download = null;
        try
        {
            if (Find() is not null)
            {
                folder.Dispose();
                return null;
            }

            options.Limits.Disk?.Check(plan.Blob.Size);
            download = new LayerDownload(source, store.Ingest, plan, options.Limits, logger);
            using var slot = await download.WaitForImportAsync(cancellationToken);
            plan.Progress.Stage = LayerStage.Importing;
            Instruments.ActiveImports.Add(1);
            try
            {
                return await ImportAsync(folder, download, cancellationToken);
            }
            catch (Exception e) when (e is InvalidDataException or LayerImportException && download.TryStartOver(e))
            {
                folder.Clear();
                plan.Progress.Restart();
                return await ImportAsync(folder, download, cancellationToken);
            }
            finally
            {
                Instruments.ActiveImports.Add(-1);
            }
        }
        catch
        {
            download?.Dispose();
            folder.Dispose();
            throw;
        }
    }

    /// <summary>Merges the layer's hives with its parents', which must be in the store, commits the CIM, and publishes the layer.</summary>
    public StoredLayer Finish(ImportedLayer layer, CancellationToken cancellationToken)
    {
        plan.Progress.Stage = LayerStage.Sealing;
        using var clock = StageClock.Start("seal", plan.Index);
        var parents = plan.Parents.Select(store.LayerFolder).ToArray();
        var cim = LayerFinish.Commit(layer.Cim, layer.Import.DeltaHives, layer.Folder.Path, parents, options.Hives, cancellationToken);
        var (file, regionFiles) = LayerFiles.Describe(cim, options, cancellationToken);
        var stored = store.Publish(layer.Folder, new LayerRecord
        {
            SourceDigest = plan.Blob.Digest,
            DiffId = plan.DiffId.Digest,
            ChainId = plan.ChainId.Digest,
            Parents = [.. plan.Parents.Select(parent => parent.Digest)],
            UncompressedSize = plan.Progress.Decompressed,
            FilesSize = layer.Import.Size,
            Cim = file,
            RegionFiles = regionFiles,
            Backend = backend.Name,
        });
        layer.Download.Finish();
        logger.LogInformation("{Layer}: sealed as {Path}", plan.Name, stored.CimFile);
        plan.Progress.Stage = LayerStage.Done;
        return stored;
    }

    private async Task<ImportedLayer> ImportAsync(IngestFolder folder, LayerDownload download, CancellationToken cancellationToken)
    {
        var parent = plan.Parents.Count == 0 ? null : store.LayerFolder(plan.Parents[0]);
        var cim = LayerFiles.Create(backend, folder.Path, parent, options);
        try
        {
            await using var tar = new LayerTar(plan, download, options.Input, options.Limits.Disk, cancellationToken);
            var importOptions = new LayerImportOptions { IsBase = plan.Index == 0, LayerFolder = folder.Path, Limits = options.Input, Logger = logger };
            var import = await tar.ReadToEndAsync((stream, token) => LayerImport.Import(stream, cim, importOptions, token));
            download.ReleaseSlot();
            logger.LogInformation("{Layer}: imported {Entries} entries, {Bytes} bytes", plan.Name, import.Entries, plan.Progress.Decompressed);
            return new ImportedLayer(folder, download, cim, import);
        }
        catch
        {
            cim.Dispose();
            throw;
        }
    }
}
