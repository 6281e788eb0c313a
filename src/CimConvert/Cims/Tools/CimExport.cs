using System.Buffers;
using CimConvert.Formats.Binary;
using CimConvert.Storage;

namespace CimConvert.Cims.Tools;

/// <summary>
/// Copies a CIM's standard files, byte for byte, into a directory, with those of the sources a merged CIM needs: what comes
/// out is a standard set that opens by itself.
/// </summary>
internal static class CimExport
{
    private const int BufferSize = 1024 * 1024;

    /// <param name="image">What to export.</param>
    /// <param name="directory">Made where it is missing. Files of region sets that are there already are left, if they are the same.</param>
    /// <param name="cancellationToken">Leaves region files at worst, never the CIM's own name.</param>
    /// <returns>Names of the files, the CIM's own last.</returns>
    public static IReadOnlyList<string> Run(OpenCim image, string directory, CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(directory);
        var target = Path.Combine(directory, image.Name);
        if (File.Exists(target))
        {
            throw new IOException($"'{target}' exists already: remove it first, or choose another directory");
        }

        var names = new List<string>();
        foreach (var (name, file) in image.AllFiles())
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
