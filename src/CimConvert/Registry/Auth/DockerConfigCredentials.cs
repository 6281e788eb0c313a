using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using CimConvert.Oci;
using CimConvert.Registry.Hosts;

namespace CimConvert.Registry.Auth;

/// <summary>
/// Logins from docker's <c>config.json</c> (https://docs.docker.com/reference/cli/docker/login/): from the registry's credential helper
/// (<c>credHelpers</c>), else the default one (<c>credsStore</c>), else <c>auths</c>.
/// </summary>
internal sealed class DockerConfigCredentials : ICredentialSource
{
    private const string FileName = "config.json";
    private const string DirectoryVariable = "DOCKER_CONFIG";
    private const string FileVariable = "REGISTRY_AUTH_FILE";
    private const int MaxBytes = 4 << 20;

    /// <summary>The key of Docker Hub's login, in config.json and in credential helpers.</summary>
    private const string DockerHubKey = "https://index.docker.io/v1/";

    private static readonly TimeSpan s_helperTime = TimeSpan.FromMinutes(1);

    private readonly Dictionary<string, RegistryCredential> _credentials;
    private readonly Dictionary<string, CredentialHelper> _helpers;
    private readonly CredentialHelper? _store;

    private DockerConfigCredentials(
        Dictionary<string, RegistryCredential> credentials, Dictionary<string, CredentialHelper> helpers, CredentialHelper? store)
    {
        _credentials = credentials;
        _helpers = helpers;
        _store = store;
    }

