using CimConvert.Pipeline;
using CimConvert.Prewarming;

namespace CimConvert;

/// <summary>A converted image in its store.</summary>
/// <param name="SourceDigest">Of the source's manifest: <c>sha256:</c> and 64 hex digits, as all digests here.</param>
/// <param name="ManifestDigest">Of the converted manifest, a blob of the store.</param>
/// <param name="Layers">Base first.</param>
/// <param name="MergedCim">Path of the merged CIM's block file; null for an image of one layer, and for forked CIMs.</param>
/// <param name="Backend"><c>native</c> or <c>managed</c>.</param>
/// <param name="BytesDownloaded">Bytes that came over the wire.</param>
/// <param name="BytesWritten">Bytes of files that were made.</param>
public sealed record ConvertedImage(
    string SourceDigest,
    string ManifestDigest,
    IReadOnlyList<ConvertedImageLayer> Layers,
    string? MergedCim,
    string Backend,
    long BytesDownloaded,
    long BytesWritten)
{
    internal static ConvertedImage Of(ConversionResult result) => new(
        result.Image.ManifestDescriptor.Digest.ToString(),
        result.Manifest.Digest.ToString(),
        [.. result.Layers.Select(ConvertedImageLayer.Of)],
        result.Layers.Count > 1 ? result.Top.MergedFile : null,
        result.Backend,
        result.Bytes.Downloaded,
        result.Bytes.Written);
}

/// <summary>A layer of a converted image.</summary>
/// <param name="SourceDigest">Of the source's blob.</param>
/// <param name="DiffId">Digest of its uncompressed tar.</param>
/// <param name="ChainId">Of this layer on those below: the layer's key in the store.</param>
/// <param name="Path">Of its block file or <c>.cim</c> file.</param>
/// <param name="Size">Bytes of the layer's own files.</param>
/// <param name="IsReused">Whether it was in the store before.</param>
public sealed record ConvertedImageLayer(string SourceDigest, string DiffId, string ChainId, string Path, long Size, bool IsReused)
{
    internal static ConvertedImageLayer Of(ConvertedLayer layer) => new(
        layer.Layer.Record.SourceDigest.ToString(),
        layer.Layer.Record.DiffId.ToString(),
        layer.Layer.Record.ChainId.ToString(),
        layer.Layer.CimFile,
        layer.Layer.Size,
        layer.Reused);
}

/// <summary>How far one layer of a running conversion is.</summary>
/// <param name="Digest">Of its blob.</param>
/// <param name="Size">Bytes of its blob.</param>
/// <param name="Stage">Where it is.</param>
/// <param name="Downloaded">Bytes of the blob that came.</param>
/// <param name="Decompressed">Bytes of its tar so far.</param>
public sealed record LayerStatus(string Digest, long Size, LayerStage Stage, long Downloaded, long Decompressed)
{
    internal static LayerStatus Of(LayerPlan plan) => new(
        plan.Blob.Digest.ToString(), plan.Blob.Size, plan.Progress.Stage, plan.Progress.Downloaded, plan.Progress.Decompressed);
}

/// <summary>What became of one image of a list.</summary>
/// <param name="Image">Its reference, with every default written out.</param>
/// <param name="Outcome">How it ended.</param>
/// <param name="Conversion">What was made or found in the store; null where nothing was, and for images that went into containerd.</param>
/// <param name="Error">Why it failed, in one line; null where it did not.</param>
public sealed record PrewarmedImage(string Image, PrewarmOutcome Outcome, ConvertedImage? Conversion, string? Error)
{
    /// <summary><c>os/architecture version</c>; what was asked for where nothing was made or found.</summary>
    public string Platform { get; init; } = string.Empty;

    internal static PrewarmedImage Of(PrewarmResult result) => new(
        result.Image.Location.ToString(), result.Outcome, result.Conversion is ConversionResult conversion ? ConvertedImage.Of(conversion) : null, result.Error)
    {
        Platform = result.Platform.ToString(),
    };
}
