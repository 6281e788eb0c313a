using CimConvert.Oci;
using CimConvert.Publishing;
using CimConvert.Sources;
using CimConvert.Store;

namespace CimConvert.Pipeline;

/// <summary>A layer of a converted image.</summary>
/// <param name="Layer">The layer in the store.</param>
/// <param name="Reused">Whether it was in the store before.</param>
internal sealed record ConvertedLayer(StoredLayer Layer, bool Reused);

/// <summary>The result of a conversion into a store.</summary>
/// <param name="Image">The source.</param>
/// <param name="Manifest">The converted manifest.</param>
/// <param name="Layers">Base first.</param>
/// <param name="Top">The topmost layer, with the merged CIM if the image has several layers.</param>
/// <param name="Backend">The back end that wrote the CIMs.</param>
/// <param name="Hives">The hive merger's name.</param>
/// <param name="Pushed">The result of the push; null if none was requested.</param>
/// <param name="Bytes">Bytes downloaded, decompressed and written.</param>
/// <param name="Timings">Durations of the stages.</param>
internal sealed record ConversionResult(
    ResolvedImage Image,
    Descriptor Manifest,
    IReadOnlyList<ConvertedLayer> Layers,
    StoredLayer Top,
    string Backend,
    string Hives,
    PushResult? Pushed,
    ConversionBytes Bytes,
    ConversionTimings Timings) : ConversionSummary(Image, Backend, Hives, Bytes, Timings)
{
    public override int Reused => Layers.Count(layer => layer.Reused);

    public override bool IsNew => Bytes.Written > 0;
}

/// <summary>Where a converted image was taken from.</summary>
/// <param name="Reference">The image's name.</param>
/// <param name="Digest">Of its manifest there.</param>
/// <param name="By">How it was found.</param>
internal sealed record PulledFrom(string Reference, Digest Digest, FoundBy By);