    /// <summary>
    /// <c>$REGISTRY_AUTH_FILE</c>, as for skopeo and podman (containers-auth.json(5), the same format); else docker's own
    /// <c>$DOCKER_CONFIG/config.json</c>, else <c>~/.docker/config.json</c>.
    /// </summary>
    public static string DefaultPath => Environment.GetEnvironmentVariable(FileVariable) is { Length: > 0 } file ? file : Path.Combine(
        Environment.GetEnvironmentVariable(DirectoryVariable) is { Length: > 0 } directory
            ? directory
            : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".docker"),
        FileName);

    /// <summary>Reads the file; a missing file has no credentials.</summary>
    /// <exception cref="InvalidDataException">The file is not a docker configuration. The message does not quote its content.</exception>
    public static DockerConfigCredentials Load(string path)
    {
        byte[] bytes;
        try
        {
            using var file = File.OpenRead(path);
            if (file.Length > MaxBytes)
            {
                throw new InvalidDataException($"docker configuration {path} has {file.Length} bytes, more than the {MaxBytes} allowed");
            }

            bytes = new byte[file.Length];
            file.ReadExactly(bytes);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return new DockerConfigCredentials([], [], null);
        }

        return Parse(bytes, path);
    }

    /// <inheritdoc/>
    /// <exception cref="RegistryException">The credential helper is not installed, or failed.</exception>
    public async ValueTask<RegistryCredential?> FindAsync(string registry, CancellationToken cancellationToken)
    {
        var key = registry is ImageReference.DockerHub ? DockerHubKey : registry;
        var stored = (_helpers.GetValueOrDefault(registry) ?? _store) is { } helper ? await helper.GetAsync(key, cancellationToken) : null;
        return stored ?? _credentials.GetValueOrDefault(registry);
    }

    private static DockerConfigCredentials Parse(byte[] bytes, string path)
    {
        if (!TryRead(bytes, out var config))
        {
            throw new InvalidDataException($"docker configuration {path} is not valid JSON of its type");
        }

        // Host names are added last, so that they win over old URL keys of the same host.
        var credentials = new Dictionary<string, RegistryCredential>(StringComparer.OrdinalIgnoreCase);
        foreach (var (key, entry) in (config?.Auths ?? []).OrderBy(pair => pair.Key.Contains('/', StringComparison.Ordinal) ? 0 : 1))
        {
            if (entry is not null && Read(entry, key, path) is { } credential)
            {
                credentials[HostOf(key)] = credential;
            }
        }

        try
        {
            var helpers = new Dictionary<string, CredentialHelper>(StringComparer.OrdinalIgnoreCase);
            foreach (var (key, name) in (config?.CredentialHelpers ?? []).Where(pair => !string.IsNullOrEmpty(pair.Value)))
            {
                helpers[HostOf(key)] = new CredentialHelper(name!, s_helperTime);
            }

            var store = string.IsNullOrEmpty(config?.CredentialsStore) ? null : new CredentialHelper(config.CredentialsStore, s_helperTime);
            return new DockerConfigCredentials(credentials, helpers, store);
        }
        catch (InvalidDataException e)
        {
            throw new InvalidDataException($"docker configuration {path}: {e.Message}", e);
        }
    }

    /// <summary>Drops the parser's message, which may quote a password.</summary>
    private static bool TryRead(byte[] bytes, out DockerConfig? config)
    {
        try
        {
            config = JsonSerializer.Deserialize(bytes, DockerConfigJson.Default.DockerConfig);
            return true;
        }
        catch (JsonException)
        {
            config = null;
            return false;
        }
    }

    private static RegistryCredential? Read(DockerAuth auth, string key, string path)
    {
        if (!string.IsNullOrEmpty(auth.IdentityToken))
        {
            return new RegistryCredential.IdentityToken(auth.IdentityToken);
        }

        if (!string.IsNullOrEmpty(auth.RegistryToken))
        {
            return new RegistryCredential.AccessToken(auth.RegistryToken);
        }

        if (!string.IsNullOrEmpty(auth.UserName))
        {
            return new RegistryCredential.Password(auth.UserName, auth.Password ?? string.Empty);
        }

        // An entry without secrets: a helper has them.
        return string.IsNullOrEmpty(auth.Auth) ? null : Decode(auth.Auth, key, path);
    }

    private static RegistryCredential.Password Decode(string auth, string key, string path)
    {
        var bytes = new byte[auth.Length];
        if (Convert.TryFromBase64String(auth, bytes, out var length))
        {
            // Docker removes trailing NUL characters (docker/cli, cli/config/configfile/file.go, decodeAuth).
            var text = Encoding.UTF8.GetString(bytes, 0, length).TrimEnd('\0');
            var colon = text.IndexOf(':', StringComparison.Ordinal);
            if (colon > 0)
            {
                return new RegistryCredential.Password(text[..colon], text[(colon + 1)..]);
            }
        }

        throw new InvalidDataException($"docker configuration {path}: 'auth' of '{Printable.Of(key)}' is not base64 of user:password");
    }

    /// <summary>Keys are hosts, or URLs of the first registry API, such as <c>https://index.docker.io/v1/</c> for Docker Hub.</summary>
    private static string HostOf(string key)
    {
        var scheme = key.IndexOf("://", StringComparison.Ordinal);
        var host = scheme < 0 ? key : key[(scheme + 3)..];
        var slash = host.IndexOf('/', StringComparison.Ordinal);
        host = slash < 0 ? host : host[..slash];
        return host is "index.docker.io" or RegistryHost.DockerHubHost ? ImageReference.DockerHub : host;
    }
}

/// <summary>The credentials in docker's configuration.</summary>
internal sealed record DockerConfig
{
    [JsonPropertyName("auths")]
    public Dictionary<string, DockerAuth?>? Auths { get; init; }

    /// <summary>Names of credential helpers, by registry.</summary>
    [JsonPropertyName("credHelpers")]
    public Dictionary<string, string?>? CredentialHelpers { get; init; }

    /// <summary>The credential helper for all other registries.</summary>
    [JsonPropertyName("credsStore")]
    public string? CredentialsStore { get; init; }
}

internal sealed record DockerAuth
{
    [JsonPropertyName("auth")]
    public string? Auth { get; init; }

    [JsonPropertyName("username")]
    public string? UserName { get; init; }

    [JsonPropertyName("password")]
    public string? Password { get; init; }

    [JsonPropertyName("identitytoken")]
    public string? IdentityToken { get; init; }

    [JsonPropertyName("registrytoken")]
    public string? RegistryToken { get; init; }
}

[JsonSerializable(typeof(DockerConfig))]
internal sealed partial class DockerConfigJson : JsonSerializerContext;
