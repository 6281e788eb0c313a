namespace CimConvert.Oci;

/// <summary>No entry of an index fits the requested platform. The message lists all entries, each with the reason.</summary>
internal sealed class PlatformNotFoundException(string message) : ConversionException(message);

/// <summary>
/// Selects the entry of an index to convert. On Windows, containers depend on the host's build: the build must match, the revision
/// need not. From build 20348 on the container ABI is stable, so that a newer host also runs older images (learn.microsoft.com,
/// "Windows container version compatibility"). <c>os.features</c> is ignored: every host that images are converted for has win32k.
/// </summary>
internal static class PlatformSelector
{
    /// <summary>Windows Server 2022, the first build with a stable container ABI.</summary>
    public const uint FirstStableBuild = 20348;

    private const string AttestationAnnotation = "vnd.docker.reference.type";
    private const string Unknown = "unknown";

    /// <summary>How well an entry fits, from worst to best.</summary>
    private enum Fit
    {
        None,
        NoPlatform,
        NoVersion,
        StableAbi,
        SameBuild,
        Exact,
    }

    /// <summary>The best entry, or the first of several equally good ones. It may be an index, in which the caller selects again.</summary>
    /// <param name="index">The index to select from.</param>
    /// <param name="requested">Operating system, architecture and, if set, variant; its version is ignored.</param>
    /// <param name="osVersion">The host's version, or the start of it (10.0.20348); null selects the highest version.</param>
    /// <exception cref="PlatformNotFoundException">No entry fits.</exception>
    /// <exception cref="InvalidDataException"><paramref name="osVersion"/> is not a dotted number.</exception>
    public static Descriptor Select(ImageIndex index, Platform requested, string? osVersion)
    {
        var requestedVersion = ParseRequested(osVersion);
        Descriptor? best = null;
        var bestRank = (Fit.None, default(OsVersion).SortKey);
        var rejected = new List<string>();
        foreach (var entry in index.Manifests)
        {
            var (fit, version, reason) = Rate(entry, requested, requestedVersion);
            if (fit == Fit.None)
            {
                rejected.Add($"{entry.Platform?.ToString() ?? "no platform"} ({entry.Digest}): {reason}");
            }
            else if (best is null || (fit, version.SortKey).CompareTo(bestRank) > 0)
            {
                best = entry;
                bestRank = (fit, version.SortKey);
            }
        }

        return best ?? throw new PlatformNotFoundException(
            $"the index has nothing for {Describe(requested, osVersion)}: {(rejected.Count == 0 ? "it is empty" : string.Join("; ", rejected))}");
    }

    /// <summary>All entries that fit a platform, of whatever version, in the order of the index. Any of them may be an index.</summary>
    public static IReadOnlyList<Descriptor> SelectAll(ImageIndex index, Platform requested) =>
        [.. index.Manifests.Where(entry => Rate(entry, requested, requestedVersion: null).Fit != Fit.None)];

    /// <summary>Checks an image that was not selected from an index by the same rules. Returns why it does not fit, or null.</summary>
    /// <exception cref="InvalidDataException"><paramref name="osVersion"/> is not a dotted number.</exception>
    public static string? Mismatch(Platform offered, Platform requested, string? osVersion)
    {
        var (fit, _, reason) = RatePlatform(offered, requested, ParseRequested(osVersion));
        return fit == Fit.None ? $"the image is for {offered}, not {Describe(requested, osVersion)}: {reason}" : null;
    }

    /// <summary>The variant; arm64 without one is v8, as in containerd (github.com/containerd/platforms, database.go).</summary>
    public static string VariantOf(Platform platform) =>
        string.IsNullOrEmpty(platform.Variant) && platform.Architecture is "arm64" ? "v8" : platform.Variant ?? string.Empty;

    private static OsVersion? ParseRequested(string? osVersion) => osVersion switch
    {
        null => null,
        _ when OsVersion.TryParse(osVersion, out var parsed) => parsed,
        _ => throw new InvalidDataException($"os version '{Printable.Of(osVersion)}' is not one to four numbers joined by dots, such as 10.0.20348.2700"),
    };

    private static (Fit Fit, OsVersion Version, string Reason) Rate(Descriptor entry, Platform requested, OsVersion? requestedVersion)
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

        // image-index.md: platform is optional. An entry without one is the last resort; the caller then checks its config.
        return entry.Platform is { } offered ? RatePlatform(offered, requested, requestedVersion) : (Fit.NoPlatform, default, string.Empty);
    }

    private static (Fit Fit, OsVersion Version, string Reason) RatePlatform(Platform offered, Platform requested, OsVersion? requestedVersion)
    {
        // BuildKit gives attestations this platform, for readers that do not know the annotation.
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

        return RateVersion(offered, requestedVersion);
    }

    private static (Fit Fit, OsVersion Version, string Reason) RateVersion(Platform offered, OsVersion? requestedVersion)
    {
        if (string.IsNullOrEmpty(offered.OsVersion))
        {
            return (Fit.NoVersion, default, string.Empty);
        }

        if (!OsVersion.TryParse(offered.OsVersion, out var version))
        {
            // Only Windows defines the field's form (image-index.md: "valid values are implementation-defined").
            return requestedVersion is null && offered.Os is not Platform.Windows
                ? (Fit.NoVersion, default, string.Empty)
                : Reject($"its os.version is not a dotted number: '{Printable.Of(offered.OsVersion)}'");
        }

        if (requestedVersion is not { } host)
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

    private static (Fit Fit, OsVersion Version, string Reason) Reject(string reason) => (Fit.None, default, reason);

    private static string Describe(Platform requested, string? osVersion) =>
        (requested with { OsVersion = null }) + (osVersion is null ? string.Empty : $" os.version {osVersion}");
}
