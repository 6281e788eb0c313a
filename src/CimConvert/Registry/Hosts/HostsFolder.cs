namespace CimConvert.Registry.Hosts;

/// <summary>The folder that configures one registry, among those for all (containerd, docs/hosts.md, "Registry Host Namespace").</summary>
internal static class HostsFolder
{
    private const string Fallback = "_default";

    /// <returns>Null where there is none.</returns>
    public static string? Find(IEnumerable<string> folders, string registry) => folders
        .SelectMany(folder => NamesOf(registry).Select(name => Path.Combine(folder, name)))
        .FirstOrDefault(Directory.Exists);

    /// <summary>Reads its hosts.toml; where there is none, or an empty one, its certificates are for the registry itself.</summary>
    /// <exception cref="InvalidDataException">The hosts.toml is not one.</exception>
    public static IReadOnlyList<RegistryHost> Read(string folder, RegistryHost self, Action<string> warn)
    {
        var path = Path.Combine(folder, HostsFile.Name);
        return ReadBounded(path) is { Length: > 0 } bytes
            ? HostsFile.Read(bytes, path, self, warn)
            : [self with { Connection = self.Connection.With(CertificatesOf(folder)) }];
    }

    /// <summary>
    /// Docker's pattern ("Verify repository client with certificates"): *.crt are authorities, *.cert client certificates with
    /// their keys in *.key.
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

    /// <summary>In the order of their names, whatever the file system's is.</summary>
    private static List<string> FilesOf(string folder, string extension) =>
        [.. Directory.EnumerateFiles(folder).Where(path => Path.GetExtension(path) == extension).Order(StringComparer.Ordinal).Select(Path.GetFullPath)];

    /// <summary>hosts.go, hostPaths: a port as HOST_PORT_ or HOST:PORT, on Windows without any colon.</summary>
    private static IEnumerable<string> NamesOf(string registry)
    {
        var colon = registry.LastIndexOf(':');
        if (colon > 0)
        {
            yield return Spelt($"{registry[..colon]}_{registry[(colon + 1)..]}_");
        }

        yield return Spelt(registry);
        yield return Fallback;
    }

    private static string Spelt(string name) => OperatingSystem.IsWindows() ? name.Replace(":", string.Empty, StringComparison.Ordinal) : name;

    private static byte[] ReadBounded(string path)
    {
        try
        {
            using var file = File.OpenRead(path);
            var bytes = new byte[Math.Min(file.Length, TomlReader.MaxBytes + 1)];
            file.ReadExactly(bytes);
            return bytes;
        }
        catch (FileNotFoundException)
        {
            return [];
        }
    }
}
