using System.Collections.Concurrent;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using CimConvert.Registry.Hosts;

namespace CimConvert.Registry.Http;

/// <summary>The connection pools of a client: one for all hosts with the same settings.</summary>
internal sealed class RegistryConnections(RegistryOptions options) : IDisposable
{
    /// <summary>During a long batch, DNS records change and load balancers drain.</summary>
    private static readonly TimeSpan s_connectionLifetime = TimeSpan.FromMinutes(5);

    private readonly ConcurrentDictionary<string, Lazy<SocketsHttpHandler>> _pools = new(StringComparer.Ordinal);

    /// <summary>The pool for these settings, owned by this object.</summary>
    /// <exception cref="InvalidDataException">A certificate file is invalid.</exception>
    public SocketsHttpHandler Get(ConnectionSettings settings) =>
        _pools.GetOrAdd(settings.Key, _ => new Lazy<SocketsHttpHandler>(() => Make(settings))).Value;

    public void Dispose()
    {
        foreach (var pool in _pools.Values.Where(pool => pool.IsValueCreated))
        {
            pool.Value.Dispose();
        }
    }

    private SocketsHttpHandler Make(ConnectionSettings settings)
    {
        var authorities = new X509Certificate2Collection();
        foreach (var path in settings.Authorities)
        {
            authorities.AddRange(CertificateFiles.ReadAuthorities(path));
        }

        var tls = new SslClientAuthenticationOptions
        {
            RemoteCertificateValidationCallback = new ServerTrust(authorities, settings.SkipVerify).Validate,
        };
        AddClients(tls, [.. settings.ClientCertificates.Select(CertificateFiles.ReadClient)]);
        return new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseCookies = false,
            ConnectTimeout = settings.ConnectTimeout ?? options.ConnectTimeout,
            PooledConnectionLifetime = s_connectionLifetime,
            ActivityHeadersPropagator = null,
            EnableMultipleHttp2Connections = true,
            Proxy = new LocalBypassProxy(HttpClient.DefaultProxy),
            SslOptions = tls,
        };
    }

    /// <summary>One client certificate is sent with its chain; of several, the server's list of authorities selects one.</summary>
    private static void AddClients(SslClientAuthenticationOptions tls, IReadOnlyList<X509Certificate2Collection> clients)
    {
        switch (clients)
        {
            case []:
                break;
            case [var only]:
                tls.ClientCertificateContext = SslStreamCertificateContext.Create(only[0], only, offline: true);
                break;
            default:
                tls.ClientCertificates = [.. clients.Select(client => client[0])];
                tls.LocalCertificateSelectionCallback = (_, _, local, _, issuers) =>
                    local.Cast<X509Certificate>().FirstOrDefault(certificate => issuers.Contains(certificate.Issuer)) ?? local[0];
                break;
        }
    }
}
