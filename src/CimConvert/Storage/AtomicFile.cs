namespace CimConvert.Storage;

/// <summary>
/// Writes a file completely or not at all: under a temporary name on the same file system, flushed to the disk and only then
/// renamed. On Linux the folder is flushed too, so that the new name survives a power failure.
/// </summary>
internal static class AtomicFile
{
    /// <summary>Ends the temporary name of a file that is written beside its final name.</summary>
    public const string PartialSuffix = ".partial";

    /// <summary>Ends the temporary names of files that are written in a folder of their own, such as a store's <c>ingest/</c>.</summary>
    public const string TemporarySuffix = ".tmp";

    private const int CopyBufferSize = 1024 * 1024;
    private const int Attempts = 100;

    private static readonly TimeSpan s_retryDelay = TimeSpan.FromMilliseconds(10);

    /// <summary>
    /// The file stays open, and so locked, until it is renamed: <see cref="RemoveAbandoned"/> leaves it alone. Windows renames an open
    /// file only if it was opened with <see cref="FileShare.Delete"/>.
    /// </summary>
    private static FileShare ShareWhileWriting => OperatingSystem.IsWindows() ? FileShare.Delete : FileShare.None;

    /// <param name="path">The final name.</param>
    /// <param name="content">The whole content.</param>
    /// <param name="overwrite">Whether an existing file is replaced; else it is an <see cref="IOException"/>.</param>
    /// <param name="temporary">
    /// On the same file system as <paramref name="path"/>, and used by no other writer; null for <see cref="PartialOf"/>.
    /// </param>
    /// <exception cref="IOException">The temporary name is a link, or the file cannot be written.</exception>
    public static void Write(string path, ReadOnlySpan<byte> content, bool overwrite = true, string? temporary = null)
    {
        temporary ??= PartialOf(path);
        using var stream = Create(temporary);
        try
        {
            stream.Write(content);
            Finish(stream, path, overwrite);
        }
        catch
        {
            File.Delete(temporary);
            throw;
        }
    }

    /// <summary>As <see cref="Write(string, ReadOnlySpan{byte}, bool, string?)"/>, for content that does not fit into memory.</summary>
    /// <param name="path">The final name.</param>
    /// <param name="write">Writes the whole content; the stream has no buffer of its own.</param>
    /// <param name="overwrite">Whether an existing file is replaced; else it is an <see cref="IOException"/>.</param>
    /// <param name="temporary">
    /// On the same file system as <paramref name="path"/>, and used by no other writer; null for <see cref="PartialOf"/>.
    /// </param>
    public static void Write(string path, Action<Stream> write, bool overwrite = true, string? temporary = null)
    {
        temporary ??= PartialOf(path);
        using var stream = Create(temporary);
        try
        {
            write(stream);
            Finish(stream, path, overwrite);
        }
        catch
        {
            File.Delete(temporary);
            throw;
        }
    }

    /// <summary>As <see cref="Write(string, Action{Stream}, bool, string?)"/>, with the content of another file.</summary>
    public static void Copy(string source, string path, bool overwrite = true, string? temporary = null)
    {
        using var content = new FileStream(source, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0, FileOptions.SequentialScan);
        Write(path, stream => content.CopyTo(stream, CopyBufferSize), overwrite, temporary);
    }

    /// <summary>
    /// The temporary name beside a file. Writers that keep their file open for long create it themselves, flush it, and end with
    /// <see cref="Rename"/>.
    /// </summary>
    /// <exception cref="IOException">The temporary name is a link.</exception>
    public static string PartialOf(string path)
    {
        var partial = path + PartialSuffix;
        HostLinks.Refuse(partial);
        return partial;
    }

    /// <summary>Renames a file that was flushed to the disk, and flushes the folder.</summary>
    public static void Rename(string temporary, string path, bool overwrite)
    {
        File.Move(temporary, path, overwrite);
        FlushFolderOf(path);
    }

    /// <summary>Deletes a temporary file, unless a process has it open.</summary>
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
            // In use, or deleted in the meantime: either way not ours to remove.
        }
    }

    /// <summary>The file is closed as soon as it has its name, before the slow flush of the folder: readers cannot open it before.</summary>
    private static void Finish(FileStream stream, string path, bool overwrite)
    {
        stream.Flush(flushToDisk: true);
        File.Move(stream.Name, path, overwrite);
        stream.Dispose();
        FlushFolderOf(path);
    }

    private static void FlushFolderOf(string path) => OpenFile.FlushFolder(Path.GetDirectoryName(Path.GetFullPath(path))!);

    /// <summary>
    /// Opens a new file. <see cref="RemoveAbandoned"/> in another process may lock it between its creation and our lock, and delete
    /// it: then it is created again.
    /// </summary>
    private static FileStream Create(string temporary)
    {
        HostLinks.Refuse(temporary);
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                var stream = new FileStream(temporary, FileMode.Create, FileAccess.Write, ShareWhileWriting, bufferSize: 0);
                if (attempt == Attempts || OpenFile.IsStillAt(stream.SafeFileHandle, temporary))
                {
                    return stream;
                }

                stream.Dispose();
            }
            catch (IOException e) when (attempt < Attempts && FileLock.IsHeld(e))
            {
                Thread.Sleep(s_retryDelay);
            }
        }
    }
}
