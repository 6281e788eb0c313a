using CimConvert.Storage;

namespace CimConvert.Store;

/// <summary>
/// A claim on one layer, and an empty folder to make it in. The claim is a locked file; the system unlocks it if the process dies.
/// </summary>
internal sealed class IngestFolder : IDisposable
{
    internal const string DiscardedSuffix = ".old";

    private readonly FileLock _lock;
    private bool _isReleased;

    private IngestFolder(string path, FileLock fileLock)
    {
        Path = path;
        _lock = fileLock;
        Clear();
    }

    public string Path { get; }

    /// <summary>Where a layer that is replaced is moved; deleted when the claim is released.</summary>
    internal string Discarded => Path + DiscardedSuffix;

    /// <summary>Deletes what is in the folder.</summary>
    public void Clear()
    {
        Remove();
        Directory.CreateDirectory(Path);
    }

    public void Dispose()
    {
        // A folder of that name may be somebody else's by now.
        if (_isReleased)
        {
            return;
        }

        _isReleased = true;
        try
        {
            Remove();
        }
        finally
        {
            _lock.Dispose();
        }
    }

    internal static async Task<IngestFolder> ClaimAsync(string ingestRoot, string name, CancellationToken cancellationToken)
    {
        var path = System.IO.Path.Combine(ingestRoot, name);
        return Make(path, await FileLock.TakeAsync(path + FileLock.Suffix, cancellationToken));
    }

    /// <summary>Null while another task or process has the claim.</summary>
    internal static IngestFolder? TryClaim(string path) => FileLock.TryTake(path + FileLock.Suffix) is { } fileLock ? Make(path, fileLock) : null;

    private static IngestFolder Make(string path, FileLock fileLock)
    {
        try
        {
            return new IngestFolder(path, fileLock);
        }
        catch
        {
            fileLock.Dispose();
            throw;
        }
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
