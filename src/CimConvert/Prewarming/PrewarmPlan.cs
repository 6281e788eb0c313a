using CimConvert.Oci;
using CimConvert.Pipeline;
using CimConvert.Registry.Pull;
using CimConvert.Sources;
using CimConvert.Store;

namespace CimConvert.Prewarming;

/// <summary>What an image of the list would take.</summary>
/// <param name="Image">As it is listed.</param>
/// <param name="Source">The manifest; null where it cannot be had.</param>
/// <param name="Layers">Layers of the image.</param>
/// <param name="ToConvert">Of these, those that are neither in the store nor wanted by an image before it in the list.</param>
/// <param name="Bytes">Compressed size of <paramref name="ToConvert"/>.</param>
/// <param name="Error">Why the manifest cannot be had; null where it can.</param>
internal sealed record PlannedImage(PrewarmImage Image, Descriptor? Source, int Layers, int ToConvert, long Bytes, string? Error);

/// <summary>What a run over a list would do: manifests and configs are fetched, and nothing else.</summary>
internal sealed class PrewarmPlan(PrewarmList list, RegistryClient registry)
{
    /// <returns>In the list's order.</returns>
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
