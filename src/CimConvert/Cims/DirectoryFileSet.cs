using CimConvert.Formats.Binary;

namespace CimConvert.Cims;

/// <summary>The standard files of CIMs in one directory.</summary>
internal sealed class DirectoryFileSet(string directory) : IFileSet
{
    public IRandomReader? TryOpen(string name)
    {
        var path = Path.Combine(directory, name);
        return File.Exists(path) ? new FileRandomReader(path) : null;
    }
}
