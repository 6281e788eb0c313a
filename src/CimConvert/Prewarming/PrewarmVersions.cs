using CimConvert.Oci;
using CimConvert.Pipeline;

namespace CimConvert.Prewarming;

/// <summary>Which Windows versions of an image a list asks for: by <c>osVersion</c> one, by <c>osVersions</c> any number.</summary>
internal sealed record PrewarmVersions
{
    private const string One = "osVersion";
    private const string Several = "osVersions";
    private const string AllName = "all";

    private PrewarmVersions(bool all, IReadOnlyList<string> named)
    {
        All = all;
        Named = named;
    }

    /// <summary>Whether every version that the index has is wanted.</summary>
    public bool All { get; }

    /// <summary>The versions, each complete or its first parts; none for the default or all.</summary>
    public IReadOnlyList<string> Named { get; }

    public bool AreSeveral => All || Named.Count > 1;

    /// <summary>Reads what an image's own section says, else what <c>defaults</c> say.</summary>
    /// <param name="own">Null if the image has no section.</param>
    /// <param name="defaults">Null if the list has none.</param>
    /// <param name="host">The version of this Windows; null on another system.</param>
    /// <exception cref="PrewarmListException">A value is wrong, or a section has both keys.</exception>
    public static PrewarmVersions Read(YamlSection? own, YamlSection? defaults, string? host)
    {
        // Both sections know both keys, whichever counts.
        var (common, special) = (ReadSection(defaults, host), ReadSection(own, host));
        return special ?? common ?? new PrewarmVersions(all: false, []);
    }

    /// <summary>The image with its one version, or with all of several.</summary>
    public PrewarmImage Of(PrewarmImage image) => AreSeveral
        ? image with { AllVersions = All, Versions = Named }
        : image with { OsVersion = Named.Count == 0 ? null : Named[0] };

    private static PrewarmVersions? ReadSection(YamlSection? section, string? host)
    {
        var one = section?.Read(One, text => HostVersion.Parse(text, host));
        if (section?.Texts(Several) is not { } several)
        {
            return one is null ? null : new PrewarmVersions(all: false, [one]);
        }

        if (one is not null)
        {
            throw section.Bad(Several, $"and '{One}' exclude each other: leave one out");
        }

        if (several is [AllName])
        {
            return new PrewarmVersions(all: true, []);
        }

        try
        {
            return new PrewarmVersions(all: false, ReadVersions(several, host));
        }
        catch (InvalidDataException e)
        {
            throw section.Bad(Several, $"cannot be read: {e.Message}");
        }
    }

    private static List<string> ReadVersions(IReadOnlyList<string> texts, string? host)
    {
        var versions = texts.Select(text => HostVersion.Parse(text, host)).ToList();
        var builds = new HashSet<(uint, uint, uint, int)>();
        foreach (var version in versions)
        {
            if (!OsVersion.TryParse(version, out var parsed))
            {
                throw new InvalidDataException($"'{Printable.Of(version)}' is neither '{AllName}' or '{HostVersion.Name}' nor a version such as 10.0.20348");
            }

            if (!builds.Add(parsed.BuildKey))
            {
                throw new InvalidDataException($"{version} is of the same build as one before it, and a store keeps one of each build");
            }
        }

        return versions.Count > 0 ? versions : throw new InvalidDataException("the list is empty");
    }
}
