using System.Text;
using CimConvert.Oci;
using CimConvert.Storage;

namespace CimConvert.Store;

/// <summary>
/// Keeps layers from being garbage-collected while a process uses them, whether they are in the store yet or not. A lease is a file
/// under <c>ingest/</c> with one chain ID per line, locked with a shared lock so that others can read it. It ends when it is disposed
/// or its process dies.
/// </summary>
internal sealed class StoreLease : IDisposable
{
    internal const string Suffix = ".lease";

    private static readonly FileOptions s_options = OperatingSystem.IsWindows() ? FileOptions.DeleteOnClose : FileOptions.None;

    private static readonly TimeSpan s_retryDelay = TimeSpan.FromMilliseconds(20);

    private static int s_leaseCount;

    private readonly FileStream _file;

    private StoreLease(FileStream file) => _file = file;

    public void Dispose()
    {
        // As in FileLock: deleted while it is still locked, except on Windows, where closing deletes it.
        if (!OperatingSystem.IsWindows())
        {
            File.Delete(_file.Name);
        }

        _file.Dispose();
    }

    /// <summary>The caller holds the store's lock: see <see cref="ConversionStore.LockAsync"/>.</summary>
    internal static StoreLease Register(ConversionStore store, IReadOnlyList<ChainId> layers)
    {
        while (true)
        {
            var path = Path.Combine(store.Ingest.Root, FormattableString.Invariant($"{Environment.ProcessId}-{Interlocked.Increment(ref s_leaseCount)}{Suffix}"));

            // Containers that share a store can have equal process IDs.
            if (File.Exists(path))
            {
                continue;
            }

            store.WriteFile(path, Encoding.ASCII.GetBytes(string.Join('\n', layers)));
            if (TryHold(path) is { } file)
            {
                return new StoreLease(file);
            }
        }
    }

    /// <summary>The layers of all live leases. Complete only under the store's lock: see <see cref="ConversionStore.LockAsync"/>.</summary>
    internal static async Task<IReadOnlySet<ChainId>> ReadAllAsync(string ingestRoot, CancellationToken cancellationToken)
    {
        var layers = new HashSet<ChainId>();
        foreach (var path in Directory.Exists(ingestRoot) ? Directory.GetFiles(ingestRoot, "*" + Suffix) : [])
        {
            foreach (var line in await ReadAsync(path, cancellationToken))
            {
                if (Digest.TryParse(line, out var digest))
                {
                    layers.Add(new ChainId(digest));
                }
            }
        }

        return layers;
    }

    /// <summary>Empty if the lease's process is gone. Other readers lock the file for a moment too: then it is read again.</summary>
    private static async Task<string[]> ReadAsync(string path, CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                if (FileLock.IsFree(path))
                {
                    return [];
                }

                using var reader = new StreamReader(new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete));
                return (await reader.ReadToEndAsync(cancellationToken)).Split('\n');
            }
            catch (FileNotFoundException)
            {
                return [];
            }
            catch (IOException e) when (FileLock.IsHeld(e))
            {
                await Task.Delay(s_retryDelay, cancellationToken);
            }
        }
    }

    /// <summary>Null if another process removed the file before it was locked.</summary>
    private static FileStream? TryHold(string path)
    {
        try
        {
            // Opened for reading: on NFS and SMB, .NET does not lock a shared file that is opened for writing.
            var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0, s_options);
            if (File.Exists(path))
            {
                return file;
            }

            file.Dispose();
            return null;
        }
        catch (IOException e) when (e is FileNotFoundException || FileLock.IsHeld(e))
        {
            return null;
        }
    }
}
