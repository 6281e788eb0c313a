using CimConvert.Oci;

namespace CimConvert.Store;

/// <summary>
/// Garbage collection: removes images that are no longer wanted, and whatever no image in the index needs. Index entries are removed
/// first, then layers, topmost first, then blobs: if the process is killed, the store is still valid, and the next collection
/// removes the rest. Leased and claimed layers stay.
/// </summary>
/// <remarks>
/// An image's last use is the last-write time of its manifest. Future timestamps, left by a clock that was ahead, are treated as now,
/// and set to now, so that these images age too.
/// </remarks>
internal sealed class StoreCollection(ConversionStore store, CollectionOptions options)
{
    /// <exception cref="ConversionException">The index or a manifest cannot be read: nothing but leftovers is removed.</exception>
    public async Task<CollectionResult> RunAsync(CancellationToken cancellationToken)
    {
        var leftovers = Leftovers.Find(store.Ingest.Root).ToDictionary(path => path, BytesOf);
        if (options.DryRun)
        {
            var (inventory, plan) = await PlanAsync(cancellationToken);
            return WithLimit(Report(inventory, plan, leftovers, [.. plan.Layers], [.. plan.Merged], [.. plan.Blobs.Select(blob => blob.Digest)]));
        }

        Directory.CreateDirectory(store.Ingest.Root);
        using var removal = new StoreRemoval(store);
        foreach (var path in leftovers.Keys.Where(path => !removal.TryRemoveLeftover(path)).ToArray())
        {
            leftovers.Remove(path);
        }

        var result = await CollectAsync(removal, leftovers, cancellationToken);
        removal.Dispose();
        return WithLimit(result with { Problems = removal.Problems });
    }

    private async Task<CollectionResult> CollectAsync(StoreRemoval removal, Dictionary<string, long> leftovers, CancellationToken cancellationToken)
    {
        using var storeLock = await store.LockAsync(cancellationToken);
        var (inventory, plan) = await PlanAsync(cancellationToken);
        foreach (var image in inventory.Images.Where(image => image.LastUsed > TimeProvider.System.GetUtcNow()))
        {
            store.MarkUsed(image.Indexed.Manifest.Digest);
        }

        await new ImageIndexFile(store).RemoveAsync([.. plan.Dropped.Select(image => image.Indexed)], cancellationToken);
        var layers = new List<InventoryLayer>();
        var needed = new HashSet<Digest>();
        foreach (var layer in plan.Layers)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (!needed.Contains(layer.ChainId.Digest) && removal.TryRemoveLayer(layer.ChainId))
            {
                layers.Add(layer);
            }
            else
            {
                // The layer stays, and its merged CIM refers to the layers below.
                needed.UnionWith(layer.Layer?.Record.Parents ?? []);
            }
        }

        return Report(
            inventory,
            plan,
            leftovers,
            layers,
            [.. plan.Merged.Where(layer => removal.TryRemoveMerged(layer.ChainId))],
            [.. plan.Blobs.Select(blob => blob.Digest).Where(digest => removal.TryRemoveBlob(digest.Hex))]);
    }

    private async Task<(StoreInventory Inventory, CollectionPlan Plan)> PlanAsync(CancellationToken cancellationToken)
    {
        var inventory = StoreInventory.Read(store);
        var leased = await StoreLease.ReadAllAsync(store.Ingest.Root, cancellationToken);
        return (inventory, CollectionPlan.Make(inventory, leased, options, TimeProvider.System.GetUtcNow()));
    }

    private static CollectionResult Report(
        StoreInventory inventory,
        CollectionPlan plan,
        Dictionary<string, long> leftovers,
        IReadOnlyList<InventoryLayer> layers,
        IReadOnlyList<InventoryLayer> merged,
        IReadOnlyList<Digest> blobs)
    {
        var removed = layers.SelectMany(layer => layer.Own.Concat(layer.Merged))
            .Concat(merged.SelectMany(layer => layer.Merged))
            .Concat(inventory.Blobs.Where(blob => blobs.Contains(blob.Digest)).Select(blob => blob.File))
            .ToHashSet();
        var remaining = InventoryFile.SizeOnDisk(inventory.Files.Where(file => !removed.Contains(file)));
        return new CollectionResult(
            [.. inventory.Images.Where(plan.Dropped.Contains).Select(image => image.Indexed)],
            [.. layers.Select(layer => layer.ChainId)],
            [.. merged.Select(layer => layer.ChainId)],
            blobs,
            [.. leftovers.Keys.Select(path => Path.GetFileName(path))],
            leftovers.Values.Sum() + InventoryFile.SizeOnDisk(inventory.Files) - remaining,
            remaining,
            []);
    }

    private CollectionResult WithLimit(CollectionResult result) => result.Remaining > options.MaxSize
        ? result with { Problems = [.. result.Problems, $"{result.Remaining} bytes stay, more than the {options.MaxSize} wanted: the rest is kept by --keep, or in use"] }
        : result;

    private static long BytesOf(string path)
    {
        try
        {
            return Directory.Exists(path) ? new DirectoryInfo(path).EnumerateFiles("*", SearchOption.AllDirectories).Sum(file => file.Length) : new FileInfo(path).Length;
        }
        catch (IOException)
        {
            // Deleted in the meantime.
            return 0;
        }
    }
}
