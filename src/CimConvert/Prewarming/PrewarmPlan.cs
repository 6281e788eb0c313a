using CimConvert.Oci;
using CimConvert.Pipeline;
using CimConvert.Registry.Pull;

namespace CimConvert.Prewarming;

/// <summary>What the conversion of one image would do.</summary>
/// <param name="Image">The image in the list.</param>
/// <param name="Source">The source's manifest; null if it cannot be fetched.</param>
/// <param name="Platform">Its platform, or what is asked for if it cannot be fetched.</param>
/// <param name="Layers">How many layers the image has.</param>
/// <param name="ToConvert">How many of them are neither there nor in an earlier image of the list.</param>
/// <param name="Bytes">Compressed size of the layers to convert.</param>
/// <param name="Error">Why the manifest cannot be fetched, else null.</param>
internal sealed record PlannedImage(PrewarmImage Image, Descriptor? Source, Platform Platform, int Layers, int ToConvert, long Bytes, string? Error);

/// <summary>A dry run over a list: fetches manifests and configs only.</summary>
internal sealed class PrewarmPlan(PrewarmList list, RegistryClient registry, PresentLayers present)
{
    /// <returns>One entry for each image and version, in the order of the list.</returns>
    public async Task<IReadOnlyList<PlannedImage>> MakeAsync(CancellationToken cancellationToken)
    {
        var seen = new HashSet<ChainId>();
        var planned = new List<PlannedImage>();
        foreach (var image in list.Images)
        {
            foreach (var version in await ListAsync(image, cancellationToken))
            {
                planned.Add(await PlanAsync(version, seen, cancellationToken));
            }
        }

        return planned;
    }

    /// <summary>The versions of an image; only the image if they cannot be told, which is then reported for it.</summary>
    private async Task<IReadOnlyList<PrewarmImage>> ListAsync(PrewarmImage image, CancellationToken cancellationToken)
    {
        try
        {
            return await image.ListAsync(image.Location.Open(registry), cancellationToken);
        }
        catch (Exception e) when (Failures.IsExpected(e))
        {
            return [image];
        }
    }

    private async Task<PlannedImage> PlanAsync(PrewarmImage image, HashSet<ChainId> seen, CancellationToken cancellationToken)
    {
        try
        {
            var resolved = await image.Options(list).ResolveAsync(image.Location.Open(registry), cancellationToken);
            var layers = LayerPlan.Make(resolved);
            var missing = new List<LayerPlan>();
            foreach (var layer in layers)
            {
                if (!await present.HasAsync(layer.ChainId, cancellationToken) && seen.Add(layer.ChainId))
                {
                    missing.Add(layer);
                }
            }

            return new PlannedImage(image, resolved.ManifestDescriptor, resolved.Platform, layers.Count, missing.Count, missing.Sum(layer => layer.Blob.Size), Error: null);
        }
        catch (Exception e) when (Failures.IsExpected(e))
        {
            return new PlannedImage(image, Source: null, image.Wanted, Layers: 0, ToConvert: 0, Bytes: 0, $"{image.Location}: {e.Message}");
        }
    }
}
