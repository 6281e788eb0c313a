using Converter.Core.Imaging;
using Converter.Core.Layers;
using Converter.Core.Oci;
using Converter.Core.Sources;
using Converter.Core.Store;
using Microsoft.Extensions.Logging;

namespace Converter.Core.Pipeline;

/// <summary>A layer that is read to its end and checked, but not committed: its parent may have to be first.</summary>
internal sealed class ImportedLayer(LayerPlan plan, IngestFolder folder, PartialBlob? download, IImageWriter image, LayerImportResult result) : IDisposable
{
    public LayerPlan Plan => plan;

    public IngestFolder Folder => folder;

    public IImageWriter Image => image;

    public LayerImportResult Result => result;

    public void Dispose()
    {
        image.Dispose();
        download?.Dispose();
        folder.Dispose();
    }

    /// <summary>Says that the layer is in the store: what was downloaded for it may go.</summary>
    public void Finish()
    {
        if (download is not null)
        {
            download.Remove = true;
        }
    }
}

/// <summary>Brings single layers from their source into the store, in two steps: import, at any time, and seal, after the parent.</summary>
internal sealed class LayerConversion(
    IImageSource source, ConversionStore store, IImageBackend backend, ConversionOptions options, ILogger logger)
{
    /// <summary>Of smaller blobs nothing is kept for a next run: they are fetched again in no time.</summary>
    private const long SmallestResumed = 4 << 20;

    private const string BlockCimFile = "layer.bcim";
    private const string VhdFile = "layer.vhd";
    private const string CimName = "layer.cim";

    private string FileName => options.Image.VhdFooter ? VhdFile : BlockCimFile;

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
    public async Task<ImportedLayer?> ImportAsync(LayerPlan plan, CancellationToken cancellation)
    {
        var folder = await store.ClaimAsync(plan.ChainId, cancellation);
        PartialBlob? download = null;
        try
        {
            if (Find(plan) is not null)
            {
                folder.Dispose();
                return null;
            }

            plan.Progress.Stage = LayerStage.Importing;
            download = source.IsRemote && plan.Blob.Size >= SmallestResumed ? store.TryOpenPartial(plan.Blob.Digest) : null;
            if (download?.Resumed > plan.Blob.Size)
            {
                download.Clear();
            }

            if (download?.Resumed > 0)
            {
                logger.LogInformation("{Layer}: {Bytes} of {Size} bytes are here from an earlier run", plan.Name, download.Resumed, plan.Blob.Size);
            }

            return await ImportAsync(plan, folder, download, cancellation);
        }
        catch
        {
            download?.Dispose();
            folder.Dispose();
            throw;
        }
    }

    private async Task<ImportedLayer> ImportAsync(LayerPlan plan, IngestFolder folder, PartialBlob? download, CancellationToken cancellation)
    {
        try
        {
            return await ImportOnceAsync(plan, folder, download, cancellation);
        }
        catch (Exception e) when (download?.Resumed > 0 && e is InvalidDataException or LayerImportException)
        {
            // The earlier run's bytes may be what is wrong, as after a power failure; the registry has the right ones.
            logger.LogWarning("{Layer}: what an earlier run left of it is damaged ({Reason}); downloading it anew", plan.Name, e.Message);
            download!.Clear();
            folder.Clear();
            plan.Progress.Restart();
            return await ImportOnceAsync(plan, folder, download, cancellation);
        }
    }

    private async Task<ImportedLayer> ImportOnceAsync(LayerPlan plan, IngestFolder folder, PartialBlob? download, CancellationToken cancellation)
    {
        var image = backend.Create(Path.Combine(folder.Path, FileName), CimName, options.Image);
        try
        {
            var importOptions = new LayerImportOptions { IsBase = plan.Index == 0, LayerFolder = folder.Path, Logger = logger };
            var stream = new LayerStream(plan, token => OpenAsync(plan.Blob, download, token));
            var result = await stream.RunAsync((tar, token) => LayerImport.Run(tar, image, importOptions, token), cancellation);
            logger.LogInformation("{Layer}: imported {Entries} entries, {Bytes} bytes", plan.Name, result.Entries, plan.Progress.Decompressed);
            return new ImportedLayer(plan, folder, download, image, result);
        }
        catch
        {
            image.Dispose();
            throw;
        }
    }

    private Task<Stream> OpenAsync(Descriptor blob, PartialBlob? download, CancellationToken cancellation) => download is null
        ? source.OpenBlobAsync(blob, offset: 0, cancellation)
        : Task.FromResult<Stream>(new ResumableBlob(source, blob, download, cancellation));

    /// <summary>Merges the layer's hives with those below, commits the image and moves the layer to its place in the store.</summary>
    public StoredLayer Seal(ImportedLayer layer, CancellationToken cancellation)
    {
        var plan = layer.Plan;
        plan.Progress.Stage = LayerStage.Sealing;
        if (plan.Parents.Count > 0)
        {
            var parentFolders = plan.Parents.Select(store.LayerFolder).ToArray();
            new HiveMerging(options.Hives).Run(layer.Folder.Path, layer.Result.DeltaHives, parentFolders, layer.Image, cancellation);
        }

        var image = layer.Image.Commit(cancellation);
        var record = new LayerRecord
        {
            SourceDigest = plan.Blob.Digest,
            DiffId = plan.DiffId.Digest,
            ChainId = plan.ChainId.Digest,
            Parents = [.. plan.Parents.Select(p => p.Digest)],
            UncompressedSize = plan.Progress.Decompressed,
            FilesSize = layer.Result.Size,
            Image = StoredLayer.Describe(image, CimName, options.Image.VhdFooter, cancellation),
            Backend = backend.Name,
        };
        var stored = store.Publish(layer.Folder, record);
        layer.Finish();
        logger.LogInformation("{Layer}: sealed as {Path}", plan.Name, stored.ImagePath);
        plan.Progress.Stage = LayerStage.Done;
        return stored;
    }

    private bool IsAsWanted(StoredLayer stored) =>
        stored.Record.Backend == backend.Name
        && stored.Record.Image.File == FileName
        && stored.Record.Image.VhdFooter == options.Image.VhdFooter
        && stored.Record.Image.IntegrityRoot is not null == options.Image.Integrity;
}
