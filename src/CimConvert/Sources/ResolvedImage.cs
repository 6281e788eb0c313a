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

    /// <summary>Whether the name refers to an index, of which this is one image; else the name stands for this image alone.</summary>
    public bool IsFromIndex => Documents.Count > 1;

    /// <summary>What the index says of the image; null without an index, and if it says nothing.</summary>
    public Platform? Offered { get; init; }

    /// <summary>What else the index has for this operating system and architecture, sorted by version.</summary>
    public IReadOnlyList<Platform> Alternatives { get; init; } = [];

    /// <summary>The config's platform. Tools that put an index together write the version of Windows into the index only.</summary>
    public Platform Platform => string.IsNullOrEmpty(Config.Platform.OsVersion) ? Config.Platform with { OsVersion = Offered?.OsVersion } : Config.Platform;

    /// <summary>On one line, what else there was: <c>; the index also has 10.0.17763.6293, 10.0.26100.1</c>. Empty if there was nothing else.</summary>
    public string AlsoThere => Alternatives.Count == 0
        ? string.Empty
        : $"; the index also has {string.Join(", ", Alternatives.Select(other => string.IsNullOrEmpty(other.OsVersion) ? other.ToString() : Printable.Of(other.OsVersion)))}";
}

/// <summary>One of the images that a name stands for.</summary>
/// <param name="Indexes">The index that the name refers to, and any indexes below, as they were sent.</param>
/// <param name="Manifest">The image's entry in the last of them.</param>
internal sealed record IndexEntry(IReadOnlyList<FetchedManifest> Indexes, Descriptor Manifest);
