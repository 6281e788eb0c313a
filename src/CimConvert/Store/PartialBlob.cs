using CimConvert.Storage;

namespace CimConvert.Store;

/// <summary>
/// A partial download: the first bytes of a blob, kept under <c>ingest/</c> so that a later run can resume after a kill. Locked while
/// open. The bytes are not trusted, since a power failure may have damaged them: the blob's digest decides.
/// </summary>
internal sealed class PartialBlob : IDisposable
{
    internal const string Suffix = ".blob";

    /// <summary>A partial download that was not written to for longer is deleted when the store is opened.</summary>
    private static readonly TimeSpan s_maxAge = TimeSpan.FromDays(7);

    private readonly FileStream _file;
    private bool _isDisposed;

    private PartialBlob(FileStream file)
    {
        _file = file;
        Resumed = file.Length;
        IsFromEarlierRun = Resumed > 0;
    }

    /// <summary>How many bytes can be read before the download goes on.</summary>
    public long Resumed { get; private set; }

    /// <summary>Whether an earlier run wrote some of them, which may have ended by a power failure.</summary>
    public bool IsFromEarlierRun { get; private set; }

    /// <summary>Whether disposing deletes the file: set once the layer is in the store.</summary>
    public bool Remove { get; set; }

    /// <summary>Reads the existing bytes from the start; returns 0 at their end.</summary>
    public ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken) => _file.ReadAsync(buffer, cancellationToken);

    /// <summary>Appends downloaded bytes, after all existing bytes have been read.</summary>
    public ValueTask AppendAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken) => _file.WriteAsync(bytes, cancellationToken);

    /// <summary>Skips the existing bytes, to append without reading them.</summary>
    public void SeekToEnd() => _file.Seek(0, SeekOrigin.End);

    /// <summary>Goes back to the start: all bytes so far can be read again.</summary>
    public void Rewind()
    {
        _file.Position = 0;
        Resumed = _file.Length;
    }

    /// <summary>Discards all bytes, which turned out to be wrong.</summary>
    public void Clear()
    {
        _file.SetLength(0);
        _file.Position = 0;
        Resumed = 0;
        IsFromEarlierRun = false;
    }

    public void Dispose()
    {
        // A file of that name may be somebody else's by now.
        if (_isDisposed)
        {
            return;
        }

        _isDisposed = true;

        // Windows does not delete an open file that is not shared for deletion. Elsewhere the file is deleted while it is still
        // locked, so that no other process opens it in between.
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

            // Its last owner deleted it between our opening and locking it.
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
        if (TimeProvider.System.GetUtcNow() - File.GetLastWriteTimeUtc(path) > s_maxAge)
        {
            AtomicFile.RemoveAbandoned(path);
        }
    }
}
