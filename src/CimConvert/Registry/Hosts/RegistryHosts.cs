using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace CimConvert.Registry.Hosts;

/// <summary>Finds the hosts to ask for a registry's content, in order: the configured mirrors, then the registry itself.</summary>
/// <param name="options">Where the configuration is.</param>
/// <param name="speaksPlainHttp">Asks a host whether it speaks plain HTTP instead of TLS.</param>
/// <param name="logger">Told of unknown settings.</param>
internal sealed class RegistryHosts(RegistryOptions options, Func<RegistryHost, CancellationToken, Task<bool>> speaksPlainHttp, ILogger logger)
    : IDisposable
{
    private readonly ConcurrentDictionary<string, IReadOnlyList<RegistryHost>> _known = new(StringComparer.Ordinal);
    private readonly SemaphoreSlim _oneAtATime = new(1);

    /// <summary>The hosts with the capability, at least one.</summary>
    /// <exception cref="RegistryException">No host has it.</exception>
    /// <exception cref="InvalidDataException">The registry's configuration is invalid.</exception>
    public async Task<IReadOnlyList<RegistryHost>> FindAsync(string registry, HostCapabilities capability, CancellationToken cancellationToken)
    {
        IReadOnlyList<RegistryHost> able = [.. (await FindAllAsync(registry, cancellationToken)).Where(host => host.Capabilities.HasFlag(capability))];
        return able.Count > 0
            ? able
            : throw new RegistryException(
                $"{HostsFile.Name} of {registry} has no host with the capability '{capability.ToString().ToLowerInvariant()}'");
    }

    public void Dispose() => _oneAtATime.Dispose();

    private async Task<IReadOnlyList<RegistryHost>> FindAllAsync(string registry, CancellationToken cancellationToken)
    {
        if (_known.TryGetValue(registry, out var known))
        {
            return known;
        }

        await _oneAtATime.WaitAsync(cancellationToken);
        try
        {
            return _known.TryGetValue(registry, out known) ? known : _known[registry] = await LoadAsync(registry, cancellationToken);
        }
        finally
        {
            _oneAtATime.Release();
        }
    }

    private async Task<IReadOnlyList<RegistryHost>> LoadAsync(string registry, CancellationToken cancellationToken)
    {
        var self = RegistryHost.Of(registry, options.PlainHttp);
        var folder = HostsFolder.Find(options.HostsFolders, registry);
        var hosts = folder is null ? [self] : HostsFolder.Read(folder, self, warning => logger.LogWarning("{Warning}", warning));
        if (options.CertificateFolder is { } certificates)
        {
            var more = HostsFolder.CertificatesOf(certificates);
            hosts = [.. hosts.Select(host => host with { Connection = host.Connection.With(more) })];
        }

        // Only the registry itself, on this machine, and only if nobody configured a scheme for it, may turn out to speak plain HTTP.
        var last = hosts[^1];
        return last.Root == self.Root && self.Root.Scheme == Uri.UriSchemeHttps
            && self.Root.IsLoopback && !self.Root.IsDefaultPort
            && await speaksPlainHttp(last, cancellationToken)
            ? [.. hosts.SkipLast(1), last.WithPlainHttp()]
            : hosts;
    }
}
