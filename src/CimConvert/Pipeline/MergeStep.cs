using CimConvert.Cims;
using CimConvert.Formats.Cim;
using CimConvert.Oci;
using CimConvert.Plumbing;
using CimConvert.Store;
using Microsoft.Extensions.Logging;

namespace CimConvert.Pipeline;

/// <summary>Merges the block CIMs of an image's layers into one CIM beside the topmost, so that no container start has to.</summary>
internal sealed class MergeStep(ConversionStore store, ICimBackend backend, ConversionOptions options, ILogger logger)
{
    private string FileName => StoreFileNames.Merged(options.Block.VhdFooter);

    /// <summary>Merges the layers, unless it was done before. An image of one layer has no merged CIM, and forked CIMs need none.</summary>
    /// <returns>The topmost layer, and the bytes written.</returns>
    public async Task<(StoredLayer Top, long Written)> RunAsync(IReadOnlyList<LayerPlan> plans, IReadOnlyList<ConvertedLayer> layers, CancellationToken cancellationToken)
    {
        var top = layers[^1].Layer;
        var sources = SourcesOf(layers);
        if (options.Forked || layers.Count == 1 || IsMerged(top, sources, options.Block))
        {
            return (top, 0);
        }

        using var clock = StageClock.Start("merge", StageClock.WholeImage);
        using var folder = await store.Ingest.ClaimAsync(top.ChainId, cancellationToken);
        if (store.FindLayer(top.ChainId) is { } now && IsMerged(now, sources, options.Block))
        {
            return (now, 0);
        }

        var sourceCims = layers.Reverse().Select(l => new BlockCim(l.Layer.CimFile, l.Layer.Record.Cim.CimName)).ToArray();
        var merged = Merge(plans, () => backend.Merge(Path.Combine(folder.Path, FileName), StoreFileNames.MergedCim, sourceCims, options.Block, cancellationToken));
        var record = StoredLayer.Describe(merged, StoreFileNames.MergedCim, options.Block.VhdFooter, cancellationToken) with { Sources = sources };
        var stored = store.PublishMerged(top, folder, record);
        logger.LogInformation("merged {Count} layers into {Path}", layers.Count, stored.MergedFile);
        return (stored, record.Size);
    }

    /// <summary>Merges the block CIMs of an image's layers; a failure names the layer that is at fault.</summary>
    /// <param name="plans">The layers, base first.</param>
    /// <param name="merge">Merges their CIMs, topmost first.</param>
    public static CommittedCim Merge(IReadOnlyList<LayerPlan> plans, Func<CommittedCim> merge)
    {
        try
        {
            return merge();
        }
        catch (InvalidDataException e) when (e.Data[CimMerge.SourceKey] is int source)
        {
            throw Failures.Of(plans[^(1 + source)].Name, e);
        }
    }

    /// <summary>
    /// Whether the topmost layer has a merged CIM of exactly these sources. A merged CIM has offsets into its sources, which are wrong once
    /// a source is made again.
    /// </summary>
    public static bool IsMerged(StoredLayer top, Digest[] sources, BlockCimOptions options) =>
        top.Merged is { Sources: { } mergedFrom } merged
        && mergedFrom.SequenceEqual(sources)
        && merged.File == StoreFileNames.Merged(options.VhdFooter)
        && merged.VhdFooter == options.VhdFooter
        && merged.IntegrityRoot is not null == options.Integrity;

    /// <summary>The digests of the layers' block files, topmost first.</summary>
    public static Digest[] SourcesOf(IReadOnlyList<ConvertedLayer> layers) => [.. layers.Reverse().Select(l => l.Layer.Record.Cim.Digest)];
}
