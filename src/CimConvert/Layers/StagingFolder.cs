using CimConvert.Formats.Cim;
using CimConvert.Storage;

namespace CimConvert.Layers;

/// <summary>
/// The standard files of a layer while they wait on disk, in the layer's folder at their standard paths. Disposing removes those that are
/// not kept. The folder may be a user's, so only files that this class created are removed, and the folders that are empty then.
/// </summary>
internal sealed class StagingFolder(string layerFolder) : IDisposable
{
    private readonly string _root = Path.TrimEndingDirectorySeparator(layerFolder);
    private readonly HashSet<CimPath> _staged = [];

    /// <summary>Creates a file for an entry's data; an earlier one of that name is replaced. The caller disposes it.</summary>
    public FileStream Create(CimPath standard) => new(Claim(standard), FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 0);

    public FileStream Open(CimPath standard) =>
        new(FileOf(standard), FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0, FileOptions.SequentialScan);

    /// <summary>
    /// Renames a file. hcsshim makes a hard link and deletes the first name later; a rename gives the same result on every file system.
    /// </summary>
    public void Move(CimPath standard, CimPath to) => File.Move(FileOf(standard), Claim(to), overwrite: true);

    /// <summary>Keeps files, and flushes them to the disk: they must be there before the CIM beside them gets its final name.</summary>
    public void Keep(IReadOnlyCollection<CimPath> paths)
    {
        foreach (var path in paths)
        {
            using var stream = new FileStream(FileOf(path), FileMode.Open, FileAccess.Write, FileShare.None, bufferSize: 0);
            stream.Flush(flushToDisk: true);
        }

        _staged.ExceptWith(paths);
    }

    public void Dispose()
    {
        foreach (var path in _staged)
        {
            var file = FileOf(path);
            if (File.Exists(file))
            {
                File.Delete(file);
            }

            for (var folder = path.Parent; !folder.IsRoot; folder = folder.Parent)
            {
                RemoveIfEmpty(FileOf(folder));
            }
        }

        _staged.Clear();
    }

    private static void RemoveIfEmpty(string folder)
    {
        if (Directory.Exists(folder) && !Directory.EnumerateFileSystemEntries(folder).Any())
        {
            Directory.Delete(folder);
        }
    }

    private string Claim(CimPath path)
    {
        var file = FileOf(path);
        HostLinks.RefuseBelow(_root, file);
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        _staged.Add(path);
        return file;
    }

    private string FileOf(CimPath path) => Path.Combine(_root, path.Value.Replace(CimPath.Separator, Path.DirectorySeparatorChar));
}
