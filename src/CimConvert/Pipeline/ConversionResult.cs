using CimConvert.Oci;
using CimConvert.Publishing;
using CimConvert.Sources;
using CimConvert.Store;

namespace CimConvert.Pipeline;

/// <summary>A layer of a converted image.</summary>
/// <param name="Layer">As it is in the store.</param>
/// <param name="Reused">Whether it was there before.</param>
internal sealed record ConvertedLayer(StoredLayer Layer, bool Reused);

/// <summary>What a conversion took, in milliseconds of wall-clock time.</summary>
internal sealed record ConversionTimings(long Resolve, long Layers, long Merge, long Publish, long Push, long Total)
{
    /// <summary>The stages by name.</summary>
    internal IReadOnlyList<(string Stage, long Milliseconds)> Stages =>
        [("resolve", Resolve), ("layers", Layers), ("merge", Merge), ("publish", Publish), ("push", Push)];
}

/// <summary>Bytes that went through: over the wire, out of the decompressors, into the store.</summary>
internal sealed record ConversionBytes(long Downloaded, long Decompressed, long Written);

/// <summary>What a conversion made.</summary>
/// <param name="Image">The source.</param>
/// <param name="Manifest">The converted manifest.</param>
/// <param name="Layers">Base first.</param>
/// <param name="Top">The topmost layer, holding the merged CIM of an image of several layers.</param>
/// <param name="Backend">Who wrote the images.</param>
/// <param name="Hives">Who merged the registry hives.</param>
/// <param name="Pushed">What the push did; null where none was asked for.</param>
/// <param name="Bytes">Bytes that went through.</param>
/// <param name="Timings">Time taken.</param>
internal sealed record ConversionResult(
    ResolvedImage Image,
    Descriptor Manifest,
    IReadOnlyList<ConvertedLayer> Layers,
    StoredLayer Top,
    string Backend,
    string Hives,
    PushResult? Pushed,
    ConversionBytes Bytes,
    ConversionTimings Timings);
