using CimConvert.Formats.Binary;
using CimConvert.Formats.Cim;

namespace CimConvert.Cims;

/// <summary>
/// The files of a standard CIM. They are found through its header, never by a pattern of names, and the header is untrusted: what it says
/// about files is checked.
/// </summary>
internal sealed class StandardCim
{
    private StandardCim(string path, CimHeader header) => (Path, Header) = (path, header);

    /// <summary>The full path of its <c>.cim</c> file.</summary>
    public string Path { get; }

    public CimHeader Header { get; }

    /// <summary>Full paths of its own region and object ID files, whether they exist or not.</summary>
    public IEnumerable<string> OwnFiles => FilesOf(Header.Own);

    /// <summary>Full paths of its parents' region and object ID files, each once.</summary>
    public IEnumerable<string> ParentFiles => Header.Parents.Distinct().SelectMany(FilesOf);

    /// <summary>Full paths of its parents' region files, which it cannot be read without.</summary>
    public IEnumerable<string> ParentRegions => Header.Parents.Distinct().SelectMany(set => set.RegionNames).Select(FileOf);

    private string Directory => System.IO.Path.GetDirectoryName(Path)!;

    /// <summary>Whether a location is a standard CIM's and not a block file's.</summary>
    public static bool IsLocation(string location) => location.EndsWith(OpenCim.StandardExtension, StringComparison.OrdinalIgnoreCase);

    /// <summary>Windows looks for the region files of a CIM's parents beside it, so all CIMs of a chain must be in one directory.</summary>
    /// <exception cref="ConversionException">They are not.</exception>
    public static void RequireOneDirectory(string cimFile, string? parentCim)
    {
        if (parentCim is not null && DirectoryOf(cimFile) != DirectoryOf(parentCim))
        {
            throw new ConversionException($"'{cimFile}' and its parent '{parentCim}' are not in one directory: all CIMs of a chain must be");
        }
    }

    /// <exception cref="InvalidDataException">The file is not a <c>.cim</c> file of a known version; the message names it.</exception>
    public static StandardCim Open(string cimFile)
    {
        var path = System.IO.Path.GetFullPath(cimFile);
        try
        {
            using var file = new FileRandomReader(path);
            return new StandardCim(path, CimHeader.Read(file));
        }
        catch (InvalidDataException e)
        {
            throw new InvalidDataException($"'{path}': {e.Message}", e);
        }
    }

    /// <summary>The <c>.cim</c> files beside it, sorted.</summary>
    public IEnumerable<string> Neighbours() => System.IO.Directory.EnumerateFiles(Directory)
        .Where(file => IsLocation(file) && !string.Equals(file, Path, StringComparison.Ordinal))
        .Order(StringComparer.Ordinal);

    /// <summary>The disk space of its files.</summary>
    /// <exception cref="InvalidDataException">One of its own region files is missing or is not a region file.</exception>
    public CimUsage Usage()
    {
        CheckRegions();
        var own = OwnFiles.Append(Path).Where(File.Exists).ToArray();
        var parents = ParentFiles.Where(File.Exists).ToArray();
        return new CimUsage(own.Length, own.Sum(SizeOf), parents.Length, parents.Sum(SizeOf));
    }

    /// <summary>Checks that its own region files exist, and are the regions that their names say.</summary>
    /// <exception cref="InvalidDataException">A file is missing or wrong; the message names the first one.</exception>
    public void CheckRegions()
    {
        // Region and object ID files alternate.
        foreach (var (n, path) in OwnFiles.Index().Where(file => file.Index % 2 == 0))
        {
            var i = n / 2;
            if (!File.Exists(path))
            {
                throw new InvalidDataException($"region file '{path}', number {i} of the {Header.Own.Count} that '{Path}' says it has, is missing");
            }

            using var file = new FileRandomReader(path);
            try
            {
                if (CimHeader.ReadRegion(file).Index != i)
                {
                    throw new InvalidDataException("it says that it is another region of its set");
                }
            }
            catch (InvalidDataException e)
            {
                throw new InvalidDataException($"'{path}' is not the region file that '{Path}' says it is: {e.Message}", e);
            }
        }
    }

    private static string DirectoryOf(string file) => System.IO.Path.GetDirectoryName(System.IO.Path.GetFullPath(file))!;

    private static long SizeOf(string file) => new FileInfo(file).Length;

    private IEnumerable<string> FilesOf(RegionSet set) => set.FileNames.Select(FileOf);

    private string FileOf(string name) => System.IO.Path.Combine(Directory, name);
}

/// <summary>The disk space of a standard CIM.</summary>
/// <param name="OwnFiles">Region files, object ID files and the <c>.cim</c> file.</param>
/// <param name="OwnBytes">Bytes of these files: what destroying the CIM frees.</param>
/// <param name="ParentFiles">Files of its parents that exist.</param>
/// <param name="ParentBytes">Bytes of the parents' files, which other CIMs may share.</param>
public sealed record CimUsage(int OwnFiles, long OwnBytes, int ParentFiles, long ParentBytes);
