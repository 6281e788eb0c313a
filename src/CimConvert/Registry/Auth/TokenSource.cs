using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using CimConvert.Registry.Hosts;
using CimConvert.Registry.Http;

namespace CimConvert.Registry.Auth;

/// <summary>
/// Fetches the access token that a Bearer challenge asks for (https://distribution.github.io/distribution/spec/auth/token/ and
/// https://distribution.github.io/distribution/spec/auth/oauth/).
/// </summary>
internal sealed class TokenSource(Func<HttpClient> clients)
{
    private const string ClientId = "cimconvert";

    /// <summary>Tokens of large identity providers have some KiB.</summary>
    private const int MaxBytes = 256 << 10;

    /// <param name="challenge">The registry's challenge.</param>
    /// <param name="scope">The scope to ask for. The challenge's own scope is ignored, so that a registry cannot widen it.</param>
    /// <param name="credential">Null for an anonymous token.</param>
    /// <param name="registry">A URL of the registry, for its scheme.</param>
    /// <param name="cancellationToken">Cancels the request.</param>
    public async Task<string> FetchAsync(
        AuthenticationChallenge challenge, RepositoryScope scope, RegistryCredential? credential, Uri registry, CancellationToken cancellationToken)
    {
        var realm = RealmOf(challenge, scope, registry);
        try
        {
            using var request = Request(realm, challenge.Parameters.GetValueOrDefault("service"), scope, credential);
            request.Options.Set(RequestOptions.BufferedBytes, MaxBytes);
            using var response = await clients().SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
            if (!response.IsSuccessStatusCode)
            {
                throw Refused(response.StatusCode, realm, scope, credential is not null);
            }

            return Read(await response.Content.ReadAsByteArrayAsync(cancellationToken), realm, scope);
        }
        catch (Exception e) when (RegistryErrors.IsTransport(e))
        {
            throw new RegistryException($"cannot log in to {scope.Registry}: {RegistryErrors.Explain(e, realm)}", e);
        }
    }

    private static Uri RealmOf(AuthenticationChallenge challenge, RepositoryScope scope, Uri registry)
    {
        if (WebAddress.TryRead(challenge.Parameters.GetValueOrDefault("realm")) is not { } realm)
        {
            throw new RegistryException($"cannot log in to {scope.Registry}: its challenge names no token server");
        }

        // The response is a secret, and the request may contain one: plain HTTP only if the registry itself uses it.
        if (realm.Scheme != Uri.UriSchemeHttps && !(realm.Scheme == Uri.UriSchemeHttp && registry.Scheme == Uri.UriSchemeHttp))
        {
            throw new RegistryException(
                $"cannot log in to {scope.Registry}: its token server {realm.Scheme}://{realm.Authority} is not secure; refused");
        }

        return realm;
    }

    private static HttpRequestMessage Request(Uri realm, string? service, RepositoryScope scope, RegistryCredential? credential)
    {
        List<KeyValuePair<string, string>> fields = [new("scope", scope.Token)];
        if (service is not null)
        {
            fields.Add(new("service", service));
        }

        if (credential is RegistryCredential.IdentityToken identity)
        {
            fields.Add(new("grant_type", "refresh_token"));
            fields.Add(new("client_id", ClientId));
            fields.Add(new("refresh_token", identity.Token));
            return new HttpRequestMessage(HttpMethod.Post, realm) { Content = new FormUrlEncodedContent(fields) };
        }

        var query = string.Join('&', fields.Select(field => $"{field.Key}={Uri.EscapeDataString(field.Value)}"));
        var request = new HttpRequestMessage(
            HttpMethod.Get, new UriBuilder(realm) { Query = realm.Query.Length > 1 ? $"{realm.Query}&{query}" : query }.Uri);
        if (credential is RegistryCredential.Password password)
        {
            request.Headers.Authorization = Basic(password);
        }

        return request;
    }

    /// <summary>The Basic scheme (RFC 7617, 2).</summary>
    public static AuthenticationHeaderValue Basic(RegistryCredential.Password password) =>
        new("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{password.UserName}:{password.Secret}")));

    private static RegistryException Refused(HttpStatusCode status, Uri realm, RepositoryScope scope, bool hadCredentials)
    {
        var meaning = status switch
        {
            HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden when hadCredentials =>
                $"refuses the login ({(int)status}); run 'docker login {scope.Registry}' again",
            HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden =>
                $"gives no anonymous access to {scope.Repository} ({(int)status}); check the name, or run 'docker login {scope.Registry}'",
            _ => $"answered with status {(int)status}",
        };
        return new RegistryException($"cannot log in to {scope.Registry}: its token server {realm.Authority} {meaning}", statusCode: status);
    }

    private static string Read(byte[] body, Uri realm, RepositoryScope scope)
    {
        TokenAnswer? answer = null;
        try
        {
            answer = JsonSerializer.Deserialize(body, TokenJson.Default.TokenAnswer);
        }
        catch (JsonException)
        {
            // Reported below. The parser's message may quote the token.
        }

        var token = string.IsNullOrEmpty(answer?.Token) ? answer?.AccessToken : answer.Token;
        return !string.IsNullOrEmpty(token) && token.All(c => c is > ' ' and < '\u007f')
            ? token
            : throw new RegistryException($"cannot log in to {scope.Registry}: its token server {realm.Authority} answered without a usable token");
    }
}

/// <summary>A token response ("Token Response Fields"): servers set one of the fields, or both to the same value.</summary>
internal sealed record TokenAnswer
{
    [JsonPropertyName("token")]
    public string? Token { get; init; }

    [JsonPropertyName("access_token")]
    public string? AccessToken { get; init; }

    public override string ToString() => nameof(TokenAnswer);
}

[JsonSerializable(typeof(TokenAnswer))]
internal sealed partial class TokenJson : JsonSerializerContext;
