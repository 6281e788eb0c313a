namespace Converter.Core.Store;

/// <summary>
/// A claim on one layer, held by a locked file that the system frees when the process dies, and the folder to make the layer in.
/// </summary>
public sealed class IngestFolder : IDisposable
{
    private const string LockSuffix = ".lock";
    private const string DiscardedSuffix = ".old";

    /// <summary>HRESULT of ERROR_SHARING_VIOLATION: the other may have let go, and the file be gone, by the time we look.</summary>
    private const int SharingViolation = unchecked((int)0x80070020);

    private static readonly FileOptions s_lockOptions = OperatingSystem.IsWindows() ? FileOptions.DeleteOnClose : FileOptions.None;

    private static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(100);

    private readonly FileStream _lock;

    private IngestFolder(string path, FileStream locked)
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

        // The name goes while the lock is held: whoever waits for it finds its file gone, and makes a new one. On Windows nobody
        // can remove an open file that is not shared; there, the system does it with the last handle.
        if (!OperatingSystem.IsWindows())
        {
            File.Delete(_lock.Name);
        }

        _lock.Dispose();
    }

    internal static async Task<IngestFolder> ClaimAsync(string ingestRoot, string name, CancellationToken cancellation)
    {
        var path = System.IO.Path.Combine(ingestRoot, name);
        while (true)
        {
            if (TryLock(path + LockSuffix) is { } locked)
            {
                return new IngestFolder(path, locked);
            }

            await Task.Delay(s_pause, cancellation);
        }
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
            else if (TryLock(ClaimedBy(path) + LockSuffix) is { } locked)
            {
                new IngestFolder(ClaimedBy(path), locked).Dispose();
            }
        }
    }

    /// <summary>The folder whose claim covers a name under <c>ingest/</c>.</summary>
    private static string ClaimedBy(string path)
    {
        foreach (var suffix in (ReadOnlySpan<string>)[LockSuffix, DiscardedSuffix])
        {
            if (path.EndsWith(suffix, StringComparison.Ordinal))
            {
                return path[..^suffix.Length];
            }
        }

        return path;
    }

    /// <summary>Null where another process, or task, has it.</summary>
    private static FileStream? TryLock(string path)
    {
        FileStream stream;
        try
        {
            stream = new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, bufferSize: 1, s_lockOptions);
        }
        catch (IOException e) when (e is not (DirectoryNotFoundException or PathTooLongException) && (File.Exists(path) || e.HResult == SharingViolation))
        {
            return null;
        }
        catch (UnauthorizedAccessException) when (OperatingSystem.IsWindows() && File.Exists(path))
        {
            // Windows' answer while a file is being removed.
            return null;
        }

        if (File.Exists(path))
        {
            return stream;
        }

        // Its last owner removed it between our opening and locking it.
        stream.Dispose();
        return null;
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
