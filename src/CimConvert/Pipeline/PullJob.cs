using CimConvert.Plumbing;
using CimConvert.Publishing;
using CimConvert.Sources;
using CimConvert.Store;
using Microsoft.Extensions.Logging;

namespace CimConvert.Pipeline;

/// <summary>
/// Takes one layer of a converted image into the store: <c>there already? → claim → download, decompress and verify its files → hives →
/// publish</c>. The layer's folder becomes what a conversion makes of it.
/// </summary>
/// <param name="layer">What the manifest says of it.</param>
/// <param name="files">For each of the layer's files, where it is and how far it is.</param>
/// <param name="source">Where the files are.</param>
/// <param name="store">Gets the layer.</param>
/// <param name="options">The form, and limits.</param>
/// <param name="logger">Told of what is done.</param>
internal sealed class PullJob(
    ConvertedContentLayer layer, IReadOnlyList<LayerPlan> files, IImageSource source, ConversionStore store, ConversionOptions options, ILogger logger)
{
    /// <summary>Its CIM's file, which is the last.</summary>
    public LayerPlan Plan => files[^1];

    private LayerRecord Record => layer.Record;

    /// <summary>Takes the layer, unless it is in the store as it is wanted. The layer below a forked one must be there.</summary>
    public async Task<ConvertedLayer> RunAsync(CancellationToken cancellationToken)
    {
        if (Find() is { } there)
        {
            return Reuse(there);
        }

        // The claim of one layer, and nothing else is waited for meanwhile: processes cannot wait for one another in a circle.
        using var folder = await store.Ingest.ClaimAsync(Plan.ChainId, cancellationToken);
        if (Find() is { } made)
        {
            return Reuse(made);
        }

        options.Limits.Disk?.Check(layer.Files.Sum(file => file.Size));
        if (options.Forked && Plan.Parents.Count > 0)
        {
            var parent = store.FindLayer(Plan.Parents[0]) ?? throw new ConversionException("another process replaced the layer below it a moment ago: run the same command again");
            ForkedLayer.LinkRegions(parent.CimFile, folder.Path);
        }

        var downloads = new List<LayerDownload>();
        try
        {
            foreach (var (file, plan) in layer.Files.Zip(files))
            {
                downloads.Add(await ConvertedDownload.RunAsync(file, plan, folder.Path, source, store.Ingest, options, logger, cancellationToken));
            }

            await OwnThread.RunAsync(() =>
            {
                Plan.Progress.Stage = LayerStage.Sealing;
                ConvertedLayerFolder.Complete(layer, folder.Path, cancellationToken);
            });
            var stored = store.Publish(folder, Record);
            downloads.ForEach(download => download.Finish());
            Done(stored);
            return new ConvertedLayer(stored, Reused: false);
        }
        finally
        {
            downloads.ForEach(download => download.Dispose());
        }
    }

    /// <summary>
    /// Finds the layer in the store, if it has the wanted form. Of a forked one the layers above use the very regions, which differ from
    /// conversion to conversion where Windows writes them.
    /// </summary>
    private StoredLayer? Find() =>
        store.FindLayer(Plan.ChainId) is { } stored
        && LayerFiles.IsAsWanted(stored, Record.Backend, options)
        && (!options.Forked || stored.Record.Cim.Digest == Record.Cim.Digest)
            ? stored
            : null;

    private ConvertedLayer Reuse(StoredLayer stored)
    {
        foreach (var plan in files)
        {
            plan.Progress.Stage = LayerStage.Reused;
            store.Ingest.RemovePartial(plan.Blob.Digest);
        }

        Instruments.Layers.Add(1, Instruments.Result("reused"));
        logger.LogInformation("{Layer}: already in the store", Plan.Name);
        return new ConvertedLayer(stored, Reused: true);
    }

    private void Done(StoredLayer stored)
    {
        foreach (var plan in files)
        {
            plan.Progress.Stage = LayerStage.Done;
        }

        Instruments.Layers.Add(1, Instruments.Result("pulled"));
        Instruments.Written.Add(stored.Size);
        logger.LogInformation("{Layer}: pulled as {Path}", Plan.Name, stored.CimFile);
    }
}
