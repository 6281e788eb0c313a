using CimConvert.Oci;
using CimConvert.Pipeline;
using CimConvert.Registry.Pull;
using CimConvert.Sources;
using CimConvert.Store;

namespace CimConvert.Prewarming;

/// <summary>What the conversion of one image would do.</summary>
/// <param name="Image">The image in the list.</param>
/// <param name="Source">The source's manifest; null if it cannot be fetched.</param>
/// <param name="Layers">How many layers the image has.</param>
/// <param name="ToConvert">How many of them neither the store nor an earlier image in the list has.</param>
/// <param name="Bytes">Compressed size of the layers to convert.</param>
/// <param name="Error">Why the manifest cannot be fetched, else null.</param>
internal sealed record PlannedImage(PrewarmImage Image, Descriptor? Source, int Layers, int ToConvert, long Bytes, string? Error);

/// <summary>A dry run over a list: fetches manifests and configs only.</summary>
internal sealed class PrewarmPlan(PrewarmList list, RegistryClient registry)
{
    /// <returns>One entry for each image, in the order of the list.</returns>
    public async Task<IReadOnlyList<PlannedImage>> MakeAsync(CancellationToken cancellationToken)
    {
        var store = ConversionStore.IsStore(list.Store) ? ConversionStore.OpenExisting(list.Store) : null;
        var seen = new HashSet<ChainId>();
        var planned = new List<PlannedImage>();
        foreach (var image in list.Images)
        {
            planned.Add(await PlanAsync(image, store, seen, cancellationToken));
        }

        return planned;
    }

    private async Task<PlannedImage> PlanAsync(PrewarmImage image, ConversionStore? store, HashSet<ChainId> seen, CancellationToken cancellationToken)
    {
        try
        {
            var resolved = await new ImageResolver(image.Location.Open(registry)).ResolveAsync(image.Platform, image.OsVersion, cancellationToken);
            var layers = LayerPlan.Make(resolved);
            var missing = layers.Where(layer => store?.FindLayer(layer.ChainId) is null && seen.Add(layer.ChainId)).ToArray();
            return new PlannedImage(image, resolved.ManifestDescriptor, layers.Count, missing.Length, missing.Sum(layer => layer.Blob.Size), Error: null);
        }
        catch (Exception e) when (Failures.IsExpected(e))
        {
            return new PlannedImage(image, Source: null, Layers: 0, ToConvert: 0, Bytes: 0, $"{image.Location}: {e.Message}");
        }
    }
}
