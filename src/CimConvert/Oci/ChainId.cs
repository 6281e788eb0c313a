using System.Text;

namespace CimConvert.Oci;

/// <summary>The digest of a layer's uncompressed tar (OCI image spec, config.md, "Layer DiffID").</summary>
internal readonly record struct DiffId(Digest Digest)
{
    public override string ToString() => Digest.ToString();
}

/// <summary>Identifies a layer together with all layers below it (OCI image spec, config.md, "Layer ChainID").</summary>
internal readonly record struct ChainId(Digest Digest)
{
    /// <summary>The hash without the algorithm: the name of the layer's folder in the store.</summary>
    public string Hex => Digest.Hex;

    /// <summary>The chain ID of a layer on <paramref name="parent"/>; a base layer's, without a parent, is its diff ID.</summary>
    public static ChainId Of(ChainId? parent, DiffId diffId) => parent is { } below
        ? new ChainId(Digest.Compute(Encoding.ASCII.GetBytes($"{below} {diffId}")))
        : new ChainId(diffId.Digest);

    public override string ToString() => Digest.ToString();
}
