using CimConvert.Oci;

namespace CimConvert.Store;

/// <summary>Which images of a store stay, and which layers and blobs stay because an image or a live lease needs them.</summary>
internal sealed class CollectionPlan
{
    private readonly StoreInventory _inventory;
    private readonly IReadOnlySet<ChainId> _leased;
    private readonly HashSet<ChainId> _layers = [];
    private readonly HashSet<Digest> _blobs = [];

    private CollectionPlan(StoreInventory inventory, IReadOnlySet<ChainId> leased, IReadOnlySet<InventoryImage> dropped)
    {
        _inventory = inventory;
        _leased = leased;
        Dropped = dropped;
        var kept = inventory.Images.Except(dropped).ToArray();
        _layers.UnionWith(kept.SelectMany(image => image.Layers).Concat(leased));
        _blobs.UnionWith(kept.SelectMany(image => image.Blobs));
        foreach (var layer in inventory.Layers.Where(layer => leased.Contains(layer.ChainId)).Select(layer => layer.Layer).OfType<StoredLayer>())
        {
            _blobs.UnionWith(layer.Files.Select(file => file.Digest));
        }
    }

    /// <summary>Images to remove from the index.</summary>
    public IReadOnlySet<InventoryImage> Dropped { get; }

    /// <summary>Layers to remove, upper layers first: their merged CIMs refer to the layers below.</summary>
    public IEnumerable<InventoryLayer> Layers => _inventory.Layers
        .Where(layer => !_layers.Contains(layer.ChainId))
        .OrderByDescending(layer => layer.Layer?.Record.Parents.Count ?? int.MaxValue);

    /// <summary>Layers that stay, but lose their merged CIM.</summary>
    public IEnumerable<InventoryLayer> Merged => _inventory.Layers
        .Where(layer => _layers.Contains(layer.ChainId) && layer.Merged.Count > 0 && !KeepsMerged(layer));

    public IEnumerable<(Digest Digest, InventoryFile File)> Blobs => _inventory.Blobs.Where(blob => !_blobs.Contains(blob.Digest));

    /// <summary>All files that stay.</summary>
    public IEnumerable<InventoryFile> Remaining => _inventory.Layers
        .Where(layer => _layers.Contains(layer.ChainId))
        .SelectMany(layer => KeepsMerged(layer) ? layer.Own.Concat(layer.Merged) : layer.Own)
        .Concat(_inventory.Blobs.Where(blob => _blobs.Contains(blob.Digest)).Select(blob => blob.File));

    /// <param name="inventory">What the store holds.</param>
    /// <param name="leased">Layers of live leases.</param>
    /// <param name="options">Which images stay.</param>
    /// <param name="now">The time from which ages are counted.</param>
    public static CollectionPlan Make(StoreInventory inventory, IReadOnlySet<ChainId> leased, CollectionOptions options, DateTimeOffset now)
    {
        // Future timestamps, left by a clock that was ahead, are treated as now: see StoreCollection.
        var candidates = inventory.Images
            .Where(image => !options.Keeps(image.Indexed.Reference) && !(image.Layers.Count > 0 && leased.Contains(image.Layers[^1])))
            .OrderBy(image => image.LastUsed < now ? image.LastUsed : now)
            .ThenBy(image => image.Indexed.Reference, StringComparer.Ordinal)
            .ThenBy(image => image.Indexed.Manifest.Platform, PlatformOrder.Instance)
            .ToArray();
        var drop = options.OlderThan is { } age ? candidates.Count(image => now - image.LastUsed > age) : 0;
        while (true)
        {
            var plan = new CollectionPlan(inventory, leased, candidates[..drop].ToHashSet());
            if (drop == candidates.Length || options.MaxSize is not { } limit || InventoryFile.SizeOnDisk(plan.Remaining) <= limit)
            {
                return plan;
            }

            drop++;
        }
    }

    private bool KeepsMerged(InventoryLayer layer) =>
        _leased.Contains(layer.ChainId) || (layer.Layer?.Merged is { } merged && _blobs.Contains(merged.Digest));
}
