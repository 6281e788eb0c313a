using CimConvert.Formats.Binary;
using CimConvert.Formats.Cim;
using CimConvert.Formats.Windows;

namespace CimConvert.Cims.Tools;

/// <summary>The result of an extraction.</summary>
/// <param name="Files">Files written; each hard link is a copy.</param>
/// <param name="Directories">Directories created.</param>
/// <param name="Links">Symbolic links created.</param>
/// <param name="Bytes">Bytes of the files.</param>
/// <param name="Skipped">What was left out, one line for each.</param>
internal sealed record ExtractionResult(long Files, long Directories, long Links, long Bytes, IReadOnlyList<string> Skipped);

/// <summary>
/// Writes the files of a CIM into a new or empty directory. Nothing is written through a link: links are created last, and only relative
/// ones that stay inside; devices and other special files are never created. Attributes, security descriptors and alternate streams are not
/// extracted.
/// </summary>
internal sealed class CimExtraction
{
    private const int BufferSize = 1024 * 1024;

    private readonly CimReader _cim;
    private readonly string _root;
    private readonly List<(string Path, string Target)> _links = [];
    private readonly List<string> _skipped = [];
    private long _files;
    private long _directories;
    private long _bytes;

    private CimExtraction(CimReader cim, string root) => (_cim, _root) = (cim, root);

    /// <exception cref="IOException">The directory is not empty, or cannot be written; then it is left as it was.</exception>
    /// <exception cref="InvalidDataException">The CIM is inconsistent.</exception>
    /// <exception cref="ConversionException">The files do not fit on the disk.</exception>
    public static ExtractionResult Extract(CimReader cim, string directory, CancellationToken cancellationToken)
    {
        var root = Path.GetFullPath(directory);
        var isNew = !Directory.Exists(root);
        if (!isNew && Directory.EnumerateFileSystemEntries(root).Any())
        {
            throw new IOException($"'{directory}' is not empty: extract into a new directory");
        }

        Directory.CreateDirectory(root);
        try
        {
            CheckSpace(cim, root, cancellationToken);
            return new CimExtraction(cim, root).ExtractAll(cancellationToken);
        }
        catch
        {
            Clear(root, isNew);
            throw;
        }
    }

    /// <summary>
    /// Checks the free space first: files of a CIM may share their content, so a small CIM can expand to more than any disk holds.
    /// </summary>
    private static void CheckSpace(CimReader cim, string root, CancellationToken cancellationToken)
    {
        var free = new DriveInfo(root).AvailableFreeSpace;
        var needed = Int128.Zero;
        foreach (var (path, entry) in CimWalk.Below(cim, CimPath.Root, cim.Root))
        {
            cancellationToken.ThrowIfCancellationRequested();
            needed += entry.Data.IsSparse || CimListing.TypeOf(entry) != CimEntryType.File ? 0 : entry.Size;
            if (needed > free)
            {
                throw new ConversionException($"the CIM's files up to '{path}' have {needed} bytes, and {free} are free on the disk of '{root}'");
            }
        }
    }

    private static void Clear(string root, bool remove)
    {
        foreach (var entry in new DirectoryInfo(root).EnumerateFileSystemInfos())
        {
            if (entry is DirectoryInfo directory)
            {
                directory.Delete(recursive: true);
            }
            else
            {
                entry.Delete();
            }
        }

        if (remove)
        {
            Directory.Delete(root);
        }
    }

    private ExtractionResult ExtractAll(CancellationToken cancellationToken)
    {
        CimPath? leftOut = null;
        foreach (var (path, entry) in CimWalk.Below(_cim, CimPath.Root, _cim.Root))
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (leftOut is { } above && path.Value.StartsWith(above.Value + CimPath.Separator, StringComparison.Ordinal))
            {
                continue;
            }

            if (ValidateHostName(path.Name) is { } why)
            {
                Skip(path, $"its name {why}");
                leftOut = path;
                continue;
            }

            ExtractEntry(path, entry);
        }

        foreach (var (path, target) in _links)
        {
            File.CreateSymbolicLink(path, target);
        }

        return new ExtractionResult(_files, _directories, _links.Count, _bytes, _skipped);
    }

    /// <summary>CimFS allows names that mean something else on this system.</summary>
    private static string? ValidateHostName(string name) =>
        OperatingSystem.IsWindows() ? HostFileName.Validate(name) : HostFileName.IsText(name) ? null : "is no valid UTF-16";

    private void ExtractEntry(CimPath path, CimEntry entry)
    {
        var target = Path.Combine(_root, path.Value.Replace(CimPath.Separator, Path.DirectorySeparatorChar));
        var type = CimListing.TypeOf(entry);
        switch (type)
        {
            case CimEntryType.Directory:
                Directory.CreateDirectory(target);
                _directories++;
                break;
            case CimEntryType.File:
                Write(entry, target);
                break;
            case CimEntryType.Symlink when ReparseTarget.Read(_cim.Reparse(entry)) is { IsRelative: true } link && StaysInside(path, link.PrintName):
                _links.Add((target, link.PrintName.Replace(CimPath.Separator, Path.DirectorySeparatorChar)));
                break;
            default:
                Skip(path, type.ToString().ToLowerInvariant());
                break;
        }

        foreach (var stream in _cim.AlternateStreams(entry))
        {
            _skipped.Add($"{path}:{stream.Name}: alternate stream");
        }
    }

    private void Write(CimEntry entry, string target)
    {
        using var data = _cim.OpenStream(entry.Data);
        using var stream = new FileStream(target, FileMode.CreateNew, FileAccess.Write, FileShare.None, bufferSize: 0);
        if (entry.Data.IsSparse)
        {
            // A sparse stream has no stored content. Written out, a few bytes of metadata could fill the disk.
            stream.SetLength(entry.Size);
        }
        else
        {
            data.CopyTo(stream, BufferSize);
        }

        _files++;
        _bytes += entry.Size;
    }

    private void Skip(CimPath path, string why) => _skipped.Add($"{path}: {why}");

    /// <summary>
    /// Whether a relative target stays below the root of the CIM, whatever links it leads over: <c>..</c> may only come first, where the
    /// directories it climbs from are not links.
    /// </summary>
    private static bool StaysInside(CimPath link, string target)
    {
        var parts = target.Split(CimPath.Separator, '/').Where(part => part != ".").ToArray();
        var ups = parts.TakeWhile(part => part == "..").Count();
        return ups < link.Depth && parts.Skip(ups).All(part => CimPath.ValidateName(part) is null);
    }
}
