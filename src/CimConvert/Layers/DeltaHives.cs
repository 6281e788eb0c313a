using CimConvert.Layers.Hives;

namespace CimConvert.Layers;

/// <summary>
/// The delta hives in a layer's tar, and the names of the merged hives, which are added to the CIM when the parents are complete.
/// </summary>
internal sealed class DeltaHives(LayerCim cim, PendingWork pending, StagingFolder staging)
{
    /// <summary>Keeps the layer's hives in the layer's folder, and reserves the merged hives' names while the layer's names are known.</summary>
    /// <param name="isBase">Whether the layer has no parents: then its base hives are kept, too.</param>
    /// <returns>The hives that the layer has deltas of.</returns>
    /// <exception cref="LayerImportException">The tar has something else by the name of a merged hive.</exception>
    public IReadOnlyList<RegistryHive> Keep(bool isBase)
    {
        var deltas = RegistryHive.All.Where(hive => pending.TryGetStandardFile(hive.DeltaPath, out _)).ToList();
        var bases = isBase ? RegistryHive.All.Select(hive => hive.BasePath) : [];
        staging.Keep([.. deltas.Select(hive => hive.DeltaPath), .. bases]);
        foreach (var hive in deltas)
        {
            Reserve(hive);
        }

        return deltas;
    }

    private void Reserve(RegistryHive hive)
    {
        try
        {
            pending.Claim(hive.BasePath, isDirectory: false, isLinkable: true, isInCim: true, LayerTree.NothingPending);
            cim.Prepare(hive.BasePath, isDirectory: false);
        }
        catch (InvalidDataException e)
        {
            throw new LayerImportException($"a layer whose tar has something else in the place of '{hive.BasePath}': {e.Message}", e);
        }
    }
}
