using CimConvert.Oci;

namespace CimConvert.Store;

/// <summary>Which images of a store stay, and what else does because of them or of living leases.</summary>
internal sealed class CollectionPlan
{
    private readonly StoreInventory _inventory;
    private readonly IReadOnlySet<ChainId> _leased;
    private readonly HashSet<ChainId> _layers = [];
    private readonly HashSet<Digest> _blobs = [];

    private CollectionPlan(StoreInventory inventory, IReadOnlySet<ChainId> leased, IReadOnlyCollection<InventoryImage> dropped)
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

    /// <summary>Images to take from the index.</summary>
    public IReadOnlyCollection<InventoryImage> Dropped { get; }

    /// <summary>Layers to remove: those on top of others first, for their merged CIMs need those below.</summary>
    public IEnumerable<InventoryLayer> Layers => _inventory.Layers
        .Where(layer => !_layers.Contains(layer.ChainId))
        .OrderByDescending(layer => layer.Layer?.Record.Parents.Count ?? int.MaxValue);

    /// <summary>Layers that stay without their merged CIM.</summary>
    public IEnumerable<InventoryLayer> Merged => _inventory.Layers
        .Where(layer => _layers.Contains(layer.ChainId) && layer.Merged.Count > 0 && !KeepsMerged(layer));

    public IEnumerable<(Digest Digest, InventoryFile File)> Blobs => _inventory.Blobs.Where(blob => !_blobs.Contains(blob.Digest));

    /// <summary>All that stays.</summary>
    public IEnumerable<InventoryFile> Remaining => _inventory.Layers
        .Where(layer => _layers.Contains(layer.ChainId))
        .SelectMany(layer => KeepsMerged(layer) ? layer.Own.Concat(layer.Merged) : layer.Own)
        .Concat(_inventory.Blobs.Where(blob => _blobs.Contains(blob.Digest)).Select(blob => blob.File));

    /// <param name="inventory">What there is.</param>
    /// <param name="leased">Layers of living leases.</param>
    /// <param name="options">Which images are to stay.</param>
    /// <param name="now">The time by which ages are told.</param>
    public static CollectionPlan Make(StoreInventory inventory, IReadOnlySet<ChainId> leased, CollectionOptions options, DateTimeOffset now)
    {
        // A clock that was ahead left stamps of the future: their images count as used just now. See StoreCollection.
        var candidates = inventory.Images
            .Where(image => !options.Keeps(image.Reference) && !(image.Layers.Count > 0 && leased.Contains(image.Layers[^1])))
            .OrderBy(image => image.LastUsed < now ? image.LastUsed : now)
            .ThenBy(image => image.Reference, StringComparer.Ordinal)
            .ToArray();
        var drop = options.OlderThan is { } age ? candidates.Count(image => now - image.LastUsed > age) : 0;
        while (true)
        {
            var plan = new CollectionPlan(inventory, leased, candidates[..drop]);
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
