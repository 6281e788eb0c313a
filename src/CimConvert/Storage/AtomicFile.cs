namespace CimConvert.Storage;

/// <summary>Writes a file completely or not at all.</summary>
internal static class AtomicFile
{
    public const string TemporarySuffix = ".tmp";

    private const int CopyBufferSize = 1024 * 1024;
    private const int Attempts = 100;

    private static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(10);

    /// <summary>Open until it has its name, so that nobody takes it for abandoned; Windows renames open files only if they are shared so.</summary>
    private static FileShare WhileWriting => OperatingSystem.IsWindows() ? FileShare.Delete : FileShare.None;

    /// <param name="temporary">On the same file system as <paramref name="path"/>, of a name no other writer uses.</param>
    /// <param name="path">Replaced when the new content is on the disk.</param>
    /// <param name="content">All of it.</param>
    public static void Write(string temporary, string path, ReadOnlySpan<byte> content)
    {
        try
        {
            using var stream = Create(temporary);
            stream.Write(content);
            stream.Flush(flushToDisk: true);
            File.Move(temporary, path, overwrite: true);
        }
        catch
        {
            File.Delete(temporary);
            throw;
        }
    }

    /// <summary>As <see cref="Write"/>, the content being another file's.</summary>
    public static void Copy(string temporary, string path, string from)
    {
        try
        {
            using var source = new FileStream(from, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0, FileOptions.SequentialScan);
            using var stream = Create(temporary);
            source.CopyTo(stream, CopyBufferSize);
            stream.Flush(flushToDisk: true);
            File.Move(temporary, path, overwrite: true);
        }
        catch
        {
            File.Delete(temporary);
            throw;
        }
    }

    /// <summary>Removes a file that no process has open, if it is there.</summary>
    public static void RemoveAbandoned(string temporary)
    {
        if (!File.Exists(temporary))
        {
            return;
        }

        try
        {
            FileLock.TryTake(temporary)?.Dispose();
        }
        catch (IOException)
        {
            // In use, or gone by now: either way not ours to remove.
        }
    }

    /// <summary>Who sweeps the store may lock the file, and remove it, between our making and locking it.</summary>
    private static FileStream Create(string temporary)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                var stream = new FileStream(temporary, FileMode.Create, FileAccess.Write, WhileWriting, bufferSize: 0);
                if (attempt == Attempts || OpenFile.IsStillAt(stream.SafeFileHandle, temporary))
                {
                    return stream;
                }

                stream.Dispose();
            }
            catch (IOException e) when (attempt < Attempts && FileLock.IsHeld(e))
            {
                Thread.Sleep(s_pause);
            }
        }
    }
}
