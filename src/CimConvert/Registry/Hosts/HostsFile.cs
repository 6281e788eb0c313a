using CimConvert.Toml;

namespace CimConvert.Registry.Hosts;

/// <summary>
/// Reads containerd's hosts.toml (https://github.com/containerd/containerd/blob/main/docs/hosts.md; core/remotes/docker/config/hosts.go):
/// the hosts in the file's order, then the server. An invalid file is an error, because the file may keep a machine away from the wrong
/// registry; containerd ignores it.
/// </summary>
internal static class HostsFile
{
    public const string Name = "hosts.toml";

    private const string Server = "server";
    private const string Host = "host";
    private const string ApiPath = "/v2";

    /// <param name="bytes">The file's content.</param>
    /// <param name="path">Its path; paths in it are relative to its folder.</param>
    /// <param name="self">The registry it configures: the last host if the file names no server.</param>
    /// <param name="warn">Told of unknown keys.</param>
    /// <exception cref="InvalidDataException">The file is invalid; the message has its name, line and column.</exception>
    public static IReadOnlyList<RegistryHost> Read(ReadOnlySpan<byte> bytes, string path, RegistryHost self, Action<string> warn)
    {
        var file = TomlFile.Read(bytes, path);
        var root = file.Root;
        var folder = Path.GetDirectoryName(Path.GetFullPath(path))!;
        var hosts = new List<RegistryHost>();
        foreach (var (url, value) in HostsOf(file))
        {
            var table = new HostTable(value.Content as TomlTable ?? throw file.Error(value.Offset, "a host must be a table"), file, folder);
            WarnOf(table.UnknownKeys(), path, warn);
            hosts.Add(table.ApplyTo(new RegistryHost(self.Namespace, RootOf(url, value.Offset, table.OverridePath, file))));
        }

        var last = new HostTable(root, file, folder);
        WarnOf(last.UnknownKeys(Server, Host), path, warn);
        var overridePath = last.OverridePath;
        hosts.Add(last.ApplyTo(ServerOf(file) is var (server, offset)
            ? new RegistryHost(self.Namespace, RootOf(server, offset, overridePath, file))
            : self));
        return hosts;
    }

    private static IEnumerable<KeyValuePair<string, TomlValue>> HostsOf(TomlFile file) =>
        !file.Root.TryGet(Host, out var value) ? []
        : value.Content is TomlTable hosts ? hosts.Values
        : throw file.Error(value.Offset, "host must be a table for each host: [host.\"https://mirror.example.com\"]");

    private static (string Url, int Offset)? ServerOf(TomlFile file) =>
        !file.Root.TryGet(Server, out var value) ? null
        : value.Content is string url ? (url, value.Offset)
        : throw file.Error(value.Offset, "server must be a string");

    /// <summary>HTTPS if the URL has no scheme; /v2 is appended unless the path ends with it or is to be kept (hosts.go, parseHostConfig).</summary>
    private static Uri RootOf(string url, int offset, bool overridePath, TomlFile file)
    {
        var full = url.StartsWith("http", StringComparison.Ordinal) ? url : $"{Uri.UriSchemeHttps}://{url}";
        if (WebAddress.TryRead(full) is not { } uri
            || !(uri.Scheme == Uri.UriSchemeHttp || uri.Scheme == Uri.UriSchemeHttps)
            || uri.Host.Length == 0
            || uri.UserInfo.Length > 0 || uri.Query.Length > 0 || uri.Fragment.Length > 0)
        {
            throw file.Error(offset, "a host is the URL of a registry: http or https, a name, and maybe a port and path; logins belong in docker's config.json");
        }

        var path = uri.AbsolutePath.TrimEnd('/');
        var isApi = overridePath || path.EndsWith(ApiPath, StringComparison.Ordinal);

        // Not resolved as a relative reference: a path that starts with two slashes would name another host.
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
