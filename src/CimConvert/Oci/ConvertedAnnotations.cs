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

    /// <summary>The file's name (OCI image spec, annotations.md, "Pre-Defined Annotation Keys").</summary>
    public const string Title = "org.opencontainers.image.title";

    /// <summary>The chain ID in a layer's annotations; null if it has none.</summary>
    public static ChainId? ChainIdOf(Descriptor entry) =>
        Digest.TryParse(entry.Annotations?.GetValueOrDefault(ChainId) ?? string.Empty, out var digest) ? new ChainId(digest) : null;
}
