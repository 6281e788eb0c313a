using System.Net;

namespace CimConvert.Registry.Http;

/// <summary>
/// Asks for HTTP/2, which TLS negotiates (RFC 9113, 3.2); without TLS the request stays HTTP/1.1.
/// <see cref="HttpClient.DefaultRequestVersion"/> would not do: it does not apply to requests passed to SendAsync.
/// </summary>
internal sealed class HttpVersionHandler : DelegatingHandler
{
    protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        request.Version = HttpVersion.Version20;
        request.VersionPolicy = HttpVersionPolicy.RequestVersionOrLower;
        return base.SendAsync(request, cancellationToken);
    }
}
