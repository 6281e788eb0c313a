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
    /// <summary>Merges the layers, unless it was done before.</summary>
    /// <returns>The topmost layer, and the bytes written.</returns>
    public Task<(StoredLayer Top, long Written)> RunAsync(IReadOnlyList<LayerPlan> plans, IReadOnlyList<ConvertedLayer> layers, CancellationToken cancellationToken) =>
        OnceAsync(store, options, layers, folder => Task.FromResult(Merge(plans, layers, folder, cancellationToken)), cancellationToken);

    /// <summary>
    /// Puts a merged CIM beside the topmost layer, unless one of these layers is there. An image of one layer has no merged CIM, and forked
    /// CIMs need none.
    /// </summary>
    /// <param name="store">Has the layers.</param>
    /// <param name="options">The form of the merged CIM.</param>
    /// <param name="layers">Base first.</param>
    /// <param name="make">Makes it in a folder, and gives its record, whose sources need not be set.</param>
    /// <param name="cancellationToken">Ends the waiting for the claim.</param>
    /// <returns>The topmost layer, and the bytes written.</returns>
    public static async Task<(StoredLayer Top, long Written)> OnceAsync(
        ConversionStore store, ConversionOptions options, IReadOnlyList<ConvertedLayer> layers, Func<string, Task<FileRecord>> make, CancellationToken cancellationToken)
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

        var record = await make(folder.Path) with { Sources = sources };
        var stored = store.PublishMerged(top, folder, record);
        Instruments.Written.Add(record.Size);
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
    private static bool IsMerged(StoredLayer top, Digest[] sources, BlockCimOptions options) =>
        top.Merged is { Sources: { } mergedFrom } merged
        && mergedFrom.SequenceEqual(sources)
        && merged.File == StoreFileNames.Merged(options.VhdFooter)
        && merged.VhdFooter == options.VhdFooter
        && merged.IntegrityRoot is not null == options.Integrity;

    /// <summary>The digests of the layers' block files, topmost first.</summary>
    public static Digest[] SourcesOf(IReadOnlyList<ConvertedLayer> layers) => [.. layers.Reverse().Select(l => l.Layer.Record.Cim.Digest)];

    private FileRecord Merge(IReadOnlyList<LayerPlan> plans, IReadOnlyList<ConvertedLayer> layers, string folder, CancellationToken cancellationToken)
    {
        var file = Path.Combine(folder, StoreFileNames.Merged(options.Block.VhdFooter));
        var sources = layers.Reverse().Select(l => new BlockCim(l.Layer.CimFile, l.Layer.Record.Cim.CimName)).ToArray();
        var merged = Merge(plans, () => backend.Merge(file, StoreFileNames.MergedCim, sources, options.Block, cancellationToken));
        logger.LogInformation("merged {Count} layers into {File}", layers.Count, Path.GetFileName(file));
        return StoredLayer.Describe(merged, StoreFileNames.MergedCim, options.Block.VhdFooter, cancellationToken);
    }
}
