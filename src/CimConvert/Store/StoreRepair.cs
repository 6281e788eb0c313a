using CimConvert.Oci;

namespace CimConvert.Store;

/// <summary>What a repair did.</summary>
/// <param name="Repaired">A line for each thing removed or linked again.</param>
/// <param name="Left">A line for each thing that is still broken, and why.</param>
internal sealed record RepairResult(IReadOnlyList<string> Repaired, IReadOnlyList<string> Left);

/// <summary>
/// Removes from a store what <see cref="StoreVerification"/> found broken, and what depends on it, so that the next conversion makes
/// it again. Leased and claimed layers stay.
/// </summary>
internal sealed class StoreRepair(ConversionStore store)
{
    private readonly List<string> _repaired = [];
    private readonly List<string> _left = [];

    public async Task<RepairResult> RunAsync(IReadOnlyList<StoreProblem> problems, CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(store.Ingest.Root);
        using var removal = new StoreRemoval(store);
        using (await store.LockAsync(cancellationToken))
        {
            var leased = await StoreLease.ReadAllAsync(store.Ingest.Root, cancellationToken);
            var broken = Layers(problems, StorePart.Layer);
            Remove(broken, "layer", leased, removal.TryRemoveLayer);
            Remove(
                [.. Layers(problems, StorePart.Merged).Where(id => Directory.Exists(store.LayerFolder(id))).Union(MergedWithoutSources())],
                "merged CIM of",
                leased,
                removal.TryRemoveMerged);
            RemoveBlobs(problems, leased, removal);
            await RepairIndexAsync(problems, broken, cancellationToken);
        }

        removal.Dispose();
        return new RepairResult(_repaired, [.. _left, .. removal.Problems]);
    }

    private static IReadOnlyList<ChainId> Layers(IReadOnlyList<StoreProblem> problems, StorePart part) =>
        [.. problems.Where(problem => problem.Part == part).Select(problem => new ChainId(Digest.Parse(problem.Name)))];

    private void Remove(IReadOnlyList<ChainId> layers, string what, IReadOnlySet<ChainId> leased, Func<ChainId, bool> tryRemove)
    {
        foreach (var layer in layers)
        {
            if (leased.Contains(layer))
            {
                _left.Add($"{what} {layer}: a running conversion uses it");
            }
            else if (tryRemove(layer))
            {
                _repaired.Add($"removed {what} {layer}");
            }
        }
    }

    /// <summary>Merged CIMs that have lost a layer below: they hold metadata only, and refer to those layers for data.</summary>
    private IEnumerable<ChainId> MergedWithoutSources() => store.LayerIds().Where(id =>
        store.FindLayer(id) is { Merged: not null } layer && !layer.Record.Parents.All(parent => store.FindLayer(new ChainId(parent)) is not null));

    private void RemoveBlobs(IReadOnlyList<StoreProblem> problems, IReadOnlySet<ChainId> leased, StoreRemoval removal)
    {
        var used = leased.Select(store.FindLayer).OfType<StoredLayer>()
            .SelectMany(layer => layer.Files.Select(file => file.Digest.Hex))
            .ToHashSet(StringComparer.Ordinal);
        foreach (var name in problems.Where(problem => problem.Part == StorePart.Blob).Select(problem => problem.Name))
        {
            if (used.Contains(name))
            {
                _left.Add($"blob {name}: a running conversion uses its layer");
            }
            else if (removal.TryRemoveBlob(name))
            {
                _repaired.Add($"removed blob {name}");
            }
        }
    }

    private async Task RepairIndexAsync(IReadOnlyList<StoreProblem> problems, IReadOnlyList<ChainId> broken, CancellationToken cancellationToken)
    {
        var index = new ImageIndexFile(store);
        if (problems.Any(problem => problem.Part == StorePart.Index))
        {
            await index.DeleteAsync(cancellationToken);
            _repaired.Add($"removed {ImageIndexFile.FileName}");
            return;
        }

        var files = store.LayerIds().Except(broken).Select(store.FindLayer).OfType<StoredLayer>()
            .SelectMany(layer => layer.Files)
            .ToLookup(file => file.Digest, file => file.Path);
        var lost = store.Images().Where(image => !IsWhole(image.Manifest, files)).ToArray();
        await index.RemoveAsync(lost, cancellationToken);
        _repaired.AddRange(lost.Select(image => $"removed {image.Name} from the index: convert it again"));
    }

    /// <summary>Whether an image has all its blobs; missing ones are linked again if their layer files are there.</summary>
    private bool IsWhole(Descriptor manifest, ILookup<Digest, string> files)
    {
        try
        {
            while (store.FindMissing(manifest) is { } missing)
            {
                var path = store.BlobPath(missing.Digest);
                if (File.Exists(path) || files[missing.Digest].FirstOrDefault() is not { } file)
                {
                    return false;
                }

                store.LinkBlob(file, missing.Digest);
                _repaired.Add($"linked blob {missing.Digest.Hex} again");
            }

            return true;
        }
        catch (Exception e) when (Failures.IsExpected(e))
        {
            return false;
        }
    }
}
