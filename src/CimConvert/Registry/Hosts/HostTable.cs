using CimConvert.Toml;

namespace CimConvert.Registry.Hosts;

/// <summary>The settings of one host, or of the server in the file's root (containerd, docs/hosts.md, "hosts.toml Content Description").</summary>
internal sealed class HostTable(TomlTable table, TomlFile file, string folder)
{
    /// <summary>Characters of a header name besides letters and digits (RFC 9110, 5.6.2, "Tokens").</summary>
    private const string TokenCharacters = "!#$%&'*+-.^_`|~";

    private static readonly string[] s_fields = ["capabilities", "ca", "client", "skip_verify", "header", "override_path", "dial_timeout"];

    public bool OverridePath => Find<bool>("override_path", "true or false");

    /// <summary>Unknown keys. containerd ignores them silently.</summary>
    public IEnumerable<string> UnknownKeys(params string[] others) =>
        table.Values.Select(pair => pair.Key).Where(key => !s_fields.Contains(key) && !others.Contains(key));

    public RegistryHost ApplyTo(RegistryHost host) => host with
    {
        Capabilities = ReadCapabilities(),
        Headers = ReadHeaders(),
        Connection = new ConnectionSettings
        {
            Authorities = [.. ItemsOf("ca").Select(PathOf)],
            ClientCertificates = ReadClientCertificates(),
            SkipVerify = Find<bool>("skip_verify", "true or false"),
            ConnectTimeout = ReadTimeout(),
        },
    };

    private HostCapabilities ReadCapabilities()
    {
        var all = HostCapabilities.None;
        if (table.TryGet("capabilities", out var value) && value.Content is not List<TomlValue>)
        {
            throw file.Error(value.Offset, "capabilities must be an array of strings");
        }

        foreach (var name in ItemsOf("capabilities"))
        {
            all |= (name.Content as string)?.ToLowerInvariant() switch
            {
                "pull" => HostCapabilities.Pull,
                "resolve" => HostCapabilities.Resolve,
                "push" => HostCapabilities.Push,
                "referrers" => HostCapabilities.Referrers,
                _ => throw file.Error(name.Offset, "a capability is one of pull, resolve, push and referrers"),
            };
        }

        return all is HostCapabilities.None ? HostCapabilities.All : all;
    }

    private List<KeyValuePair<string, string>> ReadHeaders()
    {
        var headers = new List<KeyValuePair<string, string>>();
        foreach (var (name, value) in Find<TomlTable>("header", "a table")?.Values ?? [])
        {
            if (name.Length == 0 || !name.All(c => char.IsAsciiLetterOrDigit(c) || TokenCharacters.Contains(c, StringComparison.Ordinal)))
            {
                throw file.Error(value.Offset, $"'{Printable.Of(name)}' is not a header's name");
            }

            headers.AddRange(ListOf(name, value).Select(each => new KeyValuePair<string, string>(name, HeaderValue(each))));
        }

        return headers;
    }

    /// <summary>The value may be a secret: errors do not quote it.</summary>
    private string HeaderValue(TomlValue value) => value.Content is string header && header.All(c => c is '\t' or (>= ' ' and < '\u007f'))
        ? header
        : throw file.Error(value.Offset, "a header's value must be a string of printable ASCII characters");

    private List<ClientCertificateFiles> ReadClientCertificates()
    {
        var pairs = new List<ClientCertificateFiles>();
        foreach (var value in ItemsOf("client"))
        {
            List<TomlValue> files = value.Content is List<TomlValue> pair ? pair : [value];
            if (files.Count is not (1 or 2))
            {
                throw file.Error(value.Offset, "a client certificate is a path, or an array of two: the certificate's and the key's");
            }

            var keyInSameFile = files.Count == 1 || files[1].Content is "";
            pairs.Add(new ClientCertificateFiles(PathOf(files[0]), keyInSameFile ? null : PathOf(files[1])));
        }

        return pairs;
    }

    private TimeSpan? ReadTimeout() => table.TryGet("dial_timeout", out var value)
        ? (value.Content is string duration ? GoDuration.Parse(duration) : null)
            ?? throw file.Error(value.Offset, "dial_timeout must be a duration of at most an hour, such as \"500ms\" or \"10s\"")
        : null;

    private string PathOf(TomlValue value) => value.Content is string { Length: > 0 } path && !path.Contains('\0', StringComparison.Ordinal)
        ? Path.GetFullPath(path, folder)
        : throw file.Error(value.Offset, "a file's path was expected");

    private T? Find<T>(string key, string kind) => !table.TryGet(key, out var value) ? default
        : value.Content is T content ? content
        : throw file.Error(value.Offset, $"{key} must be {kind}");

    private List<TomlValue> ItemsOf(string key) => table.TryGet(key, out var value) ? ListOf(key, value) : [];

    private List<TomlValue> ListOf(string key, TomlValue value) => value.Content switch
    {
        string => [value],
        List<TomlValue> values => values,
        _ => throw file.Error(value.Offset, $"{Printable.Of(key)} must be a string or an array"),
    };
}
