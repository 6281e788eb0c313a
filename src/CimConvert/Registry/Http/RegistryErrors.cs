using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using System.Text.Json.Serialization;
using CimConvert.Oci;
using Polly.Timeout;

namespace CimConvert.Registry.Http;

/// <summary>Turns what went wrong on the wire into the one line a user can act on.</summary>
internal static class RegistryErrors
{
    /// <summary>The spec's error bodies are a few hundred bytes; whatever is longer is a proxy's web page.</summary>
    private const int MaxBodyBytes = 16 << 10;

    /// <summary>
    /// How a request ends that got no answer. Our own errors, and being cancelled, pass as they are. Of some addresses it is only
    /// told when they are to be asked that they are none, such as of a host <c>xn--</c> with nothing behind it that it could stand for.
    /// </summary>
    public static bool IsTransport(Exception e) =>
        e is HttpRequestException or IOException or TimeoutRejectedException or UriFormatException or OperationCanceledException { InnerException: TimeoutException };

    /// <param name="e">An exception <see cref="IsTransport"/> knows.</param>
    /// <param name="what">What was wanted, such as "manifest v1 of host/repository".</param>
    /// <param name="request">What was sent.</param>
    public static RegistryException FromTransport(Exception e, string what, HttpRequestMessage request)
    {
        var uri = request.Options.TryGetValue(RequestOptions.Reached, out var reached) ? reached : request.RequestUri!;
        return new RegistryException($"cannot get {what}: {Explain(e, uri)}", e);
    }

    /// <param name="response">An answer that is no success.</param>
    /// <param name="what">What was wanted, such as "manifest v1 of host/repository".</param>
    /// <param name="notFound">What a 404 means here.</param>
    /// <param name="cancellationToken">Ends reading the answer.</param>
    public static async Task<RegistryException> FromResponseAsync(
        HttpResponseMessage response, string what, string notFound, CancellationToken cancellationToken)
    {
        var host = response.RequestMessage?.RequestUri?.Authority ?? "the registry";
        var status = (int)response.StatusCode;
        var meaning = response.StatusCode switch
        {
            HttpStatusCode.Unauthorized => $"{host} wants a valid login (401); run 'docker login {host}' or check docker's config.json",
            HttpStatusCode.Forbidden => $"{host} denies access (403); check that this login may pull from the repository",
            HttpStatusCode.NotFound => $"{notFound} (404)",
            HttpStatusCode.TooManyRequests => $"{host} asks for fewer requests (429); try again later",
            >= HttpStatusCode.InternalServerError => $"{host} failed with status {status}; try again later",
            _ => $"{host} answered with status {status}",
        };
        var detail = await ReadDetailAsync(response, cancellationToken);
        return new RegistryException($"cannot get {what}: {meaning}{detail}", statusCode: response.StatusCode);
    }

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

    /// <summary>Test registries on the own machine mostly speak plain HTTP, and a TLS error alone would not say so.</summary>
    private static string PlainHttpHint(Uri uri) =>
        uri.IsLoopback && uri.Scheme == Uri.UriSchemeHttps ? "; if it speaks plain HTTP, add --plain-http" : string.Empty;

    /// <summary>The code and message of the first error the registry lists (distribution spec, "Error Codes").</summary>
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
            // The status says enough; the body of an error is a courtesy.
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
