using CimConvert.Oci;

namespace CimConvert.Registry.Hosts;

/// <summary>A host that serves a registry's content: the registry itself, or a mirror.</summary>
internal sealed record RegistryHost
{
    /// <summary>The host of <c>docker.io</c>'s API (https://github.com/moby/moby, registry/config.go).</summary>
    public const string DockerHubHost = "registry-1.docker.io";

    private const string ApiPath = "/v2/";

    /// <param name="registry">The registry's name in image references.</param>
    /// <param name="root">The root of the host's API, with a trailing slash.</param>
    public RegistryHost(string registry, Uri root)
    {
        var name = root.Authority is DockerHubHost ? ImageReference.DockerHub : root.Authority;
        Root = root;
        IsMirror = !IsSame(name, registry) && !IsSame(root.Authority, registry) && !IsSame($"{root.Host}:{root.Port}", registry);
        Name = IsMirror ? name : registry;
        Namespace = registry;
    }

    /// <summary>The registry that is mirrored: its name in image references.</summary>
    public string Namespace { get; }

    /// <summary>The host's own name in image references; the key of its credentials.</summary>
    public string Name { get; }

    /// <summary>The root of the API, with a trailing slash.</summary>
    public Uri Root { get; }

    /// <summary>Whether the host is not the registry itself and must be told which registry is meant.</summary>
    public bool IsMirror { get; }

    public HostCapabilities Capabilities { get; init; } = HostCapabilities.All;

    public ConnectionSettings Connection { get; init; } = ConnectionSettings.Default;

    /// <summary>Sent with requests to this host only.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Headers { get; init; } = [];

    /// <summary>The registry itself, without any configuration.</summary>
    public static RegistryHost Of(string registry, bool plainHttp)
    {
        var host = registry is ImageReference.DockerHub ? DockerHubHost : registry;
        return new RegistryHost(registry, new Uri($"{(plainHttp ? Uri.UriSchemeHttp : Uri.UriSchemeHttps)}://{host}{ApiPath}"));
    }

    public RegistryHost WithPlainHttp() => new(Namespace, new UriBuilder(Root) { Scheme = Uri.UriSchemeHttp }.Uri)
    {
        Capabilities = Capabilities,
        Connection = Connection,
        Headers = Headers,
    };

    /// <summary>The repository's name at this host: a path below <c>/v2/</c> is part of it (<c>/v2/proxy/</c>).</summary>
    public string RepositoryOf(ImageReference reference) =>
        Root.AbsolutePath.StartsWith(ApiPath, StringComparison.Ordinal) ? Root.AbsolutePath[ApiPath.Length..] + reference.Repository : reference.Repository;

    private static bool IsSame(string left, string right) => string.Equals(left, right, StringComparison.OrdinalIgnoreCase);
}
