using CimConvert.Oci;

namespace CimConvert.Sources;

/// <summary>The image of one platform that a name resolves to.</summary>
/// <param name="Name">See <see cref="IImageSource.Name"/>.</param>
/// <param name="Source">The index or manifest that the name itself refers to.</param>
/// <param name="ManifestDescriptor">The manifest of the platform.</param>
/// <param name="Manifest">The parsed manifest.</param>
/// <param name="ConfigBytes">The config's bytes, checked against their digest; published unchanged.</param>
/// <param name="Config">The parsed config.</param>
internal sealed record ResolvedImage(
    string Name,
    Descriptor Source,
    Descriptor ManifestDescriptor,
    ImageManifest Manifest,
    ReadOnlyMemory<byte> ConfigBytes,
    ImageConfig Config);
