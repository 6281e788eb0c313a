using CimConvert.Cims;
using CimConvert.Formats.Windows;
using CimConvert.Layers.Hives;

namespace CimConvert.Layers;

/// <summary>
/// Finishes an imported layer once its parents are complete: a layer that changes registry hives gets each of them whole, merged
/// with its parents', in its CIM and on disk, where its own children find them; then the CIM is committed.
/// </summary>
/// <remarks>
/// Hives are read only here. A base layer's are taken as they are: nothing but a merge reads them, so one that is no
/// valid hive is an error of the first layer that changes it, and of no image that does not.
/// </remarks>
internal static class LayerFinish
{
    /// <param name="cim">The layer's CIM, imported and not committed.</param>
    /// <param name="deltas">The hives whose deltas lie in the layer's folder: <see cref="LayerImportResult.DeltaHives"/>.</param>
    /// <param name="layerFolder">The layer's folder, with the deltas in <c>Hives</c>; the merged hives go beside them.</param>
    /// <param name="parentFolders">Folders of all layers below, nearest first; none for a base layer.</param>
    /// <param name="merger">Merges hives.</param>
    /// <param name="cancellationToken">Stops between the steps.</param>
    /// <returns>The CIM under its name.</returns>
    /// <exception cref="LayerImportException">A hive cannot be merged; the message names it.</exception>
    public static CommittedCim Run(
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

    /// <summary>The first half of <see cref="Run"/>, for who has something to do before the CIM gets its name.</summary>
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
    /// The hive as the layers below leave it. A layer that does not change it has none, and is passed over: hcsshim looks
    /// at the parent only, and fails above such a layer.
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
                // Passed over, its changes would be lost without a word.
                throw new InvalidDataException($"'{folder}' has '{hive.DeltaPath}' but not the merged '{hive.BasePath}': make that layer anew");
            }
        }

        throw new InvalidDataException($"none of the {parentFolders.Count} has '{hive.BasePath}' beside its image");
    }
}
