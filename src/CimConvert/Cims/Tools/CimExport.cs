using System.Buffers;
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

    private static void Copy(IRandomReader file, string path, CancellationToken cancellationToken)
    {
        if (File.Exists(path))
        {
            CheckSame(file, path, cancellationToken);
            return;
        }

        AtomicFile.Write(path, stream => Copy(file, stream, cancellationToken), overwrite: false);
    }

    private static void Copy(IRandomReader file, Stream target, CancellationToken cancellationToken)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(BufferSize);
        try
        {
            for (long at = 0; at < file.Length;)
            {
                cancellationToken.ThrowIfCancellationRequested();
                var chunk = buffer.AsSpan(0, (int)Math.Min(BufferSize, file.Length - at));
                file.ReadAt(at, chunk);
                target.Write(chunk);
                at += chunk.Length;
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>Region files are named by a GUID, but a hostile CIM may claim another's: files that exist are never replaced.</summary>
    private static void CheckSame(IRandomReader file, string path, CancellationToken cancellationToken)
    {
        using var existing = new FileRandomReader(path);
        if (!FileComparison.AreEqual(file, existing, cancellationToken))
        {
            throw new IOException($"'{path}' exists already, with other content: remove it first, or choose another directory");
        }
    }
}
