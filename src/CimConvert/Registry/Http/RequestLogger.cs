using Microsoft.Extensions.Http.Logging;
using Microsoft.Extensions.Logging;

namespace CimConvert.Registry.Http;

/// <summary>
/// Logs each request that goes over the wire, and its response. Neither headers nor queries are logged: they carry logins and tokens.
/// The HTTP client factory's own logger logs whole URLs.
/// </summary>
internal sealed class RequestLogger(ILogger logger) : IHttpClientLogger
{
    public object? LogRequestStart(HttpRequestMessage request) => null;

    public void LogRequestStop(object? context, HttpRequestMessage request, HttpResponseMessage response, TimeSpan elapsed) => logger.LogDebug(
        "{Method} {Url}: {Status} in {Milliseconds:0} ms, HTTP/{Version}",
        request.Method, UrlOf(request), (int)response.StatusCode, elapsed.TotalMilliseconds, response.Version);

    public void LogRequestFailed(
        object? context, HttpRequestMessage request, HttpResponseMessage? response, Exception exception, TimeSpan elapsed) => logger.LogDebug(
        "{Method} {Url}: {Failure} after {Milliseconds:0} ms", request.Method, UrlOf(request), exception.GetType().Name, elapsed.TotalMilliseconds);

    private static string UrlOf(HttpRequestMessage request) => Printable.Of(request.RequestUri!.GetLeftPart(UriPartial.Path));
}
