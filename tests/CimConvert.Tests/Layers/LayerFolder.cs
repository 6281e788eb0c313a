namespace CimConvert.Tests.Layers;

/// <summary>A layer's folder of a test's own.</summary>
internal sealed class LayerFolder : IDisposable
{
    public LayerFolder() => Path = Directory.CreateTempSubdirectory("cimconvert-layer-").FullName;

    public string Path { get; }

    /// <summary>All files in it, with <c>/</c>, sorted.</summary>
    public string[] Files => Names(Directory.EnumerateFiles(Path, "*", SearchOption.AllDirectories));

    /// <summary>All files and folders in it, with <c>/</c>, sorted.</summary>
    public string[] Everything => Names(Directory.EnumerateFileSystemEntries(Path, "*", SearchOption.AllDirectories));

    public byte[] Read(string name) => File.ReadAllBytes(System.IO.Path.Combine(Path, name));

    public void Dispose() => Directory.Delete(Path, recursive: true);

    private string[] Names(IEnumerable<string> paths) =>
        [.. paths.Select(path => System.IO.Path.GetRelativePath(Path, path).Replace('\\', '/')).Order(StringComparer.Ordinal)];
}
