using CimConvert.Oci;

namespace CimConvert.Sources;

/// <summary>What a user named, followed down to one image.</summary>
/// <param name="Name">See <see cref="IImageSource.Name"/>.</param>
/// <param name="Source">What the name itself leads to: an index, or the manifest.</param>
/// <param name="ManifestDescriptor">The manifest of the one platform.</param>
/// <param name="Manifest">Its content.</param>
/// <param name="ConfigBytes">The config as it came, checked against its digest; it is published unchanged.</param>
/// <param name="Config">Its content.</param>
internal sealed record ResolvedImage(
    string Name,
    Descriptor Source,
    Descriptor ManifestDescriptor,
    ImageManifest Manifest,
    ReadOnlyMemory<byte> ConfigBytes,
    ImageConfig Config);
