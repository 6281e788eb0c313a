using CimConvert.Storage;

namespace CimConvert.Store;

/// <summary>
/// The first bytes of a blob, kept under <c>ingest/</c> while the rest is downloaded: a run that was killed leaves them to the
/// next. Open, they are this process's alone. They are not trusted: power may have failed, and the blob's digest decides.
/// </summary>
internal sealed class PartialBlob : IDisposable
{
    internal const string Suffix = ".blob";

    /// <summary>What nobody came back for in this time goes at the next opening of the store.</summary>
    private static readonly TimeSpan s_kept = TimeSpan.FromDays(7);

    private readonly FileStream _file;

    private PartialBlob(FileStream file)
    {
        _file = file;
        Resumed = file.Length;
        IsFromEarlierRun = Resumed > 0;
    }

    /// <summary>Bytes that are there to be read first.</summary>
    public long Resumed { get; private set; }

    /// <summary>Whether an earlier run, about whose end nothing is known, wrote some of them.</summary>
    public bool IsFromEarlierRun { get; private set; }

    /// <summary>Whether the file goes with this object: once its layer is in the store, nobody needs it.</summary>
    public bool Remove { get; set; }

    /// <summary>Reads what was there, from its start; 0 at its end.</summary>
    public ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken) => _file.ReadAsync(buffer, cancellationToken);

    /// <summary>Adds what was downloaded, after all that was there has been read.</summary>
    public ValueTask AppendAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken) => _file.WriteAsync(bytes, cancellationToken);

    /// <summary>Goes to the end, to append before anything is read.</summary>
    public void SeekToEnd() => _file.Seek(0, SeekOrigin.End);

    /// <summary>Goes back to the start, to read all that was appended, too.</summary>
    public void Rewind()
    {
        _file.Position = 0;
        Resumed = _file.Length;
    }

    /// <summary>Begins anew: for bytes that turned out to be wrong.</summary>
    public void Clear()
    {
        _file.SetLength(0);
        _file.Position = 0;
        Resumed = 0;
        IsFromEarlierRun = false;
    }

    public void Dispose()
    {
        // On Windows nobody can remove a file that is open and not shared, and elsewhere nobody must take it for free in between.
        if (OperatingSystem.IsWindows())
        {
            _file.Dispose();
            if (Remove)
            {
                AtomicFile.RemoveAbandoned(_file.Name);
            }

            return;
        }

        if (Remove)
        {
            File.Delete(_file.Name);
        }

        _file.Dispose();
    }

    internal static PartialBlob? TryOpen(string path)
    {
        try
        {
            var file = new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, bufferSize: 0, FileOptions.SequentialScan);
            if (OpenFile.IsStillAt(file.SafeFileHandle, path))
            {
                return new PartialBlob(file);
            }

            // Its last owner removed it between our opening and locking it.
            file.Dispose();
            return null;
        }
        catch (IOException e) when (FileLock.IsHeld(e))
        {
            return null;
        }
    }

    internal static void RemoveStale(string path)
    {
        if (TimeProvider.System.GetUtcNow() - File.GetLastWriteTimeUtc(path) > s_kept)
        {
            AtomicFile.RemoveAbandoned(path);
        }
    }
}
