using CimConvert.Oci;
using CimConvert.Registry.Pull;

namespace CimConvert.Sources;

/// <summary>The image of one platform that a name resolves to.</summary>
/// <param name="Name">See <see cref="IImageSource.Name"/>.</param>
/// <param name="Documents">What the name itself refers to, any indexes below, and the manifest of the platform, as they were sent.</param>
/// <param name="Manifest">The parsed manifest.</param>
/// <param name="ConfigBytes">The config's bytes, checked against their digest; published unchanged.</param>
/// <param name="Config">The parsed config.</param>
internal sealed record ResolvedImage(
    string Name, IReadOnlyList<FetchedManifest> Documents, ImageManifest Manifest, ReadOnlyMemory<byte> ConfigBytes, ImageConfig Config)
{
    /// <summary>The index or manifest that the name itself refers to.</summary>
    public Descriptor Source => Documents[0].Descriptor;

    /// <summary>The source's manifest of the platform. Of a converted image that was named itself, only its digest is known for sure.</summary>
    public Descriptor ManifestDescriptor { get; init; } = Documents[^1].Descriptor;
}
