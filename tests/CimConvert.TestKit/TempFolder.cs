namespace CimConvert.TestKit;

/// <summary>A folder of one test, gone with it. The operating system picks the name: tests run side by side.</summary>
public sealed class TempFolder : IDisposable
{
    public TempFolder()
        : this("cimconvert-")
    {
    }

    public TempFolder(string prefix)
    {
        Path = Directory.CreateTempSubdirectory(prefix).FullName;
    }

    public string Path { get; }

    /// <summary>The full path of a name under the folder; nothing is created.</summary>
    public string this[params string[] parts] => System.IO.Path.Combine([Path, .. parts]);

    /// <summary>Makes a sub-folder and gives its full path.</summary>
    public string Sub(params string[] parts) => Directory.CreateDirectory(this[parts]).FullName;

    /// <summary>Writes a file, its parents with it, and gives its full path.</summary>
    public string Write(string relativePath, ReadOnlySpan<byte> content)
    {
        string path = this[relativePath];
        Directory.CreateDirectory(System.IO.Path.GetDirectoryName(path)!);
        using FileStream file = File.Create(path);
        file.Write(content);
        return path;
    }

    public void Dispose()
    {
        try
        {
            Directory.Delete(Path, recursive: true);
        }
        catch (DirectoryNotFoundException)
        {
            // The test removed it itself.
        }
    }
}
