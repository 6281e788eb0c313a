using CimConvert.Formats.Binary;
using CimConvert.Formats.Cim;

namespace CimConvert.Cims;

/// <summary>
/// A standard CIM by the files it has in its directory. They are found through its header, never by a pattern of names, and the
/// header is not believed further than that.
/// </summary>
internal sealed class StandardCim
{
    private StandardCim(string path, CimHeader header) => (Path, Header) = (path, header);

    /// <summary>The whole path of its <c>.cim</c> file.</summary>
    public string Path { get; }

    public CimHeader Header { get; }

    /// <summary>Whole paths of its own region and object ID files, whether they are there or not.</summary>
    public IEnumerable<string> OwnFiles => FilesOf(Header.Own);

    /// <summary>Whole paths of its parents' region and object ID files, each once.</summary>
    public IEnumerable<string> ParentFiles => Header.Parents.Distinct().SelectMany(FilesOf);

    private string Directory => System.IO.Path.GetDirectoryName(Path)!;

    /// <summary>Whether a location is that of a standard CIM, and not of a block file.</summary>
    public static bool IsLocation(string location) => location.EndsWith(OpenCim.StandardExtension, StringComparison.OrdinalIgnoreCase);

    /// <exception cref="InvalidDataException">The file is no <c>.cim</c> file of a version that is known; the message names it.</exception>
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

    /// <summary>What its files take on the disk.</summary>
    /// <exception cref="InvalidDataException">A region file of its own is missing, or is none.</exception>
    public CimUsage Usage()
    {
        CheckRegions();
        var own = OwnFiles.Append(Path).Where(File.Exists).ToArray();
        var parents = ParentFiles.Where(File.Exists).ToArray();
        return new CimUsage(own.Length, own.Sum(SizeOf), parents.Length, parents.Sum(SizeOf));
    }

    /// <summary>Looks whether its own regions are there, and are what their names say.</summary>
    /// <exception cref="InvalidDataException">One is not; the message names the first.</exception>
    public void CheckRegions()
    {
        // Region and object ID files take turns.
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

    private static long SizeOf(string file) => new FileInfo(file).Length;

    private IEnumerable<string> FilesOf(RegionSet set) => set.FileNames.Select(FileOf);

    private string FileOf(string name) => System.IO.Path.Combine(Directory, name);
}

/// <summary>Disk space of a standard CIM.</summary>
/// <param name="OwnFiles">Region files, object ID files and the <c>.cim</c> file.</param>
/// <param name="OwnBytes">Bytes of those: what destroying it frees.</param>
/// <param name="ParentFiles">Files of its parents that are there.</param>
/// <param name="ParentBytes">Bytes of those, which other CIMs may share.</param>
public sealed record CimUsage(int OwnFiles, long OwnBytes, int ParentFiles, long ParentBytes);
