using System.Globalization;
using System.Text.RegularExpressions;

namespace CimConvert.Oci;

/// <summary>
/// An image name as users write it, <c>[registry/]repository[:tag][@digest]</c>, by the grammar of
/// github.com/distribution/reference (reference.go, normalize.go), which also supplies the defaults <c>docker.io</c>,
/// <c>library/</c> and <c>latest</c>.
/// </summary>
internal sealed partial class ImageReference
{
    /// <summary>RepositoryNameTotalLengthMax of github.com/distribution/reference.</summary>
    public const int MaxRepositoryLength = 255;

    /// <summary>The limit of host names in RFC 1035; the grammar sets none.</summary>
    public const int MaxRegistryLength = 255;

    public const string DockerHub = "docker.io";
    public const string DefaultTag = "latest";

    private const string LegacyDockerHub = "index.docker.io";
    private const string OfficialPrefix = "library/";

    private ImageReference(string original, string registry, string repository, string? tag, Digest? digest)
    {
        Original = original;
        Registry = registry;
        Repository = repository;
        Tag = tag;
        Digest = digest;
    }

    /// <summary>The text as the user wrote it.</summary>
    public string Original { get; }

    /// <summary>Host, and port if given.</summary>
    public string Registry { get; }

    public string Repository { get; }

    /// <summary>Null only if there is a digest and no tag. If there are both, the digest decides what is pulled.</summary>
    public string? Tag { get; }

    public Digest? Digest { get; }

    /// <summary>A manifest of the same repository.</summary>
    public ImageReference At(Digest digest) => new($"{Registry}/{Repository}@{digest}", Registry, Repository, tag: null, digest);

    /// <summary>A tag of the same repository.</summary>
    public ImageReference At(string tag) => new($"{Registry}/{Repository}:{tag}", Registry, Repository, tag, digest: null);

    /// <summary>The full name, with all defaults.</summary>
    public override string ToString() =>
        $"{Registry}/{Repository}{(Tag is null ? string.Empty : ":" + Tag)}{(Digest is { } digest ? "@" + digest : string.Empty)}";

    /// <exception cref="InvalidDataException">The text does not follow the grammar.</exception>
    public static ImageReference Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var name = text;
        Digest? digest = null;
        var atSign = text.IndexOf('@', StringComparison.Ordinal);
        if (atSign >= 0)
        {
            name = text[..atSign];
            digest = ParseDigest(text, text[(atSign + 1)..]);
        }

        // A colon before the last slash starts a port, one after it a tag.
        string? tag = null;
        var colon = name.LastIndexOf(':');
        if (colon > name.LastIndexOf('/'))
        {
            tag = name[(colon + 1)..];
            name = name[..colon];
            if (!TagGrammar().IsMatch(tag))
            {
                throw Bad(text, $"the tag '{Printable.Of(tag)}' must be 1 to 128 letters, digits, '_', '.' or '-', and not start with '.' or '-'");
            }
        }

        var (registry, repository) = SplitRegistry(name);
        CheckRegistry(text, registry);
        CheckRepository(text, repository, givenName: name);
        return new ImageReference(text, registry, repository, tag ?? (digest is null ? DefaultTag : null), digest);
    }

    /// <summary>
    /// The first component is a host if it is localhost or cannot be a component of a repository (normalize.go, splitDockerDomain).
    /// </summary>
    private static (string Registry, string Repository) SplitRegistry(string name)
    {
        var slash = name.IndexOf('/', StringComparison.Ordinal);
        if (slash < 0)
        {
            return (DockerHub, OfficialPrefix + name);
        }

        var first = name[..slash];
        if (first is not "localhost" && !first.AsSpan().ContainsAny('.', ':') && !first.Any(char.IsAsciiLetterUpper))
        {
            return (DockerHub, name);
        }

        var registry = first is LegacyDockerHub ? DockerHub : first;
        var rest = name[(slash + 1)..];
        return registry is DockerHub && !rest.Contains('/', StringComparison.Ordinal) ? (registry, OfficialPrefix + rest) : (registry, rest);
    }

    private static void CheckRegistry(string text, string registry)
    {
        if (registry.Length > MaxRegistryLength)
        {
            throw Bad(text, $"the registry's name is longer than {MaxRegistryLength} characters");
        }

        var match = RegistryGrammar().Match(registry);

        // The grammar accepts any colons and digits in brackets, and labels of any length.
        if (!match.Success || Uri.CheckHostName(match.Groups["host"].Value) == UriHostNameType.Unknown)
        {
            throw Bad(text, $"'{Printable.Of(registry)}' is not a registry's host name, IP address or [IPv6 address], with an optional :port");
        }

        var port = match.Groups["port"];
        if (port.Success && !(ushort.TryParse(port.ValueSpan, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number > 0))
        {
            throw Bad(text, $"the port '{Printable.Of(port.Value)}' is not between 1 and 65535");
        }
    }

    private static void CheckRepository(string text, string repository, string givenName)
    {
        if (givenName.Length == 0)
        {
            throw Bad(text, "it names no repository");
        }

        if (repository.Length > MaxRepositoryLength)
        {
            throw Bad(text, $"the repository's name is longer than {MaxRepositoryLength} characters");
        }

        // 64 hex digits are an image ID (normalize.go), which docker accepts as a name but registries do not know.
        if (givenName.Length == Oci.Digest.HexLength && Oci.Digest.IsHex(givenName))
        {
            throw Bad(text, "64 hex digits are an image ID, not a repository; write repository@sha256:<digits>");
        }

        if (RepositoryGrammar().IsMatch(repository))
        {
            return;
        }

        throw Bad(text, repository.Any(char.IsAsciiLetterUpper)
            ? $"the repository '{Printable.Of(repository)}' must be lower case"
            : $"the repository '{Printable.Of(repository)}' must be lower-case letters and digits, joined by '.', '_', '__' or '-', in components split by '/'");
    }

    private static Digest ParseDigest(string text, string digest)
    {
        try
        {
            return Oci.Digest.Parse(digest);
        }
        catch (InvalidDataException e)
        {
            throw Bad(text, e.Message);
        }
    }

    private static InvalidDataException Bad(string text, string problem) => new($"'{Printable.Of(text)}' is not an image reference: {problem}");

    // None of the grammars backtracks more than the square of a name's length, so none needs a limit in time, which a busy machine exceeds.
    [GeneratedRegex(
        @"\A(?<host>[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)*|\[[a-fA-F0-9:]+\])(?::(?<port>[0-9]+))?\z",
        RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant,
        Timeout.Infinite)]
    private static partial Regex RegistryGrammar();

    [GeneratedRegex(
        @"\A[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*\z",
        RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant,
        Timeout.Infinite)]
    private static partial Regex RepositoryGrammar();

    [GeneratedRegex(@"\A[a-zA-Z0-9_][a-zA-Z0-9_.-]{0,127}\z", RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant, Timeout.Infinite)]
    private static partial Regex TagGrammar();
}
