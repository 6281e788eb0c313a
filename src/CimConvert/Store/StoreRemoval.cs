using CimConvert.Oci;

namespace CimConvert.Store;

/// <summary>
/// Removes layers, merged CIMs and blobs from a store; the caller holds the store's lock. A layer is moved away at once, and deleted
/// when this is disposed, after the lock is released. What a program has open, or the system refuses to delete, stays.
/// </summary>
internal sealed class StoreRemoval(ConversionStore store) : IDisposable
{
    private readonly List<IngestFolder> _claims = [];
    private readonly List<string> _problems = [];

    /// <summary>A line for each thing that could not be removed.</summary>
    public IReadOnlyList<string> Problems => _problems;

    public bool TryRemoveLayer(ChainId chainId) => Try($"layer {chainId}", () =>
    {
        var claim = Claim(chainId);
        try
        {
            Directory.Move(store.LayerFolder(chainId), claim.Discarded);
            _claims.Add(claim);
        }
        catch
        {
            claim.Dispose();
            throw;
        }
    });

    /// <summary>Removes a merged CIM, its record first: files without a record do not count, and the next collection removes them.</summary>
    public bool TryRemoveMerged(ChainId chainId) => Try($"merged CIM of {chainId}", () =>
    {
        using var claim = Claim(chainId);
        foreach (var file in Directory.EnumerateFiles(store.LayerFolder(chainId))
            .Where(file => StoredLayer.IsOfMerged(Path.GetFileName(file)))
            .OrderBy(file => Path.GetFileName(file) != StoredLayer.MergedRecordFile)
            .ToArray())
        {
            File.Delete(file);
        }
    });

    /// <param name="name">The file's name, which need not be a digest.</param>
    public bool TryRemoveBlob(string name) => Try($"blob {name}", () => File.Delete(store.BlobPath(name)));

    public bool TryRemoveLeftover(string path) => Try(Path.GetFileName(path), () => Leftovers.Remove(path)) && !Path.Exists(path);

    public void Dispose()
    {
        foreach (var claim in _claims)
        {
            // Already moved away: what cannot be deleted now is a leftover that the next run sweeps.
            Try($"layer {Path.GetFileName(claim.Path)}, removed", claim.Dispose);
        }

        _claims.Clear();
    }

    private IngestFolder Claim(ChainId chainId) => IngestFolder.TryClaim(Path.Combine(store.Ingest.Root, chainId.Hex))
        ?? throw new IOException("another process is working on it");

    private bool Try(string what, Action remove)
    {
        try
        {
            remove();
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            _problems.Add($"{what}: {e.Message}");
            return false;
        }
    }
}
