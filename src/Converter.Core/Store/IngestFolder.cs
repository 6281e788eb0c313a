namespace Converter.Core.Store;

/// <summary>
/// A claim on one layer, held by a locked file that the system frees when the process dies, and the folder to make the layer in.
/// </summary>
public sealed class IngestFolder : IDisposable
{
    private const string DiscardedSuffix = ".old";

    private readonly FileLock _lock;

    private IngestFolder(string path, FileLock locked)
    {
        Path = path;
        _lock = locked;
        Clear();
    }

    /// <summary>Empty when claimed.</summary>
    public string Path { get; }

    /// <summary>Where a layer that is replaced goes; removed with the claim.</summary>
    internal string Discarded => Path + DiscardedSuffix;

    /// <summary>Removes what is in it.</summary>
    public void Clear()
    {
        Remove();
        Directory.CreateDirectory(Path);
    }

    public void Dispose()
    {
        Remove();
        _lock.Dispose();
    }

    internal static async Task<IngestFolder> ClaimAsync(string ingestRoot, string name, CancellationToken cancellation)
    {
        var path = System.IO.Path.Combine(ingestRoot, name);
        return new IngestFolder(path, await FileLock.TakeAsync(path + FileLock.Suffix, cancellation));
    }

    /// <summary>Removes what no living process has claimed: claiming it is how to find out, and ends with its removal.</summary>
    internal static void Sweep(string ingestRoot)
    {
        foreach (var path in Directory.EnumerateFileSystemEntries(ingestRoot).Order(StringComparer.Ordinal).ToArray())
        {
            if (path.EndsWith(AtomicFile.TemporarySuffix, StringComparison.Ordinal))
            {
                AtomicFile.RemoveAbandoned(path);
            }
            else if (path.EndsWith(PartialBlob.Suffix, StringComparison.Ordinal))
            {
                PartialBlob.RemoveStale(path);
            }
            else if (path.EndsWith(StoreLease.Suffix, StringComparison.Ordinal))
            {
                StoreLease.RemoveDead(path);
            }
            else if (FileLock.TryTake(ClaimedBy(path) + FileLock.Suffix) is { } locked)
            {
                new IngestFolder(ClaimedBy(path), locked).Dispose();
            }
        }
    }

    /// <summary>The folder whose claim covers a name under <c>ingest/</c>.</summary>
    private static string ClaimedBy(string path)
    {
        foreach (var suffix in (ReadOnlySpan<string>)[FileLock.Suffix, DiscardedSuffix])
        {
            if (path.EndsWith(suffix, StringComparison.Ordinal))
            {
                return path[..^suffix.Length];
            }
        }

        return path;
    }

    private void Remove()
    {
        foreach (var folder in (ReadOnlySpan<string>)[Path, Discarded])
        {
            if (Directory.Exists(folder))
            {
                Directory.Delete(folder, recursive: true);
            }
        }
    }
}
