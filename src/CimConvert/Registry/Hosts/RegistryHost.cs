using CimConvert.Oci;

namespace CimConvert.Registry.Hosts;

/// <summary>One of the hosts a registry's content may be had from: the registry itself, or a mirror of it.</summary>
internal sealed record RegistryHost
{
    /// <summary>The API of <c>docker.io</c> lives elsewhere (docker, registry/config.go).</summary>
    public const string DockerHubHost = "registry-1.docker.io";

    private const string ApiPath = "/v2/";

    /// <param name="registry">The registry as references name it.</param>
    /// <param name="root">Where its API starts, with a slash at the end.</param>
    public RegistryHost(string registry, Uri root)
    {
        var name = root.Authority is DockerHubHost ? ImageReference.DockerHub : root.Authority;
        Root = root;
        IsMirror = !IsSame(name, registry) && !IsSame(root.Authority, registry) && !IsSame($"{root.Host}:{root.Port}", registry);
        Name = IsMirror ? name : registry;
        Namespace = registry;
    }

    /// <summary>The registry whose content this is, as references name it.</summary>
    public string Namespace { get; }

    /// <summary>The host as image references would name it, which is what credentials are kept by.</summary>
    public string Name { get; }

    /// <summary>Where the API starts, with a slash at the end.</summary>
    public Uri Root { get; }

    /// <summary>The host is another one than the registry, and must be told whose content is meant.</summary>
    public bool IsMirror { get; }

    public HostCapabilities Capabilities { get; init; } = HostCapabilities.All;

    public ConnectionSettings Connection { get; init; } = ConnectionSettings.Default;

    /// <summary>Sent with every request to this host, and to no other.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Headers { get; init; } = [];

    /// <summary>The registry itself, where nothing is configured.</summary>
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

    /// <summary>What a repository is called at this host: below a mirror's path, that path is part of the name (<c>/v2/proxy/</c>).</summary>
    public string RepositoryOf(ImageReference reference) =>
        Root.AbsolutePath.StartsWith(ApiPath, StringComparison.Ordinal) ? Root.AbsolutePath[ApiPath.Length..] + reference.Repository : reference.Repository;

    private static bool IsSame(string left, string right) => string.Equals(left, right, StringComparison.OrdinalIgnoreCase);
}
