using CimConvert.Cims;
using CimConvert.Containerd;
using CimConvert.Plumbing;
using CimConvert.Storage;
using Microsoft.Extensions.Logging;

namespace CimConvert.Pipeline;

/// <summary>
/// Merges an image's block CIMs beside its topmost layer, where the snapshotter looks for them when a container starts. It looks at the
/// name alone, so the merged CIM gets it by a rename.
/// </summary>
internal sealed class SnapshotMerge(ContainerdTarget target, Snapshotter snapshotter, ILogger logger)
{
    private const string FileName = "merged.vhd";
    private const string CimName = "merged.cim";

    /// <param name="plans">The layers, base first.</param>
    /// <param name="cancellationToken">Stops the merge, which leaves nothing.</param>
    /// <returns>Bytes written: 0 if there is nothing to merge, or it was done before.</returns>
    public async Task<long> RunAsync(IReadOnlyList<LayerPlan> plans, CancellationToken cancellationToken)
    {
        using var clock = StageClock.Start("merge", StageClock.WholeImage);

        // The key that locates the layer is for one process at a time.
        using var claim = await target.Ingest.ClaimAsync(plans[^1].ChainId, cancellationToken);
        var written = 0L;
        await snapshotter.LocateAsync(plans[^1].ChainId, async above => written = await MergeAsync(above, plans, cancellationToken), cancellationToken);
        return written;
    }

    private async Task<long> MergeAsync(SnapshotMount above, IReadOnlyList<LayerPlan> plans, CancellationToken cancellationToken)
    {
        if (above.Kind != MountKind.BlockCim || above.ParentCims.Count < 2)
        {
            return 0;
        }

        var file = Path.Combine(above.ParentFolders[0], FileName);
        if (File.Exists(file))
        {
            return 0;
        }

        // Processes with other state folders do not see this one's claims.
        using var only = await FileLock.TakeAsync(file + FileLock.Suffix, cancellationToken);
        if (File.Exists(file))
        {
            return 0;
        }

        var options = SnapshotImport.OptionsOf(above);
        var sources = above.ParentCims.Select(cim => new BlockCim(cim.Path, cim.Name)).ToArray();
        var merged = MergeStep.Merge(plans, () => target.SelectBackend(options).Merge(file, CimName, sources, options, cancellationToken));
        logger.LogInformation("merged {Count} layers into {Path}", sources.Length, merged.Path);
        return merged.Size;
    }
}
