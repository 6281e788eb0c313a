namespace CimConvert.Oci;

/// <summary>Annotations of the manifests that this program writes for converted images, and of their layers.</summary>
internal static class ConvertedAnnotations
{
    public const string Prefix = "io.cimconvert.";

    /// <summary>On the manifest: the digest of the source image's manifest. On a layer: the digest of the source layer's blob.</summary>
    public const string SourceDigest = Prefix + "source-digest";

    /// <summary>The back end that wrote the file, such as <c>managed</c> or <c>native</c>.</summary>
    public const string Backend = Prefix + "backend";

    /// <summary>Whether the file ends in a VHD footer: <c>true</c> or <c>false</c>.</summary>
    public const string VhdFooter = Prefix + "vhd-footer";

    /// <summary>The root digest of a sealed file, in hex.</summary>
    public const string IntegrityRoot = Prefix + "integrity-root";

    /// <summary>On every layer: the chain ID under which the store has it.</summary>
    public const string ChainId = Prefix + "chain-id";

    /// <summary>The digest of a layer's uncompressed tar.</summary>
    public const string DiffId = Prefix + "diff-id";

    /// <summary>The name of the CIM in a block file, or of the <c>.cim</c> file.</summary>
    public const string CimName = Prefix + "cim-name";

    /// <summary>How the root digest of a sealed file is computed.</summary>
    public const string IntegrityScheme = Prefix + "integrity-scheme";

    /// <summary>Bytes of a layer's uncompressed tar.</summary>
    public const string TarSize = Prefix + "tar-size";

    /// <summary>Bytes of a layer's regular files.</summary>
    public const string FilesSize = Prefix + "files-size";

    /// <summary>The hives in a layer's folder <c>Hives</c>, joined by commas; absent if there are none.</summary>
    public const string Hives = Prefix + "hives";

    /// <summary>On the manifest: the source's operating system and architecture.</summary>
    public const string Platform = Prefix + "platform";

    /// <summary>On the manifest: the version of Windows that the source was made for.</summary>
    public const string OsVersion = Prefix + "os-version";

    /// <summary>Of a file that is compressed for transport: the digest of the file itself.</summary>
    public const string ContentDigest = Prefix + "content-digest";

    /// <summary>Of a file that is compressed for transport: the bytes of the file itself.</summary>
    public const string ContentSize = Prefix + "content-size";

    /// <summary>When the source image was made, as its config says (OCI image spec, annotations.md).</summary>
    public const string Created = "org.opencontainers.image.created";

    /// <summary>The file's name (OCI image spec, annotations.md, "Pre-Defined Annotation Keys").</summary>
    public const string Title = "org.opencontainers.image.title";

    /// <summary>The source's platform in a manifest's annotations; null if they do not say, as those of earlier versions, or are none.</summary>
    public static Platform? PlatformOf(IReadOnlyDictionary<string, string>? annotations)
    {
        try
        {
            return annotations?.GetValueOrDefault(Platform) is { } platform
                ? Oci.Platform.Parse(platform) with { OsVersion = annotations.GetValueOrDefault(OsVersion) }
                : null;
        }
        catch (InvalidDataException)
        {
            return null;
        }
    }

    /// <summary>What the title of a file ends with that is compressed for transport: tools that pull artifacts write it as it is.</summary>
    public static string TitleSuffix(LayerCompression compression) => compression switch
    {
        LayerCompression.Gzip => ".gz",
        LayerCompression.Zstd => ".zst",
        _ => string.Empty,
    };

    /// <summary>The chain ID in a layer's annotations; null if it has none.</summary>
    public static ChainId? ChainIdOf(Descriptor entry) =>
        Digest.TryParse(entry.Annotations?.GetValueOrDefault(ChainId) ?? string.Empty, out var digest) ? new ChainId(digest) : null;
}
