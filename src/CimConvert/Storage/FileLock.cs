namespace CimConvert.Storage;

/// <summary>
/// An exclusive lock between tasks and processes, held by keeping a file open. The system releases it if the process dies. Releasing
/// it deletes the file.
/// </summary>
internal sealed class FileLock : IDisposable
{
    public const string Suffix = ".lock";

    /// <summary>HRESULT of ERROR_SHARING_VIOLATION.</summary>
    private const int SharingViolation = unchecked((int)0x80070020);

    // EWOULDBLOCK: on Unix, .NET puts errno into HResult unchanged.
    private const int LinuxWouldBlock = 11;
    private const int MacWouldBlock = 35;

    private static readonly FileOptions s_options = OperatingSystem.IsWindows() ? FileOptions.DeleteOnClose : FileOptions.None;

    private static readonly TimeSpan s_retryDelay = TimeSpan.FromMilliseconds(100);

    private readonly FileStream _file;
    private bool _isReleased;

    private FileLock(FileStream file) => _file = file;

    /// <summary>Whether a file could not be opened because another handle locks it. By now it may be unlocked and deleted.</summary>
    public static bool IsHeld(IOException e) => e.HResult is SharingViolation or LinuxWouldBlock or MacWouldBlock;

    /// <summary>Takes the lock; waits while another task or process holds it.</summary>
    public static async Task<FileLock> TakeAsync(string path, CancellationToken cancellationToken)
    {
        while (true)
        {
            if (TryTake(path) is { } taken)
            {
                return taken;
            }

            await Task.Delay(s_retryDelay, cancellationToken);
        }
    }

    /// <summary>Takes the lock; null if another task or process holds it.</summary>
    public static FileLock? TryTake(string path)
    {
        FileStream stream;
        try
        {
            stream = new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, bufferSize: 1, s_options);
        }
        catch (IOException e) when (e is not (DirectoryNotFoundException or PathTooLongException) && (IsHeld(e) || File.Exists(path)))
        {
            return null;
        }
        catch (UnauthorizedAccessException) when (OperatingSystem.IsWindows() && File.Exists(path))
        {
            // What Windows answers while the file is being deleted.
            return null;
        }

        if (OpenFile.IsStillAt(stream.SafeFileHandle, path))
        {
            return new FileLock(stream);
        }

        // Its last owner deleted it between our opening and locking it; the next may have created another of that name.
        stream.Dispose();
        return null;
    }

    /// <summary>Whether a file is not locked, by this class or in the same way. Changes nothing.</summary>
    public static bool IsFree(string path)
    {
        try
        {
            using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.None, bufferSize: 0);
            return true;
        }
        catch (IOException e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return true;
        }
        catch (IOException e) when (IsHeld(e) || File.Exists(path))
        {
            return false;
        }
        catch (UnauthorizedAccessException) when (OperatingSystem.IsWindows() && File.Exists(path))
        {
            return false;
        }
    }

    public void Dispose()
    {
        // A file of that name may be somebody else's by now.
        if (_isReleased)
        {
            return;
        }

        _isReleased = true;

        // Deleted while the lock is held: a waiting task then finds the file gone, and creates a new one. Windows cannot delete an
        // open file that is not shared; there, closing the last handle deletes it (DeleteOnClose).
        if (!OperatingSystem.IsWindows())
        {
            File.Delete(_file.Name);
        }

        _file.Dispose();
    }
}
