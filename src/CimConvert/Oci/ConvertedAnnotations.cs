namespace CimConvert.Oci;

/// <summary>Annotations of converted manifests (design.md, "Converted manifest").</summary>
internal static class ConvertedAnnotations
{
    public const string Prefix = "io.cimconvert.";

    /// <summary>Of the manifest: the source's manifest; of a layer: its source blob.</summary>
    public const string SourceDigest = Prefix + "source-digest";

    /// <summary>Who wrote a file.</summary>
    public const string Backend = Prefix + "backend";

    /// <summary><c>true</c> or <c>false</c>.</summary>
    public const string VhdFooter = Prefix + "vhd-footer";

    /// <summary>Of a sealed file: its root digest, in hex.</summary>
    public const string IntegrityRoot = Prefix + "integrity-root";

    /// <summary>Of each entry: the layer it is of, by which the store knows it.</summary>
    public const string ChainId = Prefix + "chain-id";

    /// <summary>The file's name (OCI image specification, "Pre-Defined Annotation Keys").</summary>
    public const string Title = "org.opencontainers.image.title";

    /// <summary>The layer an entry is of; null where it does not say.</summary>
    public static ChainId? ChainIdOf(Descriptor entry) =>
        Digest.TryParse(entry.Annotations?.GetValueOrDefault(ChainId) ?? string.Empty, out var digest) ? new ChainId(digest) : null;
}
