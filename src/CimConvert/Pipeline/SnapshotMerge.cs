using CimConvert.Cims;
using CimConvert.Containerd;
using CimConvert.Oci;
using CimConvert.Plumbing;
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

    /// <returns>Bytes written: 0 if there is nothing to merge, or it was done before.</returns>
    public async Task<long> RunAsync(ChainId top, CancellationToken cancellationToken)
    {
        using var clock = StageClock.Start("merge", StageClock.WholeImage);

        // Not by two processes at once.
        using var claim = await target.Ingest.ClaimAsync(top, cancellationToken);
        var written = 0L;
        await snapshotter.LocateAsync(top, above => written = Merge(above, cancellationToken), cancellationToken);
        return written;
    }

    private long Merge(SnapshotMount above, CancellationToken cancellationToken)
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

        var options = SnapshotImport.OptionsOf(above);
        var sources = above.ParentCims.Select(cim => new BlockCim(cim.Path, cim.Name)).ToArray();
        var merged = target.SelectBackend(options).Merge(file, CimName, sources, options, cancellationToken);
        logger.LogInformation("merged {Count} layers into {Path}", sources.Length, merged.Path);
        return merged.Size;
    }
}
