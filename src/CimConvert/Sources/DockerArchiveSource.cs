using System.Text;
using System.Text.Json.Nodes;
using CimConvert.Compression;
using CimConvert.Oci;
using CimConvert.Registry.Pull;

namespace CimConvert.Sources;

/// <summary>
/// An image in a file written by <c>docker save</c> (github.com/moby/moby, image/tarexport; github.com/containers/image,
/// docker/archive). Such a file has no OCI or Docker manifest, so one is made; the same file always gives the same manifest.
/// </summary>
internal sealed class DockerArchiveSource(ImageLocation.Archive location) : IImageSource
{
    private const int MagicSize = 4;

    private readonly Lock _gate = new();
    private readonly Dictionary<Digest, ArchiveFile> _blobs = [];

    public string Name => location.ToString();

    public long BytesDownloaded => 0;

    public int Retries => 0;

    public bool IsRemote => false;

    public async Task<FetchedManifest> GetManifestAsync(Descriptor? expected, CancellationToken cancellationToken)
    {
        var archive = DockerArchive.Read(location.File, cancellationToken);
        var image = Choose(archive.Images);
        var configBytes = await archive.ReadAsync(archive.Find(image.Config), ImageConfig.MaxBytes, cancellationToken);
        var config = new Descriptor { MediaType = MediaTypes.DockerConfig, Digest = Digest.Compute(configBytes), Size = configBytes.Length };
        Add(config.Digest, archive.Find(image.Config));

        var diffIds = ImageConfig.Parse(configBytes, image.Layers.Count).DiffIds;
        var layers = new JsonArray();
        for (var i = 0; i < image.Layers.Count; i++)
        {
            var file = archive.Find(image.Layers[i]);
            var layer = await DescribeLayerAsync(file, diffIds[i], cancellationToken);
            Add(layer.Digest, file);
            layers.Add((JsonNode)Encode(layer));
        }

        var manifest = Encoding.UTF8.GetBytes(new JsonObject
        {
            ["schemaVersion"] = 2,
            ["mediaType"] = MediaTypes.DockerManifest,
            ["config"] = Encode(config),
            ["layers"] = layers,
        }.ToJsonString());
        return new FetchedManifest(
            new Descriptor { MediaType = MediaTypes.DockerManifest, Digest = Digest.Compute(manifest), Size = manifest.Length }, manifest);
    }

    public Task<Stream> OpenBlobAsync(Descriptor blob, long offset, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            return Task.FromResult<Stream>(_blobs[blob.Digest].Open(offset));
        }
    }

    private void Add(Digest digest, ArchiveFile file)
    {
        lock (_gate)
        {
            _blobs[digest] = file;
        }
    }

    private ArchivedImage Choose(IReadOnlyList<ArchivedImage> images)
    {
        var candidates = images.Where(i => location.ImageName is null || i.RepoTags?.Contains(location.ImageName) == true).ToArray();
        return candidates.Length == 1
            ? candidates[0]
            : throw new ConversionException(
                $"'{location.File}' has {(candidates.Length == 0 ? "no image" : "several images")}{(location.ImageName is null ? string.Empty : $" named '{location.ImageName}'")}"
                + $"; it has: {string.Join(", ", images.SelectMany(i => i.RepoTags ?? ["one without a name"]).Select(name => Printable.Of(name)))}");
    }

    /// <summary>
    /// Describes a layer. An uncompressed one's digest is its diff ID, which is checked when the layer is read; a compressed one is
    /// hashed here.
    /// </summary>
    private static async Task<Descriptor> DescribeLayerAsync(ArchiveFile file, DiffId diffId, CancellationToken cancellationToken)
    {
        var magic = new byte[MagicSize];
        await using var stream = file.Open(offset: 0);
        var compression = Decompression.Detect(magic.AsSpan(0, await stream.ReadAtLeastAsync(magic, MagicSize, throwOnEndOfStream: false, cancellationToken)));
        if (compression == LayerCompression.None)
        {
            return new Descriptor { MediaType = MediaTypes.DockerLayer, Digest = diffId.Digest, Size = file.Size };
        }

        await using var whole = file.Open(offset: 0);
        await using var hashed = new DigestingStream(whole, file.Name, expected: null, expectedSize: null);
        await hashed.CopyToAsync(Stream.Null, cancellationToken);
        return new Descriptor
        {
            MediaType = compression == LayerCompression.Gzip ? MediaTypes.DockerLayerGzip : MediaTypes.DockerLayerZstd,
            Digest = hashed.Digest,
            Size = file.Size,
        };
    }

    private static JsonObject Encode(Descriptor descriptor) => new()
    {
        ["mediaType"] = descriptor.MediaType,
        ["size"] = descriptor.Size,
        ["digest"] = descriptor.Digest.ToString(),
    };
}
