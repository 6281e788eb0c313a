using CimConvert.Cims;
using CimConvert.Formats.Windows;

namespace CimConvert.Layers.Hives;

/// <summary>
/// Merges the hives that a layer changes with those of the layers below, and adds each to the layer's CIM and folder.
/// </summary>
/// <remarks>
/// Hives are parsed only here. A base layer's hives are stored unread, because only a merge reads them: an invalid hive is an error of the
/// first layer that changes it, and of no image that does not.
/// </remarks>
internal static class HiveMerging
{
    /// <summary>Adds the merged hives to a CIM that is imported but not committed; parameters and errors are those of <see cref="LayerFinish.Commit"/>.</summary>
    public static void Merge(
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
