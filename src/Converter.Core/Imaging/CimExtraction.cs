using Converter.Formats.Cim;

namespace Converter.Core.Imaging;

/// <summary>What an extraction made.</summary>
/// <param name="Files">Files written, hard links as copies.</param>
/// <param name="Directories">Directories made.</param>
/// <param name="Links">Symbolic links made.</param>
/// <param name="Bytes">Bytes of files.</param>
/// <param name="Skipped">What was left out, one line each.</param>
public sealed record ExtractionResult(long Files, long Directories, long Links, long Bytes, IReadOnlyList<string> Skipped);

/// <summary>
/// Writes the files of a CIM below a new directory. Nothing is written through a link: links are made last, only relative ones
/// that stay inside, and no device or other special file is ever made. Attributes, descriptors and streams stay in the CIM.
/// </summary>
public static class CimExtraction
{
    private const int BufferSize = 1024 * 1024;

    /// <exception cref="IOException">The directory exists and has something in it, or cannot be written.</exception>
    public static ExtractionResult Run(CimReader cim, string directory, CancellationToken cancellation)
    {
        var root = Path.GetFullPath(directory);
        if (Directory.Exists(root) && Directory.EnumerateFileSystemEntries(root).Any())
        {
            throw new IOException($"'{directory}' is not empty: extract into a new directory");
        }

        Directory.CreateDirectory(root);
        var (files, directories, bytes) = (0L, 0L, 0L);
        var links = new List<(string Path, string Target)>();
        var skipped = new List<string>();
        foreach (var (path, entry) in CimWalk.Below(cim, CimPath.Root, cim.Root))
        {
            cancellation.ThrowIfCancellationRequested();
            var target = HostPath(root, path);
            var type = CimListing.TypeOf(entry);
            if (type == CimEntryType.Directory)
            {
                Directory.CreateDirectory(target);
                directories++;
            }
            else if (type == CimEntryType.File)
            {
                using var data = cim.OpenStream(entry.Data);
                using var stream = new FileStream(target, FileMode.CreateNew, FileAccess.Write, FileShare.None, bufferSize: 0);
                if (entry.Data.IsSparse)
                {
                    // Nothing of it is stored: written out, a few bytes of metadata could fill the disk.
                    stream.SetLength(entry.Size);
                }
                else
                {
                    data.CopyTo(stream, BufferSize);
                }

                files++;
                bytes += entry.Size;
            }
            else if (type == CimEntryType.Symlink && ReparseTarget.Read(cim.Reparse(entry)) is { IsRelative: true } link && StaysInside(path, link.PrintName))
            {
                links.Add((target, link.PrintName.Replace(CimPath.Separator, Path.DirectorySeparatorChar)));
            }
            else
            {
                skipped.Add($"{path}: {type.ToString().ToLowerInvariant()}");
            }

            foreach (var stream in cim.AlternateStreams(entry))
            {
                skipped.Add($"{path}:{stream.Name}: alternate stream");
            }
        }

        foreach (var (path, target) in links)
        {
            File.CreateSymbolicLink(path, target);
        }

        return new ExtractionResult(files, directories, links.Count, bytes, skipped);
    }

    private static string HostPath(string root, CimPath path) =>
        Path.Combine(root, path.Value.Replace(CimPath.Separator, Path.DirectorySeparatorChar));

    /// <summary>Whether a relative target, followed component by component, never leaves the image's root.</summary>
    private static bool StaysInside(CimPath link, string target)
    {
        var depth = link.Parent.IsRoot ? 0 : link.Parent.Value.Count(c => c == CimPath.Separator) + 1;
        foreach (var part in target.Split('\\', '/'))
        {
            depth += part switch
            {
                "" or "." => 0,
                ".." => -1,
                _ => 1,
            };
            if (depth < 0 || part.Contains(':', StringComparison.Ordinal))
            {
                return false;
            }
        }

        return target.Length > 0 && target[0] is not ('\\' or '/');
    }
}
