using CimConvert.Formats.Binary;
using CimConvert.Formats.BlockFile;
using CimConvert.Formats.Cim;

namespace CimConvert.Cims;

/// <summary>
/// A CIM opened for reading, from a block file or a standard set, with the files of its parents or sources. Owns all of them.
/// </summary>
internal sealed class OpenCim : IDisposable
{
    /// <summary>Separates a block file's path from the name of a CIM in it.</summary>
    public const string NameSeparator = "::";

    internal const string StandardExtension = ".cim";

    private readonly List<BlockFileReader> _blockFiles;

    private OpenCim(CimReader cim, string name, IFileSet files, IReadOnlyList<IFileSet> sources, List<BlockFileReader> blockFiles)
    {
        Cim = cim;
        Name = name;
        Files = files;
        Sources = sources;
        _blockFiles = blockFiles;
    }

    public CimReader Cim { get; }

    /// <summary>The CIM's name: the name of its filesystem file.</summary>
    public string Name { get; }

    /// <summary>The CIM's own standard files.</summary>
    public IFileSet Files { get; }

    /// <summary>The standard files of its parents or sources.</summary>
    public IReadOnlyList<IFileSet> Sources { get; }

    /// <summary>The block file that contains it; null for a standard set.</summary>
    public BlockFileReader? Container => _blockFiles.Count > 0 ? _blockFiles[0] : null;

    /// <param name="location">A block file, <c>FILE::NAME</c> for one CIM of several, or a standard <c>.cim</c> file.</param>
    /// <param name="sources">The locations of a merged CIM's sources.</param>
    /// <exception cref="InvalidDataException">The file is not a CIM, or a damaged one; the message names it.</exception>
    public static OpenCim Open(string location, IReadOnlyList<string> sources)
    {
        ArgumentNullException.ThrowIfNull(location);
        var (path, name) = Split(location);
        return Open(path, name, sources);
    }

    /// <summary>Opens one CIM of a block file, or its only one if <paramref name="cimName"/> is null.</summary>
    public static OpenCim Open(string path, string? cimName, params IReadOnlyList<string> sources)
    {
        ArgumentNullException.ThrowIfNull(path);
        var blockFiles = new List<BlockFileReader>();
        try
        {
            var (name, files) = OpenFiles(path, cimName, blockFiles);
            var sourceFiles = new List<IFileSet>();
            foreach (var source in sources)
            {
                var (sourcePath, sourceName) = Split(source);
                sourceFiles.Add(OpenFiles(sourcePath, sourceName, blockFiles).Files);
            }

            return new OpenCim(new CimReader(name, [files, .. sourceFiles]), name, files, sourceFiles, blockFiles);
        }
        catch (InvalidDataException e)
        {
            blockFiles.ForEach(f => f.Dispose());
            throw new InvalidDataException($"'{path}': {e.Message}", e);
        }
        catch
        {
            blockFiles.ForEach(f => f.Dispose());
            throw;
        }
    }

    public void Dispose()
    {
        Cim.Dispose();
        _blockFiles.ForEach(f => f.Dispose());
    }

    /// <summary>
    /// Every standard file that the CIM needs: its parents' or sources' first, and its filesystem file last, which makes the set a CIM. The
    /// caller disposes each.
    /// </summary>
    /// <exception cref="InvalidDataException">A file is missing.</exception>
    internal IEnumerable<(string Name, IRandomReader File)> AllFiles()
    {
        foreach (var name in Cim.ParentFileNames)
        {
            yield return (name, Sources.Prepend(Files).Select(set => set.TryOpen(name)).FirstOrDefault(file => file is not null) ?? throw Missing(name));
        }

        foreach (var name in Cim.OwnFileNames.Append(Name))
        {
            yield return (name, Files.TryOpen(name) ?? throw Missing(name));
        }

        static InvalidDataException Missing(string name) => new($"file '{name}' of the CIM is missing");
    }

    internal static (string Path, string? Name) Split(string location)
    {
        var cut = location.LastIndexOf(NameSeparator, StringComparison.Ordinal);
        return cut > 0 && !File.Exists(location) ? (location[..cut], location[(cut + NameSeparator.Length)..]) : (location, null);
    }

    private static (string Name, IFileSet Files) OpenFiles(string path, string? cimName, List<BlockFileReader> blockFiles)
    {
        if (cimName is null && path.EndsWith(StandardExtension, StringComparison.OrdinalIgnoreCase))
        {
            var directory = Path.GetDirectoryName(Path.GetFullPath(path))!;
            return (Path.GetFileName(path), new DirectoryFileSet(directory));
        }

        var container = new BlockFileReader(new FileRandomReader(path));
        blockFiles.Add(container);
        var name = cimName ?? OnlyName(container);
        return (name, container.OpenSet(name));
    }

    private static string OnlyName(BlockFileReader container)
    {
        var names = container.SetNames.ToArray();
        return names.Length == 1
            ? names[0]
            : throw new InvalidDataException(
                $"the block file holds {names.Length} CIMs ({string.Join(", ", names)}): say which with FILE{NameSeparator}NAME");
    }

    /// <summary>The standard files of CIMs in one directory.</summary>
    private sealed class DirectoryFileSet(string directory) : IFileSet
    {
        public IRandomReader? TryOpen(string name)
        {
            var path = Path.Combine(directory, name);
            return File.Exists(path) ? new FileRandomReader(path) : null;
        }
    }
}
