using CimConvert.Cims;
using CimConvert.Formats.Windows;
using CimConvert.Layers.Hives;

namespace CimConvert.Layers;

/// <summary>
/// Finishes an imported layer when its parents are complete. Each hive that the layer changes is merged with its parents' and added to the
/// CIM and, for child layers, to the layer's folder; then the CIM is committed.
/// </summary>
/// <remarks>
/// Hives are parsed only here. A base layer's hives are stored unread, because only a merge reads them: an invalid hive is an error of the
/// first layer that changes it, and of no image that does not.
/// </remarks>
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
        MergeHives(cim, deltas, layerFolder, parentFolders, merger, cancellationToken);
        return cim.Commit(cancellationToken);
    }

    /// <summary>Merges the hives as <see cref="Commit"/> does, for callers that have more to do before the commit.</summary>
    public static void MergeHives(
        ICimWriter cim,
        IReadOnlyList<RegistryHive> deltas,
        string layerFolder,
        IReadOnlyList<string> parentFolders,
        IHiveMerger merger,
        CancellationToken cancellationToken)
    {
        foreach (var hive in parentFolders.Count > 0 ? deltas : [])
        {
            var merged = hive.BaseFile(layerFolder);
            try
            {
                merger.Merge([Nearest(hive, parentFolders), hive.DeltaFile(layerFolder)], merged, cancellationToken);
                using var stream = new FileStream(merged, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0, FileOptions.SequentialScan);
                CimFiles.Add(cim, hive.BasePath, EntryMetadata.Made(Win32Attributes.Normal, stream.Length), stream, cancellationToken);
            }
            catch (InvalidDataException e)
            {
                throw new LayerImportException($"registry hive {hive.Name} cannot be merged with that of the layers below: {e.Message}", e);
            }
        }
    }

    /// <summary>
    /// The hive of the nearest layer below that has one. A layer that does not change a hive has none and is skipped; hcsshim looks at the
    /// direct parent only, and fails above such a layer.
    /// </summary>
    private static string Nearest(RegistryHive hive, IReadOnlyList<string> parentFolders)
    {
        foreach (var folder in parentFolders)
        {
            var whole = hive.BaseFile(folder);
            if (File.Exists(whole))
            {
                return whole;
            }

            if (File.Exists(hive.DeltaFile(folder)))
            {
                // If this layer were skipped, its changes would be lost silently.
                throw new InvalidDataException($"'{folder}' has '{hive.DeltaPath}' but not the merged '{hive.BasePath}': import that layer again");
            }
        }

        throw new InvalidDataException($"none of the {parentFolders.Count} has '{hive.BasePath}' beside its CIM");
    }
}
