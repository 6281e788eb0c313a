using CimConvert.Cims;
using CimConvert.Formats.Windows;

namespace CimConvert.Layers.Hives;

/// <summary>
/// What a layer with parents gets besides its tar: for each hive it changes, the whole hive as it is with the change, in the
/// image and on disk, where its own children find it (shared reference, windows-layers.md, "Import").
/// </summary>
/// <remarks>
/// Hives are looked at only here. A base layer's are taken as they are: nothing but a merge reads them, so one that is no
/// valid hive is an error of the first layer that changes it, and of no image that does not.
/// </remarks>
internal sealed class HiveMerging(IHiveMerger merger)
{
    /// <summary>Merges, after the layer's import and before its image is committed; the parents are complete by now.</summary>
    /// <param name="layerFolder">The layer's folder, with its deltas in <c>Hives</c>.</param>
    /// <param name="deltas">The hives it has deltas of: <see cref="LayerImportResult.DeltaHives"/>.</param>
    /// <param name="parentFolders">Folders of all layers below, nearest first.</param>
    /// <param name="image">Takes the merged hives, as its last files.</param>
    /// <param name="cancellationToken">Stops between the steps.</param>
    /// <exception cref="LayerImportException">A hive cannot be merged; the message names it.</exception>
    public void Run(
        string layerFolder,
        IReadOnlyList<RegistryHive> deltas,
        IReadOnlyList<string> parentFolders,
        ICimWriter image,
        CancellationToken cancellationToken)
    {
        foreach (var hive in deltas)
        {
            var merged = hive.BaseFile(layerFolder);
            try
            {
                merger.Merge([Nearest(hive, parentFolders), hive.DeltaFile(layerFolder)], merged, cancellationToken);
                Add(hive, merged, image, cancellationToken);
            }
            catch (InvalidDataException wrong)
            {
                throw new LayerImportException($"registry hive {hive.Name} cannot be merged with that of the layers below: {wrong.Message}", wrong);
            }
        }
    }

    /// <summary>
    /// The hive as the layers below leave it. A layer that does not change it has none, and is passed over: the reference looks
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

    private static void Add(RegistryHive hive, string file, ICimWriter image, CancellationToken cancellationToken)
    {
        using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0, FileOptions.SequentialScan);
        CimFiles.Add(image, hive.BasePath, EntryMetadata.Made(Win32Attributes.Normal, stream.Length), stream, cancellationToken);
    }
}
