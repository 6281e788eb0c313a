namespace CimConvert.Oci;

/// <summary>The digest of a layer's uncompressed tar (OCI image spec, config.md, "Layer DiffID").</summary>
internal readonly record struct DiffId(Digest Digest)
{
    public override string ToString() => Digest.ToString();
}
