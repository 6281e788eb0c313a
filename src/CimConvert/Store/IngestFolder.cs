using CimConvert.Storage;

namespace CimConvert.Store;

/// <summary>
/// A claim on one layer, held by a locked file that the system frees when the process dies, and the folder to make the layer in.
/// </summary>
internal sealed class IngestFolder : IDisposable
{
    internal const string DiscardedSuffix = ".old";

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

    /// <summary>Null where another process, or task, has it.</summary>
    internal static IngestFolder? TryClaim(string path) => FileLock.TryTake(path + FileLock.Suffix) is { } locked ? Make(path, locked) : null;

    private static IngestFolder Make(string path, FileLock locked)
    {
        try
        {
            return new IngestFolder(path, locked);
        }
        catch
        {
            locked.Dispose();
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
