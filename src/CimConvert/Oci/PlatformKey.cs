namespace CimConvert.Oci;

/// <summary>
/// What tells the images of one name apart: operating system, architecture, variant and the build of Windows. A newer revision of a build
/// has the same key, since a host runs either.
/// </summary>
/// <param name="Os">Empty if the platform is not known.</param>
/// <param name="Architecture">Empty if the platform is not known.</param>
/// <param name="Variant">See <see cref="PlatformSelector.VariantOf"/>.</param>
/// <param name="Build">Major, minor and build of a Windows version, with how many of them there are; null without such a version.</param>
/// <param name="OsVersion">A version that is not a Windows version; else empty.</param>
internal readonly record struct PlatformKey(
    string Os, string Architecture, string Variant, (uint Major, uint Minor, uint Build, int Count)? Build, string OsVersion)
{
    /// <param name="platform">Null if it is not known, which is a key of its own.</param>
    public static PlatformKey Of(Platform? platform)
    {
        if (platform is null)
        {
            return new PlatformKey(string.Empty, string.Empty, string.Empty, Build: null, string.Empty);
        }

        var text = platform.OsVersion ?? string.Empty;
        return platform.Os == Platform.Windows && Oci.OsVersion.TryParse(text, out var version)
            ? new PlatformKey(platform.Os, platform.Architecture, PlatformSelector.VariantOf(platform), version.BuildKey, string.Empty)
            : new PlatformKey(platform.Os, platform.Architecture, PlatformSelector.VariantOf(platform), Build: null, text);
    }
}

/// <summary>The order of platforms in lists: by name, then by version, number by number.</summary>
internal sealed class PlatformOrder : IComparer<Platform?>
{
    public static PlatformOrder Instance { get; } = new();

    public int Compare(Platform? x, Platform? y) => (x, y) switch
    {
        (null, null) => 0,
        (null, _) => -1,
        (_, null) => 1,
        _ when string.CompareOrdinal(x.Os, y.Os) is not 0 and var order => order,
        _ when string.CompareOrdinal(x.Architecture, y.Architecture) is not 0 and var order => order,
        _ when string.CompareOrdinal(PlatformSelector.VariantOf(x), PlatformSelector.VariantOf(y)) is not 0 and var order => order,
        _ when VersionOf(x).SortKey.CompareTo(VersionOf(y).SortKey) is not 0 and var order => order,
        _ => string.CompareOrdinal(x.OsVersion, y.OsVersion),
    };

    /// <summary>What is no version comes before all versions.</summary>
    private static OsVersion VersionOf(Platform platform) => OsVersion.TryParse(platform.OsVersion ?? string.Empty, out var version) ? version : default;
}
