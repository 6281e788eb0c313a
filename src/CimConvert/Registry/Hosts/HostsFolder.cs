using CimConvert.Toml;

namespace CimConvert.Registry.Hosts;

/// <summary>The folder that configures one registry (containerd, docs/hosts.md, "Registry Host Namespace").</summary>
internal static class HostsFolder
{
    private const string Fallback = "_default";

    /// <returns>Null if the registry has no folder.</returns>
    public static string? Find(IEnumerable<string> folders, string registry) => folders
        .SelectMany(folder => NamesOf(registry).Select(name => Path.Combine(folder, name)))
        .FirstOrDefault(Directory.Exists);

    /// <summary>Reads hosts.toml. Without one, or if it is empty, the folder's certificates are for the registry itself.</summary>
    /// <exception cref="InvalidDataException">The hosts.toml is invalid.</exception>
    public static IReadOnlyList<RegistryHost> Read(string folder, RegistryHost self, Action<string> warn)
    {
        var path = Path.Combine(folder, HostsFile.Name);
        return ReadIfThere(path) is { Length: > 0 } bytes
            ? HostsFile.Read(bytes, path, self, warn)
            : [self with { Connection = self.Connection.With(CertificatesOf(folder)) }];
    }

    /// <summary>
    /// Docker's naming (https://docs.docker.com/engine/security/certificates/): *.crt are authorities, *.cert are client certificates
    /// with their keys in *.key.
    /// </summary>
    public static ConnectionSettings CertificatesOf(string folder) => new()
    {
        Authorities = FilesOf(folder, ".crt"),
        ClientCertificates =
        [
            .. FilesOf(folder, ".cert").Select(path =>
                new ClientCertificateFiles(path, Path.ChangeExtension(path, ".key") is var key && File.Exists(key) ? key : null)),
        ],
    };

    /// <summary>In the order of their names, not of the file system.</summary>
    private static List<string> FilesOf(string folder, string extension) =>
        [.. Directory.EnumerateFiles(folder).Where(path => Path.GetExtension(path) == extension).Order(StringComparer.Ordinal).Select(Path.GetFullPath)];

    /// <summary>With a port, HOST_PORT_ or HOST:PORT; on Windows without the colon (containerd, core/remotes/docker/config, hostPaths).</summary>
    private static IEnumerable<string> NamesOf(string registry)
    {
        var colon = registry.LastIndexOf(':');
        if (colon > 0)
        {
            yield return WithoutColon($"{registry[..colon]}_{registry[(colon + 1)..]}_");
        }

        yield return WithoutColon(registry);
        yield return Fallback;
    }

    private static string WithoutColon(string name) => OperatingSystem.IsWindows() ? name.Replace(":", string.Empty, StringComparison.Ordinal) : name;

    private static byte[] ReadIfThere(string path)
    {
        try
        {
            return TomlFile.ReadBounded(path);
        }
        catch (FileNotFoundException)
        {
            return [];
        }
    }
}
