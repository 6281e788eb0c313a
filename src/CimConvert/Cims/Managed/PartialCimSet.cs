using CimConvert.Formats.Binary;
using CimConvert.Formats.Cim;
using CimConvert.Storage;

namespace CimConvert.Cims.Managed;

/// <summary>
/// A standard CIM on its way: its files are written in a folder beside its final name, flushed, and moved to their places, the
/// <c>.cim</c> last, as it makes them a CIM. Disposed before that, all of it is removed; what a killed process left is removed by
/// the next that makes a CIM of that name.
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

    /// <param name="cimFile">The final name; nothing may have it yet. Its directory is made where it is missing.</param>
    /// <param name="parentCim">The CIM it is forked from, which must still be there at the end; null for none.</param>
    public PartialCimSet(string cimFile, string? parentCim)
    {
        _path = Path.GetFullPath(cimFile);
        _parent = parentCim;
        _directory = Path.GetDirectoryName(_path)!;
        _name = Path.GetFileName(_path);
        Folder = _path + PartialBlockFile.Suffix;
        if (!_name.EndsWith(OpenCim.StandardExtension, StringComparison.OrdinalIgnoreCase))
        {
            throw new ConversionException($"'{cimFile}' does not end in '{OpenCim.StandardExtension}', as the name of a standard CIM does");
        }

        if (Path.Exists(_path))
        {
            throw new IOException($"'{_path}' exists already: remove it first, or choose another name");
        }

        // Two processes writing one target would tear it. The system removes the claim with its process, however that ends.
        Directory.CreateDirectory(_directory);
        HostLinks.Refuse(_path + ClaimSuffix);
        _claim = new FileStream(_path + ClaimSuffix, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, 1, FileOptions.DeleteOnClose);
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

    /// <summary>Where the files are until they are whole.</summary>
    public string Folder { get; }

    /// <summary>Where the managed writer puts them.</summary>
    public IFileSetWriter Files => _files ??= new CimSetWriter(Folder);

    /// <summary>Moves what is in the folder to its place: the options are for block files, and none of them means anything here.</summary>
    public CommittedCim Finish(BlockCimOptions options, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var size = 0L;
        foreach (var file in Directory.EnumerateFiles(Folder).OrderBy(file => Path.GetFileName(file) == _name).ThenBy(file => file, StringComparer.Ordinal).ToArray())
        {
            size += new FileInfo(file).Length;
            var target = Path.Combine(_directory, Path.GetFileName(file));
            File.Move(file, target, overwrite: true);
            _moved.Add(target);
        }

        if (_moved.LastOrDefault() != _path)
        {
            throw new InvalidDataException($"the writer left no '{_name}'");
        }

        // From now on it counts as a child, and keeps its parent from being destroyed; until now it did not.
        if (_parent is not null && !File.Exists(_parent))
        {
            throw new ConversionException($"'{_path}': its parent '{_parent}' was removed while it was forked from it");
        }

        // The folder it lies in may be moved now: nothing of this may be open or left in it.
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
    /// A process killed while it moved the files left some in their places, where nothing refers to them: the <c>.cim</c>, still in
    /// the folder, says which.
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

    /// <summary>None where the <c>.cim</c> is torn: then nothing was moved.</summary>
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
