using System.Text;

namespace CimConvert.Oci;

/// <summary>The identity of a layer together with all layers below it (OCI image spec, config.md, "Layer ChainID").</summary>
internal readonly record struct ChainId(Digest Digest)
{
    /// <summary>The hash alone: the name of the layer's folder in the store.</summary>
    public string Hex => Digest.Hex;

    /// <summary>The chain ID of a layer on top of <paramref name="parent"/>; the base layer, which has none, takes its own diff ID.</summary>
    public static ChainId Of(ChainId? parent, DiffId diffId) => parent is { } below
        ? new ChainId(Digest.Compute(Encoding.ASCII.GetBytes($"{below} {diffId}")))
        : new ChainId(diffId.Digest);

    public override string ToString() => Digest.ToString();
}
