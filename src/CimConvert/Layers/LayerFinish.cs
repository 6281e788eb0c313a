using CimConvert.Cims;
using CimConvert.Layers.Hives;

namespace CimConvert.Layers;

/// <summary>
/// Finishes an imported layer when its parents are complete. Each hive that the layer changes is merged with its parents' and added to the
/// CIM and, for child layers, to the layer's folder; then the CIM is committed.
/// </summary>
internal static class LayerFinish
{
    /// <param name="cim">The layer's CIM, imported but not committed.</param>
    /// <param name="deltas">The hives whose deltas are in the layer's folder: <see cref="LayerImportResult.DeltaHives"/>.</param>
    /// <param name="layerFolder">
    /// The layer's folder, with the deltas in its folder <c>Hives</c>; the merged hives are written beside them.
    /// </param>
    /// <param name="parentFolders">The folders of all layers below, nearest first; empty for a base layer.</param>
    /// <param name="merger">Merges hives.</param>
    /// <param name="cancellationToken">Stops between the steps.</param>
    /// <returns>The committed CIM.</returns>
    /// <exception cref="LayerImportException">A hive cannot be merged; the message names it.</exception>
    public static CommittedCim Commit(
        ICimWriter cim,
        IReadOnlyList<RegistryHive> deltas,
        string layerFolder,
        IReadOnlyList<string> parentFolders,
        IHiveMerger merger,
        CancellationToken cancellationToken)
    {
        HiveMerging.Merge(cim, deltas, layerFolder, parentFolders, merger, cancellationToken);
        return cim.Commit(cancellationToken);
    }
}
