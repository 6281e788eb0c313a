using CimConvert.Formats.Cim;
using CimConvert.Storage;

namespace CimConvert.Layers;

/// <summary>
/// The standard files of a layer while they wait on disk, under the layer's folder at their own paths.
/// Whatever is not kept goes when this does; only files it made and folders it left empty, for the folder may be a user's.
/// </summary>
internal sealed class StagingFolder(string layerFolder) : IDisposable
{
    private readonly string _root = Path.TrimEndingDirectorySeparator(layerFolder);
    private readonly HashSet<CimPath> _staged = [];

    /// <summary>Makes a file for an entry's data; an earlier one of that name is replaced. The caller disposes it.</summary>
    public FileStream Create(CimPath standard) => new(Claim(standard), FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 0);

    public FileStream Open(CimPath standard) =>
        new(FileOf(standard), FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0, FileOptions.SequentialScan);

    /// <summary>
    /// Gives a file another name. The reference makes a hard link; as the first name goes anyway, a rename leaves the same,
    /// on every file system.
    /// </summary>
    public void Move(CimPath standard, CimPath to) => File.Move(FileOf(standard), Claim(to), overwrite: true);

    /// <summary>Lets files stay, once all are on disk: the image beside them is only renamed into place when they are.</summary>
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
