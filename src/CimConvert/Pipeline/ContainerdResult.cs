using CimConvert.Oci;
using CimConvert.Sources;

namespace CimConvert.Pipeline;

/// <summary>The result of a conversion into containerd.</summary>
/// <param name="Image">The source.</param>
/// <param name="Address">The daemon.</param>
/// <param name="Namespace">Its namespace.</param>
/// <param name="Snapshotter">Who keeps the layers.</param>
/// <param name="Names">The names that the image has there.</param>
/// <param name="Registered">Whether anything of the registration was missing before.</param>
/// <param name="Layers">Base first.</param>
/// <param name="Top">Chain ID of the topmost layer.</param>
/// <param name="Backend">The back end that wrote the CIMs.</param>
/// <param name="Hives">The hive merger's name.</param>
/// <param name="Bytes">Bytes downloaded, decompressed and written.</param>
/// <param name="Timings">Durations of the stages; nothing is pushed.</param>
internal sealed record ContainerdResult(
    ResolvedImage Image,
    string Address,
    string Namespace,
    string Snapshotter,
    IReadOnlyList<string> Names,
    bool Registered,
    IReadOnlyList<SnapshotLayer> Layers,
    ChainId Top,
    string Backend,
    string Hives,
    ConversionBytes Bytes,
    ConversionTimings Timings) : ConversionSummary(Image, Backend, Hives, Bytes, Timings)
{
    public override int Reused => Layers.Count(layer => layer.Reused);

    public override bool IsNew => Registered || Bytes.Written > 0;
}
