using CimConvert.Storage;

namespace CimConvert.Store;

/// <summary>What runs that were killed left under <c>ingest/</c>. Locks tell it from what is being worked on.</summary>
internal static class Leftovers
{
    /// <summary>Files and folders whose process is gone, sorted; changes nothing.</summary>
    public static IReadOnlyList<string> Find(string ingestRoot) => [.. Entries(ingestRoot).Where(path => FileLock.IsFree(LockOf(path)))];

    /// <summary>Removes them, but for downloads to go on from: these go when nobody came back for long.</summary>
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

    /// <summary>Removes one, unless somebody took it up again: locking it is how to find out, and ends with its removal.</summary>
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

    /// <summary>The file whose lock covers a name: the file itself, or that of the claim.</summary>
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
