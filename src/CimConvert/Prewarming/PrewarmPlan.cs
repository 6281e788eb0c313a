using CimConvert.Oci;
using CimConvert.Pipeline;
using CimConvert.Registry.Pull;
using CimConvert.Sources;

namespace CimConvert.Prewarming;

/// <summary>What the conversion of one image would do.</summary>
/// <param name="Image">The image in the list.</param>
/// <param name="Source">The source's manifest; null if it cannot be fetched.</param>
/// <param name="Layers">How many layers the image has.</param>
/// <param name="ToConvert">How many of them are neither there nor in an earlier image of the list.</param>
/// <param name="Bytes">Compressed size of the layers to convert.</param>
/// <param name="Error">Why the manifest cannot be fetched, else null.</param>
internal sealed record PlannedImage(PrewarmImage Image, Descriptor? Source, int Layers, int ToConvert, long Bytes, string? Error);

/// <summary>A dry run over a list: fetches manifests and configs only.</summary>
internal sealed class PrewarmPlan(PrewarmList list, RegistryClient registry, PresentLayers present)
{
    /// <returns>One entry for each image, in the order of the list.</returns>
    public async Task<IReadOnlyList<PlannedImage>> MakeAsync(CancellationToken cancellationToken)
    {
        var seen = new HashSet<ChainId>();
        var planned = new List<PlannedImage>();
        foreach (var image in list.Images)
        {
            planned.Add(await PlanAsync(image, seen, cancellationToken));
        }

        return planned;
    }

    private async Task<PlannedImage> PlanAsync(PrewarmImage image, HashSet<ChainId> seen, CancellationToken cancellationToken)
    {
        try
        {
            var resolved = await new ImageResolver(image.Location.Open(registry)).ResolveAsync(image.Platform, image.OsVersion, cancellationToken);
            var layers = LayerPlan.Make(resolved);
            var missing = new List<LayerPlan>();
            foreach (var layer in layers)
            {
                if (!await present.HasAsync(layer.ChainId, cancellationToken) && seen.Add(layer.ChainId))
                {
                    missing.Add(layer);
                }
            }

            return new PlannedImage(image, resolved.ManifestDescriptor, layers.Count, missing.Count, missing.Sum(layer => layer.Blob.Size), Error: null);
        }
        catch (Exception e) when (Failures.IsExpected(e))
        {
            return new PlannedImage(image, Source: null, Layers: 0, ToConvert: 0, Bytes: 0, $"{image.Location}: {e.Message}");
        }
    }
}
