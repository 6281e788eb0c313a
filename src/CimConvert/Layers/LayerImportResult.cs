using CimConvert.Layers.Hives;

namespace CimConvert.Layers;

/// <summary>What an import put into its image.</summary>
/// <param name="Size">Bytes of all regular files' main streams, as the reference counts a layer.</param>
/// <param name="Entries">Entries of the tar.</param>
/// <param name="DeltaHives">The hives whose deltas now lie in the layer's <c>Hives</c> folder, to be merged with those of its parents.</param>
internal sealed record LayerImportResult(long Size, long Entries, IReadOnlyList<RegistryHive> DeltaHives);
