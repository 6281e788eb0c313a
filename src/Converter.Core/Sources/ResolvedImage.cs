using Converter.Core.Oci;

namespace Converter.Core.Registry;

/// <summary>A reference followed down to one image.</summary>
/// <param name="Reference">What was resolved.</param>
/// <param name="Source">What the reference itself names: an index, or the manifest.</param>
/// <param name="ManifestDescriptor">The manifest of the one platform.</param>
/// <param name="Manifest">Its content.</param>
/// <param name="ConfigBytes">The config as it came, checked against its digest; it is published unchanged.</param>
/// <param name="Config">Its content.</param>
public sealed record ResolvedImage(
    ImageReference Reference,
    Descriptor Source,
    Descriptor ManifestDescriptor,
    ImageManifest Manifest,
    ReadOnlyMemory<byte> ConfigBytes,
    ImageConfig Config);
