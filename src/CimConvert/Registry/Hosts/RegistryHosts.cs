using System.Collections.Concurrent;
using System.Security.Authentication;
using CimConvert.Registry.Http;
using Microsoft.Extensions.Logging;

namespace CimConvert.Registry.Hosts;

/// <summary>Knows the hosts to ask for a registry's content, in their order: mirrors as configured, and the registry itself.</summary>
internal sealed class RegistryHosts(RegistryOptions options, Func<ConnectionSettings, HttpClient> plainClients, ILogger logger) : IDisposable
{
    private readonly ConcurrentDictionary<string, IReadOnlyList<RegistryHost>> _known = new(StringComparer.Ordinal);
    private readonly SemaphoreSlim _oneAtATime = new(1);

    /// <summary>The hosts that have the capability, at least one.</summary>
    /// <exception cref="RegistryException">No host has.</exception>
    /// <exception cref="InvalidDataException">The registry's configuration cannot be used.</exception>
    public async Task<IReadOnlyList<RegistryHost>> FindAsync(string registry, HostCapabilities capability, CancellationToken cancellationToken)
    {
        IReadOnlyList<RegistryHost> able = [.. (await AllOfAsync(registry, cancellationToken)).Where(host => host.Capabilities.HasFlag(capability))];
        return able.Count > 0
            ? able
            : throw new RegistryException(
                $"{HostsFile.Name} of {registry} has no host with the capability '{capability.ToString().ToLowerInvariant()}'");
    }

    public void Dispose() => _oneAtATime.Dispose();

    private async Task<IReadOnlyList<RegistryHost>> AllOfAsync(string registry, CancellationToken cancellationToken)
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

        // Only what nobody wrote a scheme for may turn out to speak plain HTTP: the registry itself, on this machine.
        var last = hosts[^1];
        return last.Root == self.Root && self.Root.Scheme == Uri.UriSchemeHttps
            && self.Root.IsLoopback && !self.Root.IsDefaultPort
            && await SpeaksNoTlsAsync(last, cancellationToken)
            ? [.. hosts.SkipLast(1), last.WithPlainHttp()]
            : hosts;
    }

    private async Task<bool> SpeaksNoTlsAsync(RegistryHost host, CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(options.ConnectTimeout, options.TimeProvider);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, limit.Token);
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, host.Root);
            using var response = await plainClients(host.Connection).SendAsync(request, HttpCompletionOption.ResponseHeadersRead, either.Token);
            return false;
        }
        catch (HttpRequestException e) when (IsNotTls(e))
        {
            logger.LogInformation("{Host} is on this machine and does not speak TLS: using plain HTTP", host.Name);
            return true;
        }
        catch (Exception e) when (RegistryErrors.IsTransport(e) || (e is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            // The request proper will meet the same, and tell it.
            return false;
        }
    }

    /// <summary>SslStream's complaint of a first answer that is no TLS record has no cause; those of a failed handshake or a refused certificate differ.</summary>
    private static bool IsNotTls(HttpRequestException e) =>
        e is { HttpRequestError: HttpRequestError.SecureConnectionError, InnerException: AuthenticationException { InnerException: null } and not ServerCertificateException };
}
