namespace CimConvert.TestKit.Images;

/// <summary>An image as it was written: everything a test may want to compare with, computed by the kit alone.</summary>
public sealed record OciImage(
    string Directory,
    string RefName,
    string ManifestDigest,
    string ConfigDigest,
    IReadOnlyList<OciLayer> Layers)
{
    public const string ManifestMediaType = "application/vnd.oci.image.manifest.v1+json";
    public const string ConfigMediaType = "application/vnd.oci.image.config.v1+json";

    public string BlobPath(string digest) => Path.Combine(Directory, "blobs", "sha256", digest["sha256:".Length..]);
}

/// <summary>
/// A layer of a written image. <see cref="DiffId"/> and <see cref="ChainId"/> are the tar's true ones even when the
/// image lies about them.
/// </summary>
public sealed record OciLayer(string MediaType, string Digest, long Size, string DiffId, string ChainId);
