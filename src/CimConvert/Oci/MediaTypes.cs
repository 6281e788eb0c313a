namespace CimConvert.Oci;

/// <summary>
/// The media types of images in registries (OCI image spec, media-types.md; Docker image manifest version 2, schema 2), and those of
/// converted images.
/// </summary>
internal static class MediaTypes
{
    public const string OciIndex = "application/vnd.oci.image.index.v1+json";
    public const string OciManifest = "application/vnd.oci.image.manifest.v1+json";
    public const string OciConfig = "application/vnd.oci.image.config.v1+json";

    /// <summary>The document <c>{}</c>: the config of an artifact that has none (OCI image spec, manifest.md, "Guidance for an Empty Descriptor").</summary>
    public const string OciEmpty = "application/vnd.oci.empty.v1+json";
    public const string OciLayer = "application/vnd.oci.image.layer.v1.tar";
    public const string OciLayerGzip = "application/vnd.oci.image.layer.v1.tar+gzip";
    public const string OciLayerZstd = "application/vnd.oci.image.layer.v1.tar+zstd";
    public const string OciForeignLayer = "application/vnd.oci.image.layer.nondistributable.v1.tar";
    public const string OciForeignLayerGzip = "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip";
    public const string OciForeignLayerZstd = "application/vnd.oci.image.layer.nondistributable.v1.tar+zstd";

    public const string DockerList = "application/vnd.docker.distribution.manifest.list.v2+json";
    public const string DockerManifest = "application/vnd.docker.distribution.manifest.v2+json";
    public const string DockerConfig = "application/vnd.docker.container.image.v1+json";
    public const string DockerLayerGzip = "application/vnd.docker.image.rootfs.diff.tar.gzip";
    public const string DockerForeignLayerGzip = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip";

    // Not in Docker's specification, but containerd (core/images/mediatypes.go) reads them and buildah writes the first.
    public const string DockerLayer = "application/vnd.docker.image.rootfs.diff.tar";
    public const string DockerLayerZstd = "application/vnd.docker.image.rootfs.diff.tar.zstd";
    public const string DockerForeignLayer = "application/vnd.docker.image.rootfs.foreign.diff.tar";

    public const string ConvertedImage = "application/vnd.cimconvert.image.v1";
    public const string ConvertedLayer = "application/vnd.cimconvert.layer.blockcim.v1";

    /// <summary>The <c>.cim</c> file of a forked CIM.</summary>
    public const string ConvertedForked = "application/vnd.cimconvert.layer.cim.v1";

    /// <summary>A region or object ID file of a forked CIM.</summary>
    public const string ConvertedForkedFile = "application/vnd.cimconvert.layer.cim.file.v1";

    /// <summary>The merged CIM of all layers.</summary>
    public const string ConvertedMerged = "application/vnd.cimconvert.merged.blockcim.v1";

    /// <summary>A registry hive that layers above merge with, of a layer whose CIM only Windows can read.</summary>
    public const string ConvertedHive = "application/vnd.cimconvert.layer.hive.v1";

    /// <summary>The source image's config, unchanged. It is no config of the converted image: it lists the layers of the source.</summary>
    public const string ConvertedSourceConfig = "application/vnd.cimconvert.source.config.v1+json";

    private const string GzipSuffix = "+gzip";
    private const string ZstdSuffix = "+zstd";

    /// <summary>The accepted media types of manifest requests, in order of preference.</summary>
    public static IReadOnlyList<string> Manifests { get; } = [OciIndex, OciManifest, DockerList, DockerManifest];

    public static bool IsIndex(string mediaType) => mediaType is OciIndex or DockerList;

    public static bool IsManifest(string mediaType) => mediaType is OciManifest or DockerManifest;

    public static bool IsConfig(string mediaType) => mediaType is OciConfig or DockerConfig;

    /// <summary>Whether layers of this type are supported.</summary>
    public static bool IsLayer(string mediaType) => TryDescribeLayer(mediaType) is not null;

    /// <exception cref="InvalidDataException">Layers of this type are not supported.</exception>
    public static LayerEncoding DescribeLayer(string mediaType) => TryDescribeLayer(mediaType)
        ?? throw new InvalidDataException($"layer media type '{Printable.Of(mediaType)}' is not a tar, gzip or zstd layer of OCI or Docker");

    /// <summary>The media type of a converted image's file that is compressed for transport: <c>+zstd</c> or <c>+gzip</c> is appended.</summary>
    public static string ForTransport(string mediaType, LayerCompression compression) => compression switch
    {
        LayerCompression.Gzip => mediaType + GzipSuffix,
        LayerCompression.Zstd => mediaType + ZstdSuffix,
        _ => mediaType,
    };

    /// <summary>The reverse of <see cref="ForTransport"/>.</summary>
    public static (string MediaType, LayerCompression Compression) SplitTransport(string mediaType) =>
        mediaType.EndsWith(GzipSuffix, StringComparison.Ordinal) ? (mediaType[..^GzipSuffix.Length], LayerCompression.Gzip)
        : mediaType.EndsWith(ZstdSuffix, StringComparison.Ordinal) ? (mediaType[..^ZstdSuffix.Length], LayerCompression.Zstd)
        : (mediaType, LayerCompression.None);

    private static LayerEncoding? TryDescribeLayer(string mediaType) => mediaType switch
    {
        OciLayer or DockerLayer => new(LayerCompression.None, IsForeign: false),
        OciLayerGzip or DockerLayerGzip => new(LayerCompression.Gzip, IsForeign: false),
        OciLayerZstd or DockerLayerZstd => new(LayerCompression.Zstd, IsForeign: false),
        OciForeignLayer or DockerForeignLayer => new(LayerCompression.None, IsForeign: true),
        OciForeignLayerGzip or DockerForeignLayerGzip => new(LayerCompression.Gzip, IsForeign: true),
        OciForeignLayerZstd => new(LayerCompression.Zstd, IsForeign: true),
        _ => null,
    };
}
