using System.Text;
using CimConvert.Oci;
using CimConvert.Storage;

namespace CimConvert.Store;

/// <summary>
/// Says that a living process uses layers, whether they are in the store yet or not: as long as it is not disposed, and its
/// process lives, nobody collects them. A file under <c>ingest/</c> that names them, a chain ID a line, and that is locked so
/// that others can read it.
/// </summary>
internal sealed class StoreLease : IDisposable
{
    internal const string Suffix = ".lease";

    private static readonly FileOptions s_options = OperatingSystem.IsWindows() ? FileOptions.DeleteOnClose : FileOptions.None;

    private static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(20);

    private static int s_leases;

    private readonly FileStream _file;

    private StoreLease(FileStream file) => _file = file;

    public void Dispose()
    {
        // As with FileLock: the name goes first, where that can be.
        if (!OperatingSystem.IsWindows())
        {
            File.Delete(_file.Name);
        }

        _file.Dispose();
    }

    /// <summary>Called by one at a time: see <see cref="ConversionStore.LockAsync"/>.</summary>
    internal static StoreLease Register(ConversionStore store, IReadOnlyList<ChainId> layers)
    {
        while (true)
        {
            var path = Path.Combine(store.IngestRoot, FormattableString.Invariant($"{Environment.ProcessId}-{Interlocked.Increment(ref s_leases)}{Suffix}"));

            // Containers that share a store may have the same process IDs.
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

    /// <summary>The layers of all living leases. Complete only while nobody can register: see <see cref="ConversionStore.LockAsync"/>.</summary>
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

    /// <summary>None where the process is gone. Those who look lock the file too, each for a moment: then it is tried again.</summary>
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
                await Task.Delay(s_pause, cancellationToken);
            }
        }
    }

    /// <summary>Null where somebody took it for dead before it was locked.</summary>
    private static FileStream? TryHold(string path)
    {
        try
        {
            // Opened to read, it is locked on every file system: .NET does not lock what is opened to write and shared on NFS and SMB.
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
