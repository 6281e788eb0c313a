namespace CimConvert.Storage;

/// <summary>
/// A lock that a file stands for: one task has it at a time, of all processes, and the system frees it when its process dies.
/// The file goes with the lock.
/// </summary>
internal sealed class FileLock : IDisposable
{
    public const string Suffix = ".lock";

    /// <summary>HRESULT of ERROR_SHARING_VIOLATION.</summary>
    private const int SharingViolation = unchecked((int)0x80070020);

    // EWOULDBLOCK, which .NET on Unix gives as it is.
    private const int LinuxWouldBlock = 11;
    private const int MacWouldBlock = 35;

    private static readonly FileOptions s_options = OperatingSystem.IsWindows() ? FileOptions.DeleteOnClose : FileOptions.None;

    private static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(100);

    private readonly FileStream _file;

    private FileLock(FileStream file) => _file = file;

    /// <summary>Whether a file could not be opened because another has it open, who may have let go, and removed it, by the time we look.</summary>
    public static bool IsHeld(IOException e) => e.HResult is SharingViolation or LinuxWouldBlock or MacWouldBlock;

    /// <summary>Waits while another has it.</summary>
    public static async Task<FileLock> TakeAsync(string path, CancellationToken cancellationToken)
    {
        while (true)
        {
            if (TryTake(path) is { } taken)
            {
                return taken;
            }

            await Task.Delay(s_pause, cancellationToken);
        }
    }

    /// <summary>Null where another process, or task, has it.</summary>
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
            // Windows' answer while a file is being removed.
            return null;
        }

        if (OpenFile.IsStillAt(stream.SafeFileHandle, path))
        {
            return new FileLock(stream);
        }

        // Its last owner removed it between our opening and locking it, and the next may have made another.
        stream.Dispose();
        return null;
    }

    /// <summary>Whether nobody has it, or whatever else locks a file in this way; changes nothing.</summary>
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
        // The name goes while the lock is held: whoever waits for it finds its file gone, and makes a new one. On Windows nobody
        // can remove an open file that is not shared; there, the system does it with the last handle.
        if (!OperatingSystem.IsWindows())
        {
            File.Delete(_file.Name);
        }

        _file.Dispose();
    }
}
