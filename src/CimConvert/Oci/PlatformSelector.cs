namespace CimConvert.Oci;

/// <summary>
/// Picks the entry of an index to convert. Windows is choosier than the spec's exact match: the kernel interface is tied to the build,
/// so the build decides and the revision does not; from build 20348 on it is stable, so that a newer host also runs older images
/// (Microsoft, "Windows container version compatibility"). <c>os.features</c> are not weighed: every host that
/// converts images for Windows Server offers win32k.
/// </summary>
internal static class PlatformSelector
{
    /// <summary>Windows Server 2022, the first build with a stable container ABI.</summary>
    public const uint FirstStableBuild = 20348;

    private const string AttestationAnnotation = "vnd.docker.reference.type";
    private const string Unknown = "unknown";

    /// <summary>How well an entry fits, best last.</summary>
    private enum Fit
    {
        None,
        NoPlatform,
        NoVersion,
        StableAbi,
        SameBuild,
        Exact,
    }

    /// <summary>The best entry, the first of equals. It may be an index itself; then the caller looks into that.</summary>
    /// <param name="index">The entries to choose from.</param>
    /// <param name="requested">Operating system, architecture and, where set, variant; a version in it is not looked at.</param>
    /// <param name="osVersion">The host's version, or the start of one (10.0.20348); null takes the highest there is.</param>
    /// <exception cref="PlatformNotFoundException">No entry fits.</exception>
    /// <exception cref="InvalidDataException"><paramref name="osVersion"/> is not a dotted number.</exception>
    public static Descriptor Select(ImageIndex index, Platform requested, string? osVersion)
    {
        var asked = ParseRequested(osVersion);
        Descriptor? best = null;
        var bestRank = (Fit.None, default(OsVersion).SortKey);
        var passedOver = new List<string>();
        foreach (var entry in index.Manifests)
        {
            var (fit, version, why) = Judge(entry, requested, asked);
            if (fit == Fit.None)
            {
                passedOver.Add($"{entry.Platform?.ToString() ?? "no platform"} ({entry.Digest}): {why}");
            }
            else if (best is null || (fit, version.SortKey).CompareTo(bestRank) > 0)
            {
                best = entry;
                bestRank = (fit, version.SortKey);
            }
        }

        return best ?? throw new PlatformNotFoundException(
            $"the index has nothing for {Describe(requested, osVersion)}: {(passedOver.Count == 0 ? "it is empty" : string.Join("; ", passedOver))}");
    }

    /// <summary>Holds an image that was not chosen from an index to the same rules; null where it fits.</summary>
    /// <exception cref="InvalidDataException"><paramref name="osVersion"/> is not a dotted number.</exception>
    public static string? Mismatch(Platform offered, Platform requested, string? osVersion)
    {
        var (fit, _, why) = JudgePlatform(offered, requested, ParseRequested(osVersion));
        return fit == Fit.None ? $"the image is for {offered}, not {Describe(requested, osVersion)}: {why}" : null;
    }

    private static OsVersion? ParseRequested(string? osVersion) => osVersion switch
    {
        null => null,
        _ when OsVersion.TryParse(osVersion, out var parsed) => parsed,
        _ => throw new InvalidDataException($"os version '{Printable.Of(osVersion)}' is not one to four numbers joined by dots, such as 10.0.20348.2700"),
    };

    private static (Fit Fit, OsVersion Version, string Why) Judge(Descriptor entry, Platform requested, OsVersion? asked)
    {
        if (entry.Annotations?.ContainsKey(AttestationAnnotation) == true)
        {
            return Reject("it is an attestation");
        }

        if (!MediaTypes.IsIndex(entry.MediaType) && !MediaTypes.IsManifest(entry.MediaType))
        {
            return Reject($"its media type is '{Printable.Of(entry.MediaType)}'");
        }

        if (entry.ArtifactType is { } artifact)
        {
            return Reject($"it is an artifact of type '{Printable.Of(artifact)}'");
        }

        // image-index.md: platform is optional. Such an entry is the last resort; its own config is then checked by the caller.
        return entry.Platform is { } offered ? JudgePlatform(offered, requested, asked) : (Fit.NoPlatform, default, string.Empty);
    }

    private static (Fit Fit, OsVersion Version, string Why) JudgePlatform(Platform offered, Platform requested, OsVersion? asked)
    {
        // BuildKit marks attestations so, for readers that do not know the annotation.
        if (offered.Os is Unknown && offered.Architecture is Unknown)
        {
            return Reject("it is an attestation");
        }

        if (offered.Os != requested.Os)
        {
            return Reject($"its os is {Printable.Of(offered.Os)}");
        }

        if (offered.Architecture != requested.Architecture)
        {
            return Reject($"its architecture is {Printable.Of(offered.Architecture)}");
        }

        if (!string.IsNullOrEmpty(requested.Variant) && VariantOf(offered) != VariantOf(requested))
        {
            return Reject(VariantOf(offered) is { Length: > 0 } variant ? $"its variant is {Printable.Of(variant)}" : "it has no variant");
        }

        return JudgeVersion(offered, asked);
    }

    private static (Fit Fit, OsVersion Version, string Why) JudgeVersion(Platform offered, OsVersion? asked)
    {
        if (string.IsNullOrEmpty(offered.OsVersion))
        {
            return (Fit.NoVersion, default, string.Empty);
        }

        if (!OsVersion.TryParse(offered.OsVersion, out var version))
        {
            // Only Windows gives the field a form (image-index.md: "valid values are implementation-defined").
            return asked is null && offered.Os is not Platform.Windows
                ? (Fit.NoVersion, default, string.Empty)
                : Reject($"its os.version is not a dotted number: '{Printable.Of(offered.OsVersion)}'");
        }

        if (asked is not { } host)
        {
            return (Fit.Exact, version, string.Empty);
        }

        if (version == host)
        {
            return (Fit.Exact, version, string.Empty);
        }

        if (version.IsOfBuild(host))
        {
            return (Fit.SameBuild, version, string.Empty);
        }

        if (host.Build is not { } hostBuild || version.Build is not { } build || offered.Os is not Platform.Windows || !version.HasMajorMinorOf(host))
        {
            return Reject("its os.version does not match");
        }

        if (build > hostBuild)
        {
            return Reject($"its build {build} is newer than {hostBuild}");
        }

        return build >= FirstStableBuild
            ? (Fit.StableAbi, version, string.Empty)
            : Reject($"its build {build} is not {hostBuild}, and only builds from {FirstStableBuild} on run on newer hosts");
    }

    /// <summary>containerd (platforms/database.go): an arm64 that does not say otherwise is v8.</summary>
    private static string VariantOf(Platform platform) =>
        string.IsNullOrEmpty(platform.Variant) && platform.Architecture is "arm64" ? "v8" : platform.Variant ?? string.Empty;

    private static (Fit Fit, OsVersion Version, string Why) Reject(string why) => (Fit.None, default, why);

    private static string Describe(Platform requested, string? osVersion) =>
        (requested with { OsVersion = null }) + (osVersion is null ? string.Empty : $" os.version {osVersion}");
}
