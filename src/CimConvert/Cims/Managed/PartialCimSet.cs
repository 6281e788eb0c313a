using CimConvert.Formats.Binary;
using CimConvert.Formats.Cim;
using CimConvert.Storage;

namespace CimConvert.Cims.Managed;

/// <summary>
/// A standard CIM that is being written: its files are written in a folder of their own, flushed, and moved into place, the
/// <c>.cim</c> file last, because it makes them a CIM. Disposing before that removes all of them; files that a killed process left are
/// removed by the next writer of a CIM of that name.
/// </summary>
internal sealed class PartialCimSet : ICimTarget
{
    private const string ClaimSuffix = ".claim";

    private readonly string _path;
    private readonly string? _parent;
    private readonly string _directory;
    private readonly string _name;
    private readonly FileStream _claim;
    private readonly List<string> _moved = [];
    private CimSetWriter? _files;
    private bool _finished;

    /// <param name="cimFile">
    /// The final path of the <c>.cim</c> file, which must not exist. Its directory is created if it is missing.
    /// </param>
    /// <param name="parentCim">The CIM it is forked from, which must still exist at the end; null for none.</param>
    /// <param name="workFolder">Holds the files until they are complete, on the same file system; null for one beside the <c>.cim</c> file.</param>
    public PartialCimSet(string cimFile, string? parentCim, string? workFolder = null)
    {
        _path = Path.GetFullPath(cimFile);
        _parent = parentCim;
        _directory = Path.GetDirectoryName(_path)!;
        _name = Path.GetFileName(_path);
        Folder = workFolder is null ? _path + AtomicFile.PartialSuffix : Path.GetFullPath(workFolder);
        if (!_name.EndsWith(OpenCim.StandardExtension, StringComparison.OrdinalIgnoreCase))
        {
            throw new ConversionException($"'{cimFile}' does not end in '{OpenCim.StandardExtension}', as the name of a standard CIM does");
        }

        if (Path.Exists(_path))
        {
            throw new IOException($"'{_path}' exists already: remove it first, or choose another name");
        }

        // Two processes that write the same target would corrupt it. The system removes the claim when its process ends, however it ends.
        Directory.CreateDirectory(_directory);
        var claim = (workFolder is null ? _path : Folder) + ClaimSuffix;
        HostLinks.Refuse(claim);
        _claim = new FileStream(claim, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, 1, FileOptions.DeleteOnClose);
        try
        {
            RemoveLeftovers();
            Directory.CreateDirectory(Folder);
        }
        catch
        {
            _claim.Dispose();
            throw;
        }
    }

    /// <summary>Fails where a file of one of the set's names is there already, instead of replacing it.</summary>
    public bool KeepsOthers { get; init; }

    /// <summary>The folder that holds the files until they are complete.</summary>
    public string Folder { get; }

    /// <summary>Writes the files into <see cref="Folder"/>, for the managed writer.</summary>
    public IFileSetWriter Files => _files ??= new CimSetWriter(Folder);

    /// <summary>Moves the files from the folder to their places. The options are for block files only and have no effect.</summary>
    public CommittedCim Finish(BlockCimOptions options, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var size = 0L;
        foreach (var file in Directory.EnumerateFiles(Folder).OrderBy(file => Path.GetFileName(file) == _name).ThenBy(file => file, StringComparer.Ordinal).ToArray())
        {
            size += new FileInfo(file).Length;
            var target = Path.Combine(_directory, Path.GetFileName(file));
            AtomicFile.Rename(file, target, overwrite: !KeepsOthers);
            _moved.Add(target);
        }

        if (_moved.LastOrDefault() != _path)
        {
            throw new InvalidDataException($"the writer left no '{_name}'");
        }

        // Now that the CIM has its name, it is found as a child and keeps its parent from being destroyed. Until now nothing did.
        if (_parent is not null && !File.Exists(_parent))
        {
            throw new ConversionException($"'{_path}': its parent '{_parent}' was removed while it was forked from it");
        }

        // The caller may move the directory now: nothing in it may be open, and no temporary file may be left.
        _finished = true;
        RemoveFolder();
        _claim.Dispose();
        return new CommittedCim(_path, size, null);
    }

    public void Dispose()
    {
        _files?.Dispose();
        if (!_finished)
        {
            _moved.ForEach(File.Delete);
        }

        RemoveFolder();
        _claim.Dispose();
    }

    /// <summary>
    /// Removes what a killed process left. If it was killed while moving the files, some are in their places, where nothing refers to them;
    /// the <c>.cim</c> file, still in the folder, says which.
    /// </summary>
    private void RemoveLeftovers()
    {
        var cim = Path.Combine(Folder, _name);
        if (File.Exists(cim))
        {
            foreach (var name in OwnFileNames(cim))
            {
                File.Delete(Path.Combine(_directory, name));
            }
        }

        RemoveFolder();
    }

    /// <summary>Empty if the <c>.cim</c> file is incomplete: then nothing had been moved.</summary>
    private static IEnumerable<string> OwnFileNames(string cim)
    {
        try
        {
            using var file = new FileRandomReader(cim);
            return CimHeader.Read(file).OwnFileNames;
        }
        catch (InvalidDataException)
        {
            return [];
        }
    }

    private void RemoveFolder()
    {
        if (Directory.Exists(Folder))
        {
            Directory.Delete(Folder, recursive: true);
        }
    }
}
