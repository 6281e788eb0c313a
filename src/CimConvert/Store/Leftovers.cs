using CimConvert.Storage;

namespace CimConvert.Store;

/// <summary>What killed runs left under <c>ingest/</c>. What is still in use is locked by its process.</summary>
internal static class Leftovers
{
    /// <summary>Files and folders whose process is gone, sorted. Changes nothing.</summary>
    public static IReadOnlyList<string> Find(string ingestRoot) => [.. Entries(ingestRoot).Where(path => FileLock.IsFree(LockOf(path)))];

    /// <summary>Deletes abandoned entries; partial downloads only after some days, since a later run may resume them.</summary>
    public static void Sweep(string ingestRoot)
    {
        foreach (var path in Entries(ingestRoot))
        {
            if (path.EndsWith(PartialBlob.Suffix, StringComparison.Ordinal))
            {
                PartialBlob.RemoveStale(path);
            }
            else
            {
                Remove(path);
            }
        }
    }

    /// <summary>Deletes an abandoned entry; holding its lock proves it is abandoned.</summary>
    public static void Remove(string path)
    {
        var lockPath = LockOf(path);
        if (lockPath != path || path.EndsWith(FileLock.Suffix, StringComparison.Ordinal))
        {
            IngestFolder.TryClaim(lockPath[..^FileLock.Suffix.Length])?.Dispose();
        }
        else
        {
            AtomicFile.RemoveAbandoned(path);
        }
    }

    private static string[] Entries(string ingestRoot) => Directory.Exists(ingestRoot)
        ? [.. Directory.EnumerateFileSystemEntries(ingestRoot).Order(StringComparer.Ordinal)]
        : [];

    /// <summary>The file whose lock protects an entry: the entry itself, or the lock file of the claim it belongs to.</summary>
    private static string LockOf(string path)
    {
        foreach (var suffix in (ReadOnlySpan<string>)[AtomicFile.TemporarySuffix, PartialBlob.Suffix, StoreLease.Suffix, FileLock.Suffix])
        {
            if (path.EndsWith(suffix, StringComparison.Ordinal))
            {
                return path;
            }
        }

        return (path.EndsWith(IngestFolder.DiscardedSuffix, StringComparison.Ordinal) ? path[..^IngestFolder.DiscardedSuffix.Length] : path) + FileLock.Suffix;
    }
}
