using CimConvert.Cims;
using CimConvert.Formats.Cim;
using CimConvert.Oci;
using CimConvert.Plumbing;
using CimConvert.Store;
using Microsoft.Extensions.Logging;

namespace CimConvert.Pipeline;

/// <summary>Merges an image's layers into one CIM beside the topmost, so that no container start has to.</summary>
internal sealed class MergeStep(ConversionStore store, ICimBackend backend, ConversionOptions options, ILogger logger)
{
    private const string BlockCimFile = "merged.bcim";
    private const string VhdFile = "merged.vhd";
    private const string CimName = "merged.cim";

    private string FileName => options.Image.VhdFooter ? VhdFile : BlockCimFile;

    /// <summary>The topmost layer with its merged CIM; an image of one layer has none, and forked CIMs need none.</summary>
    /// <returns>The topmost layer, and the bytes written.</returns>
    public async Task<(StoredLayer Top, long Written)> RunAsync(IReadOnlyList<LayerPlan> plans, IReadOnlyList<ConvertedLayer> layers, CancellationToken cancellationToken)
    {
        var top = layers[^1].Layer;
        Digest[] sources = [.. layers.Reverse().Select(l => l.Layer.Record.Image.Digest)];
        if (options.Forked || layers.Count == 1 || IsMerged(top, sources))
        {
            return (top, 0);
        }

        using var clock = StageClock.Start("merge", StageClock.WholeImage);
        using var folder = await store.ClaimAsync(top.ChainId, cancellationToken);
        if (store.FindLayer(top.ChainId) is { } now && IsMerged(now, sources))
        {
            return (now, 0);
        }

        var images = layers.Reverse().Select(l => new BlockCim(l.Layer.ImagePath, l.Layer.Record.Image.CimName)).ToArray();
        var merged = Merge(Path.Combine(folder.Path, FileName), images, plans, cancellationToken);
        var record = StoredLayer.Describe(merged, CimName, options.Image.VhdFooter, cancellationToken) with { Sources = sources };
        var stored = store.PublishMerged(top, folder, record);
        logger.LogInformation("merged {Count} layers into {Path}", layers.Count, stored.MergedPath);
        return (stored, record.Size);
    }

    private CommittedCim Merge(string path, BlockCim[] images, IReadOnlyList<LayerPlan> plans, CancellationToken cancellationToken)
    {
        try
        {
            return backend.Merge(path, CimName, images, options.Image, cancellationToken);
        }
        catch (InvalidDataException e) when (e.Data[CimMerge.SourceKey] is int source)
        {
            throw Failures.Of(plans[^(1 + source)].Name, e);
        }
    }

    /// <summary>A merged CIM says where in its sources the data lies: once one of them is made anew, it says so of something else.</summary>
    private bool IsMerged(StoredLayer top, Digest[] sources) =>
        top.Merged is { Sources: { } mergedFrom } merged
        && mergedFrom.SequenceEqual(sources)
        && merged.File == FileName
        && merged.VhdFooter == options.Image.VhdFooter
        && merged.IntegrityRoot is not null == options.Image.Integrity;
}
