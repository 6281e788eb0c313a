using System.Net;
using Microsoft.Extensions.Logging;

namespace CimConvert.Registry.Http;

/// <summary>
/// Next to the wire: asks for the newest HTTP that the server has, and logs each request and its answer. Neither headers nor the
/// query are logged, for these carry logins and tokens.
/// </summary>
internal sealed class RequestLogHandler(ILogger logger, TimeProvider clock) : DelegatingHandler
{
    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        // HTTP/2 where TLS negotiates it (RFC 9113, 3.2); without TLS nothing does.
        request.Version = HttpVersion.Version20;
        request.VersionPolicy = HttpVersionPolicy.RequestVersionOrLower;
        var start = clock.GetTimestamp();
        try
        {
            var response = await base.SendAsync(request, cancellationToken);
            logger.LogDebug(
                "{Method} {Url}: {Status} in {Milliseconds:0} ms, HTTP/{Version}",
                request.Method, UrlOf(request), (int)response.StatusCode, clock.GetElapsedTime(start).TotalMilliseconds, response.Version);
            return response;
        }
        catch (Exception e)
        {
            logger.LogDebug(
                "{Method} {Url}: {Failure} after {Milliseconds:0} ms",
                request.Method, UrlOf(request), e.GetType().Name, clock.GetElapsedTime(start).TotalMilliseconds);
            throw;
        }
    }

    private static string UrlOf(HttpRequestMessage request) => Printable.Of(request.RequestUri!.GetLeftPart(UriPartial.Path));
}
