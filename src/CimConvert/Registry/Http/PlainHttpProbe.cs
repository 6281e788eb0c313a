using System.Security.Authentication;
using CimConvert.Registry.Hosts;
using Microsoft.Extensions.Logging;

namespace CimConvert.Registry.Http;

/// <summary>Tells whether a registry on this machine speaks plain HTTP, as test registries mostly do: one request over TLS shows it.</summary>
/// <param name="options">The time limit.</param>
/// <param name="clients">Clients that neither retry nor log in, by connection settings.</param>
/// <param name="logger">Told when plain HTTP is used.</param>
internal sealed class PlainHttpProbe(RegistryOptions options, Func<ConnectionSettings, HttpClient> clients, ILogger logger)
{
    public async Task<bool> SpeaksPlainHttpAsync(RegistryHost host, CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(options.ConnectTimeout, options.TimeProvider);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, limit.Token);
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, host.Root);
            using var response = await clients(host.Connection).SendAsync(request, HttpCompletionOption.ResponseHeadersRead, either.Token);
            return false;
        }
        catch (HttpRequestException e) when (IsNotTls(e))
        {
            logger.LogInformation("{Host} is on this machine and does not speak TLS: using plain HTTP", host.Name);
            return true;
        }
        catch (Exception e) when (RegistryErrors.IsTransport(e) || (e is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            // The real request fails in the same way and reports it.
            return false;
        }
    }

    /// <summary>
    /// SslStream's exception for a first answer that is not a TLS record has no inner exception; those for a failed handshake or a
    /// refused certificate differ.
    /// </summary>
    private static bool IsNotTls(HttpRequestException e) =>
        e is { HttpRequestError: HttpRequestError.SecureConnectionError, InnerException: AuthenticationException { InnerException: null } and not ServerCertificateException };
}
