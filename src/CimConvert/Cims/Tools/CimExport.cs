using System.Buffers;
using CimConvert.Cims.Managed;
using CimConvert.Formats.Binary;
using CimConvert.Storage;

namespace CimConvert.Cims.Tools;

/// <summary>
/// Copies a CIM's standard files, byte for byte, into a directory, with those of a merged CIM's sources. The result is a standard set that
/// can be opened by itself.
/// </summary>
internal static class CimExport
{
    private const int BufferSize = 1024 * 1024;
    private const int CompareSize = 64 * 1024;

    /// <param name="cim">The CIM to export.</param>
    /// <param name="directory">Created if it is missing. Region files that exist already are kept if they have the same content.</param>
    /// <param name="cancellationToken">Cancels. Region files may be left behind, but never the <c>.cim</c> file.</param>
    /// <returns>Names of the files, the <c>.cim</c> file last.</returns>
    public static IReadOnlyList<string> ExportTo(this OpenCim cim, string directory, CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(directory);
        var target = Path.Combine(directory, cim.Name);
        if (File.Exists(target))
        {
            throw new IOException($"'{target}' exists already: remove it first, or choose another directory");
        }

        var names = new List<string>();
        foreach (var (name, file) in cim.AllFiles())
        {
            using (file)
            {
                Copy(file, Path.Combine(directory, name), cancellationToken);
            }

            names.Add(name);
        }

        return names;
    }

    /// <summary>
    /// Region sets have unique IDs, but a malicious CIM may use another's: files that exist are compared and never replaced.
    /// </summary>
    private static void CheckSame(IRandomReader file, string path, CancellationToken cancellationToken)
    {
        using var existing = new FileRandomReader(path);
        var (expected, actual) = (new byte[CompareSize], new byte[CompareSize]);
        var isSame = existing.Length == file.Length;
        for (long at = 0; isSame && at < file.Length; at += CompareSize)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var count = (int)Math.Min(CompareSize, file.Length - at);
            file.ReadAt(at, expected.AsSpan(0, count));
            existing.ReadAt(at, actual.AsSpan(0, count));
            isSame = expected.AsSpan(0, count).SequenceEqual(actual.AsSpan(0, count));
        }

        if (!isSame)
        {
            throw new IOException($"'{path}' exists already, with other content: remove it first, or choose another directory");
        }
    }

    private static void Copy(IRandomReader file, string path, CancellationToken cancellationToken)
    {
        if (File.Exists(path))
        {
            CheckSame(file, path, cancellationToken);
            return;
        }

        var partial = path + PartialBlockFile.Suffix;
        HostLinks.Refuse(partial);
        var buffer = ArrayPool<byte>.Shared.Rent(BufferSize);
        try
        {
            using (var stream = new FileStream(partial, FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 0))
            {
                for (long at = 0; at < file.Length;)
                {
                    cancellationToken.ThrowIfCancellationRequested();
                    var chunk = buffer.AsSpan(0, (int)Math.Min(BufferSize, file.Length - at));
                    file.ReadAt(at, chunk);
                    stream.Write(chunk);
                    at += chunk.Length;
                }

                stream.Flush(flushToDisk: true);
            }

            File.Move(partial, path, overwrite: false);
        }
        catch
        {
            File.Delete(partial);
            throw;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}
