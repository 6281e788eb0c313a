using CimConvert.Cims;
using CimConvert.Layers;
using CimConvert.Plumbing;
using CimConvert.Sources;
using CimConvert.Store;
using Microsoft.Extensions.Logging;

namespace CimConvert.Pipeline;

/// <summary>
/// Brings one layer from its source into the store:
/// <c>there already? → claim → create the CIM → open the tar → import → verify → [parents are in] → hives → commit → publish</c>.
/// </summary>
internal sealed class LayerJob(
    LayerPlan plan, IImageSource source, ConversionStore store, ICimBackend backend, ConversionOptions options, ILogger logger)
{
    public LayerPlan Plan => plan;

    /// <summary>Whether the layer can only be imported when its parent is in the store: a forked CIM refers to its parent's.</summary>
    public bool NeedsParent => options.Forked && plan.Index > 0;

    /// <summary>There already? The layer as the store has it, if it was made with today's options.</summary>
    public StoredLayer? Find()
    {
        if (store.FindLayer(plan.ChainId) is not { } stored || !LayerFiles.IsAsWanted(stored, backend, options))
        {
            return null;
        }

        store.RemovePartial(plan.Blob.Digest);
        return stored;
    }

    /// <summary>Claims, downloads and imports the layer; null where another process finished it while this one waited for the claim.</summary>
    public async Task<ImportedLayer?> ImportAsync(CancellationToken cancellationToken)
    {
        var folder = await store.ClaimAsync(plan.ChainId, cancellationToken);
        LayerDownload? download = null;
        try
        {
            if (Find() is not null)
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

    /// <summary>Once its parents are in the store: merges the layer's hives with theirs, commits the CIM and publishes the layer.</summary>
    public StoredLayer Finish(ImportedLayer layer, CancellationToken cancellationToken)
    {
        plan.Progress.Stage = LayerStage.Sealing;
        using var clock = StageClock.Start("seal", plan.Index);
        var parents = plan.Parents.Select(store.LayerFolder).ToArray();
        var cim = LayerFinish.Run(layer.Cim, layer.Import.DeltaHives, layer.Folder.Path, parents, options.Hives, cancellationToken);
        var (file, cimFiles) = LayerFiles.Describe(cim, options, cancellationToken);
        var stored = store.Publish(layer.Folder, new LayerRecord
        {
            SourceDigest = plan.Blob.Digest,
            DiffId = plan.DiffId.Digest,
            ChainId = plan.ChainId.Digest,
            Parents = [.. plan.Parents.Select(parent => parent.Digest)],
            UncompressedSize = plan.Progress.Decompressed,
            FilesSize = layer.Import.Size,
            Image = file,
            CimFiles = cimFiles,
            Backend = backend.Name,
        });
        layer.Download.Finish();
        logger.LogInformation("{Layer}: sealed as {Path}", plan.Name, stored.ImagePath);
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
            var import = await tar.ReadToEndAsync((stream, token) => LayerImport.Run(stream, cim, importOptions, token));
            download.GiveBack();
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
