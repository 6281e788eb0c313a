using System.Text.Json;
using System.Text.Json.Serialization;
using CimConvert.Compression;
using CimConvert.Formats.Tar;
using CimConvert.Oci;

namespace CimConvert.Sources;

/// <summary>The files of a <c>docker save</c> tar, found in one pass over its headers, and the images in its manifest.json.</summary>
internal sealed class DockerArchive
{
    /// <summary>The largest archives have some hundred entries; the limit bounds the memory that a hostile file can take.</summary>
    public const int MaxEntries = 65_536;

    /// <summary>Links to follow for one file. A layer shared by images is a link to a file; links to links are not known to occur.</summary>
    public const int MaxLinks = 4;

    /// <summary>Small, because data between headers is skipped by seeking.</summary>
    private const int HeaderBufferSize = 4096;

    private const int MagicSize = 4;
    private const string ManifestFile = "manifest.json";

    private readonly string _path;
    private readonly Dictionary<string, ArchiveFile> _files = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _links = new(StringComparer.Ordinal);

    private DockerArchive(string path) => _path = path;

    /// <summary>The images in manifest.json.</summary>
    public IReadOnlyList<ArchivedImage> Images { get; private set; } = [];

    /// <exception cref="InvalidDataException">The file is not an uncompressed tar, or has no valid manifest.json.</exception>
    public static DockerArchive Read(string path, CancellationToken cancellationToken)
    {
        var archive = new DockerArchive(path);
        archive.FindFiles(cancellationToken);
        using var manifest = archive.Find(ManifestFile).Open(offset: 0);
        if (manifest.Length > ImageManifest.MaxBytes)
        {
            throw archive.Bad($"its {ManifestFile} has {manifest.Length} bytes, more than the {ImageManifest.MaxBytes} allowed");
        }

        try
        {
            archive.Images = JsonSerializer.Deserialize(manifest, ArchiveJson.Default.ArchivedImageArray) ?? throw archive.Bad($"its {ManifestFile} is null");
        }
        catch (JsonException e)
        {
            throw archive.Bad($"its {ManifestFile} cannot be read: {Printable.Of(e.Message)}");
        }

        foreach (var image in archive.Images)
        {
            if (image?.Layers.Count is null or > ImageManifest.MaxLayers)
            {
                throw archive.Bad($"its {ManifestFile} has an image that is null, or has more than {ImageManifest.MaxLayers} layers");
            }
        }

        return archive;
    }

    /// <summary>Finds a file by its path in the tar, following links.</summary>
    /// <exception cref="InvalidDataException">There is no such file.</exception>
    public ArchiveFile Find(string name)
    {
        var path = Normalize(name);
        for (var hops = 0; hops <= MaxLinks; hops++)
        {
            if (_files.TryGetValue(path, out var file))
            {
                return file;
            }

            if (!_links.TryGetValue(path, out path!))
            {
                throw Bad($"it has no '{Printable.Of(name)}'");
            }
        }

        throw Bad($"'{Printable.Of(name)}' leads through more than {MaxLinks} links");
    }

    public async Task<byte[]> ReadAsync(ArchiveFile file, int maxSize, CancellationToken cancellationToken)
    {
        if (file.Size > maxSize)
        {
            throw Bad($"its '{Printable.Of(file.Name)}' has {file.Size} bytes, more than the {maxSize} allowed");
        }

        var bytes = new byte[file.Size];
        await using var stream = file.Open(offset: 0);
        await stream.ReadExactlyAsync(bytes, cancellationToken);
        return bytes;
    }

    private void FindFiles(CancellationToken cancellationToken)
    {
        using var stream = new FileStream(_path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0);
        RefuseCompressed(stream);
        using var tar = new TarReader(stream, HeaderBufferSize);
        try
        {
            for (var entries = 0; tar.MoveNext(); entries++)
            {
                cancellationToken.ThrowIfCancellationRequested();
                if (entries == MaxEntries)
                {
                    throw new InvalidDataException($"it has more than {MaxEntries} entries");
                }

                Add(tar);
            }
        }
        catch (InvalidDataException e)
        {
            throw Bad(e.Message);
        }
    }

    private void Add(TarReader entry)
    {
        var name = Normalize(entry.Name);
        switch (entry.Type)
        {
            case TarEntryType.RegularFile:
                _files[name] = new ArchiveFile(_path, name, entry.DataOffset, entry.Size);
                break;
            case TarEntryType.HardLink:
                _links[name] = Normalize(entry.LinkName);
                break;
            case TarEntryType.SymbolicLink:
                _links[name] = Normalize(name[..(name.LastIndexOf('/') + 1)] + entry.LinkName);
                break;
        }
    }

    private void RefuseCompressed(FileStream stream)
    {
        var magic = new byte[MagicSize];
        var read = stream.ReadAtLeast(magic, MagicSize, throwOnEndOfStream: false);
        if (Decompression.Detect(magic.AsSpan(0, read)) != LayerCompression.None)
        {
            throw Bad("it is compressed; decompress it first, because its layers are read in place");
        }

        stream.Position = 0;
    }

    /// <summary>Normalizes a name for lookups among the tar's entries. It is never used as a path on this machine.</summary>
    private static string Normalize(string name)
    {
        var parts = new List<string>();
        foreach (var part in name.Split('/'))
        {
            if (part == ".." && parts.Count > 0)
            {
                parts.RemoveAt(parts.Count - 1);
            }
            else if (part is not ("" or "." or ".."))
            {
                parts.Add(part);
            }
        }

        return string.Join('/', parts);
    }

    private InvalidDataException Bad(string problem) => new($"'{_path}' is not what 'docker save' writes: {problem}");
}

/// <summary>One entry of manifest.json: paths in the tar, the base layer first.</summary>
internal sealed record ArchivedImage(
    [property: JsonRequired] string Config, IReadOnlyList<string>? RepoTags, [property: JsonRequired] IReadOnlyList<string> Layers);

[JsonSourceGenerationOptions(RespectNullableAnnotations = true)]
[JsonSerializable(typeof(ArchivedImage[]))]
internal sealed partial class ArchiveJson : JsonSerializerContext;
