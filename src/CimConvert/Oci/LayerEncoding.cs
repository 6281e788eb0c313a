namespace CimConvert.Oci;

internal enum LayerCompression
{
    None,
    Gzip,
    Zstd,
}

/// <summary>What a layer's media type tells about its blob.</summary>
/// <param name="Compression">How the tar is compressed.</param>
/// <param name="IsForeign">
/// Whether the layer is nondistributable (Docker: foreign): its blob may be available only at the descriptor's <c>urls</c>.
/// </param>
internal readonly record struct LayerEncoding(LayerCompression Compression, bool IsForeign);
