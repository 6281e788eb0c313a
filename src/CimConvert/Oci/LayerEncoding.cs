namespace CimConvert.Oci;

internal enum LayerCompression
{
    None,
    Gzip,
    Zstd,
}

/// <summary>What a layer's media type says: how its tar is packed, and whether its bytes may live outside the registry.</summary>
/// <param name="Compression">How the tar is compressed.</param>
/// <param name="IsForeign">Nondistributable (Docker: foreign): the descriptor's <c>urls</c> say where the bytes are.</param>
internal readonly record struct LayerEncoding(LayerCompression Compression, bool IsForeign);
