namespace CimConvert.Registry.Hosts;

/// <summary>
/// Reads containerd's hosts.toml (docs/hosts.md; core/remotes/docker/config/hosts.go): the hosts in the file's order, then the server.
/// Unlike containerd, which then goes on without it, a file that cannot be read as meant is an error: it may be what keeps
/// a machine from going to the wrong registry.
/// </summary>
internal static class HostsFile
{
    public const string Name = "hosts.toml";

    private const string Server = "server";
    private const string Host = "host";
    private const string ApiPath = "/v2";

    /// <param name="bytes">The file's content.</param>
    /// <param name="path">Where it lies; paths in it are relative to that folder.</param>
    /// <param name="self">The registry it is for, which is the last host where the file names no server.</param>
    /// <param name="warn">Told of keys that mean nothing.</param>
    /// <exception cref="InvalidDataException">The file is not one; the message gives its name, line and column.</exception>
    public static IReadOnlyList<RegistryHost> Read(ReadOnlySpan<byte> bytes, string path, RegistryHost self, Action<string> warn)
    {
        var (root, text) = TomlReader.Read(bytes, path);
        var folder = Path.GetDirectoryName(Path.GetFullPath(path))!;
        var hosts = new List<RegistryHost>();
        foreach (var (url, value) in HostsOf(root, text))
        {
            var table = new HostTable(value.Content as TomlTable ?? throw text.Error(value.Offset, "a host must be a table"), text, folder);
            WarnOf(table.UnknownKeys(), path, warn);
            hosts.Add(table.ApplyTo(new RegistryHost(self.Namespace, RootOf(url, value.Offset, table.OverridePath, text))));
        }

        var last = new HostTable(root, text, folder);
        WarnOf(last.UnknownKeys(Server, Host), path, warn);
        var overridePath = last.OverridePath;
        hosts.Add(last.ApplyTo(ServerOf(root, text) is var (server, offset)
            ? new RegistryHost(self.Namespace, RootOf(server, offset, overridePath, text))
            : self));
        return hosts;
    }

    private static IEnumerable<KeyValuePair<string, TomlValue>> HostsOf(TomlTable root, TomlText text) =>
        !root.TryGet(Host, out var value) ? []
        : value.Content is TomlTable hosts ? hosts.Values
        : throw text.Error(value.Offset, "host must be a table for each host: [host.\"https://mirror.example.com\"]");

    private static (string Url, int Offset)? ServerOf(TomlTable root, TomlText text) =>
        !root.TryGet(Server, out var value) ? null
        : value.Content is string url ? (url, value.Offset)
        : throw text.Error(value.Offset, "server must be a string");

    /// <summary>hosts.go, parseHostConfig: HTTPS where no scheme is given, and /v2 where the path does not end so and need not be kept.</summary>
    private static Uri RootOf(string url, int offset, bool overridePath, TomlText text)
    {
        var full = url.StartsWith("http", StringComparison.Ordinal) ? url : $"{Uri.UriSchemeHttps}://{url}";
        if (WebAddress.TryRead(full) is not { } uri
            || !(uri.Scheme == Uri.UriSchemeHttp || uri.Scheme == Uri.UriSchemeHttps)
            || uri.Host.Length == 0
            || uri.UserInfo.Length > 0 || uri.Query.Length > 0 || uri.Fragment.Length > 0)
        {
            throw text.Error(offset, "a host is the URL of a registry: http or https, a name, and maybe a port and path; logins belong in docker's config.json");
        }

        var path = uri.AbsolutePath.TrimEnd('/');
        var isApi = overridePath || path.EndsWith(ApiPath, StringComparison.Ordinal);

        // Not as a reference relative to it: a path that starts with two slashes would name another host.
        return new UriBuilder(uri) { Path = $"{path}{(isApi ? string.Empty : ApiPath)}/" }.Uri;
    }

    private static void WarnOf(IEnumerable<string> keys, string path, Action<string> warn)
    {
        foreach (var key in keys)
        {
            warn($"{path}: '{Printable.Of(key)}' is not a setting this program knows; it is ignored");
        }
    }
}
