using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using System.Text.Json.Serialization;
using Polly.Timeout;

namespace CimConvert.Registry.Http;

/// <summary>Turns failed requests and error responses into one line that tells the user what to do.</summary>
internal static class RegistryErrors
{
    /// <summary>Error bodies of the OCI distribution spec have a few hundred bytes; a longer one is a proxy's web page.</summary>
    private const int MaxBodyBytes = 16 << 10;

    /// <summary>
    /// Whether a request failed without a response. Exceptions of this program and cancellation are not meant. <see cref="Uri"/> rejects
    /// some host names only when they are used, such as <c>xn--</c> with nothing behind it.
    /// </summary>
    public static bool IsTransport(Exception e) =>
        e is HttpRequestException or IOException or TimeoutRejectedException or UriFormatException or OperationCanceledException { InnerException: TimeoutException };

    /// <param name="e">An exception for which <see cref="IsTransport"/> is true.</param>
    /// <param name="what">What was requested, such as "manifest v1 of host/repository".</param>
    /// <param name="request">The request.</param>
    public static RegistryException FromTransport(Exception e, string what, HttpRequestMessage request) =>
        new($"cannot get {what}: {Explain(e, LastUrlOf(request))}", e);

    /// <summary>The URL that the request got to through redirects.</summary>
    public static Uri LastUrlOf(HttpRequestMessage request) =>
        request.Options.TryGetValue(RequestOptions.Reached, out var reached) ? reached : request.RequestUri!;

    /// <param name="response">An error response.</param>
    /// <param name="what">What was requested, such as "manifest v1 of host/repository".</param>
    /// <param name="notFound">What a 404 means here.</param>
    /// <param name="cancellationToken">Cancels reading the body.</param>
    public static async Task<RegistryException> FromResponseAsync(
        HttpResponseMessage response, string what, string notFound, CancellationToken cancellationToken)
    {
        var host = response.RequestMessage?.RequestUri?.Authority ?? "the registry";
        var detail = await ReadDetailAsync(response, cancellationToken);
        return new RegistryException(
            $"cannot get {what}: {Explain(response.StatusCode, host, host, notFound, push: false)}{detail}", statusCode: response.StatusCode);
    }

    /// <param name="status">The status of an error response.</param>
    /// <param name="host">The host that sent it.</param>
    /// <param name="login">The registry to log in to.</param>
    /// <param name="notFound">What a 404 means here.</param>
    /// <param name="push">Whether the request was part of a push.</param>
    public static string Explain(HttpStatusCode status, string host, string login, string notFound, bool push) => status switch
    {
        HttpStatusCode.Unauthorized => $"{host} wants a valid login (401); run 'docker login {login}' or check docker's config.json",
        HttpStatusCode.Forbidden when push => $"{host} denies access (403); check that the login of 'docker login {login}' may push to the repository",
        HttpStatusCode.Forbidden => $"{host} denies access (403); check that this login may pull from the repository",
        HttpStatusCode.NotFound => $"{notFound} (404)",
        HttpStatusCode.MethodNotAllowed when push => $"{host} takes no pushes (405): it is read-only, or a cache of another registry",
        HttpStatusCode.RequestEntityTooLarge when push =>
            $"{host} takes no request of this size (413); raise the limit of the registry, or of the proxy before it",
        HttpStatusCode.InsufficientStorage when push => $"{host} has no space left for it (507)",
        HttpStatusCode.TooManyRequests => $"{host} asks for fewer requests (429); try again later",
        >= HttpStatusCode.InternalServerError => $"{host} failed with status {(int)status}; try again later",
        _ => $"{host} answered with status {(int)status}",
    };

    /// <summary>Why a request failed without a response.</summary>
    public static string Explain(Exception e, Uri uri)
    {
        var host = uri.Authority;
        return e switch
        {
            HttpRequestException { HttpRequestError: HttpRequestError.NameResolutionError } =>
                $"no such host '{uri.Host}'; check the registry's name and this machine's DNS",
            HttpRequestException { InnerException: ServerCertificateException certificate } => $"TLS with {host} failed: {certificate.Message}",
            HttpRequestException { HttpRequestError: HttpRequestError.ProxyTunnelError } =>
                $"the proxy does not lead to {host}: {Printable.Of(e.Message)}; check HTTPS_PROXY and NO_PROXY",
            HttpRequestException { HttpRequestError: HttpRequestError.SecureConnectionError } =>
                $"TLS with {host} failed: {Printable.Of((e.InnerException ?? e).Message)}{PlainHttpHint(uri)}",
            HttpRequestException { InnerException: SocketException { SocketErrorCode: SocketError.ConnectionRefused } } =>
                $"{host} refused the connection; check that a registry listens there{PlainHttpHint(uri)}",
            HttpRequestException { HttpRequestError: HttpRequestError.ConnectionError } =>
                $"{host} cannot be reached: {Printable.Of((e.InnerException ?? e).Message)}",
            HttpRequestException { HttpRequestError: HttpRequestError.ConfigurationLimitExceeded } =>
                $"the answer of {host} is larger than allowed",
            TimeoutRejectedException timeout => $"no answer from {host} within {timeout.Timeout.TotalSeconds:0.###} s",
            UriFormatException => $"'{Printable.Of(host)}' cannot be asked: {Printable.Of(e.Message)}",
            OperationCanceledException => $"no connection to {host} in time; check the network and any proxy",
            _ => $"the connection to {host} was lost: {Printable.Of((e.InnerException ?? e).Message)}",
        };
    }

    /// <summary>Test registries on this machine mostly speak plain HTTP, which a TLS error alone does not tell.</summary>
    private static string PlainHttpHint(Uri uri) =>
        uri.IsLoopback && uri.Scheme == Uri.UriSchemeHttps ? "; if it speaks plain HTTP, add --plain-http" : string.Empty;

    /// <summary>Code and message of the first error in the body (OCI distribution spec, "Error Codes").</summary>
    public static async Task<string> ReadDetailAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        try
        {
            var body = await response.Content.ReadBoundedAsync(MaxBodyBytes, cancellationToken);
            var error = JsonSerializer.Deserialize(body, ErrorJson.Default.ErrorBody)?.Errors is [var first, ..] ? first : null;
            return (error?.Code, error?.Message) switch
            {
                (null, null) => string.Empty,
                (var code, null) => $" [{Printable.Of(code)}]",
                var (code, message) => $" [{Printable.Of($"{code}: {message}")}]",
            };
        }
        catch (Exception e) when (e is JsonException or InvalidDataException || IsTransport(e))
        {
            // The status is enough; an error body is optional.
            return string.Empty;
        }
    }
}

internal sealed record ErrorBody
{
    [JsonPropertyName("errors")]
    public IReadOnlyList<ErrorEntry?>? Errors { get; init; }
}

internal sealed record ErrorEntry
{
    [JsonPropertyName("code")]
    public string? Code { get; init; }

    [JsonPropertyName("message")]
    public string? Message { get; init; }
}

[JsonSerializable(typeof(ErrorBody))]
internal sealed partial class ErrorJson : JsonSerializerContext;
