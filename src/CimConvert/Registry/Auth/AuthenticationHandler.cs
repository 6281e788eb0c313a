using System.Collections.Concurrent;
using System.Net;
using System.Net.Http.Headers;
using CimConvert.Registry.Http;

namespace CimConvert.Registry.Auth;

/// <summary>
/// Answers a registry's 401 challenge, once per repository and again when the token has expired. Only the registry itself is answered:
/// the target of a redirect neither gets credentials nor may ask for them.
/// </summary>
internal sealed class AuthenticationHandler(TokenSource tokens, ICredentialSource? credentials) : DelegatingHandler
{
    // By origin, too: HTTP and HTTPS of one host share a login, but not its tokens.
    private readonly ConcurrentDictionary<(string Origin, RepositoryScope Scope), AuthenticationHeaderValue> _granted = new();

    // The layers of an image are requested at the same time and need one token, not one each.
    private readonly SemaphoreSlim _oneAtATime = new(1);

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        if (!request.Options.TryGetValue(RequestOptions.Scope, out var scope))
        {
            return await base.SendAsync(request, cancellationToken);
        }

        // An Authorization header of hosts.toml is used until a token is granted.
        var sent = _granted.GetValueOrDefault(KeyOf(request.RequestUri!, scope));
        request.Headers.Authorization = sent ?? request.Headers.Authorization;
        var response = await base.SendAsync(request, cancellationToken);
        if (response.StatusCode != HttpStatusCode.Unauthorized
            || !RedirectHandler.IsSameOrigin(request.RequestUri!, response.RequestMessage!.RequestUri!))
        {
            return response;
        }

        try
        {
            var granted = await AnswerAsync(response, scope, sent, request.RequestUri!, cancellationToken);
            if (granted is null)
            {
                return response;
            }

            request.Headers.Authorization = granted;
        }
        catch
        {
            response.Dispose();
            throw;
        }

        response.Dispose();
        return await base.SendAsync(request, cancellationToken);
    }

    protected override void Dispose(bool disposing)
    {
        _oneAtATime.Dispose();
        base.Dispose(disposing);
    }

    private static (string Origin, RepositoryScope Scope) KeyOf(Uri registry, RepositoryScope scope) => (registry.GetLeftPart(UriPartial.Authority), scope);

    private async Task<AuthenticationHeaderValue?> AnswerAsync(
        HttpResponseMessage response, RepositoryScope scope, AuthenticationHeaderValue? refused, Uri registry, CancellationToken cancellationToken)
    {
        await _oneAtATime.WaitAsync(cancellationToken);
        try
        {
            // Another request may have got the token while this one waited.
            if (_granted.TryGetValue(KeyOf(registry, scope), out var known) && !ReferenceEquals(known, refused))
            {
                return known;
            }

            var answer = await AnswerAsync(AuthenticationChallenge.AllOf(response), scope, registry, cancellationToken);
            if (answer is not null)
            {
                _granted[KeyOf(registry, scope)] = answer;
            }

            return answer;
        }
        finally
        {
            _oneAtATime.Release();
        }
    }

    private async Task<AuthenticationHeaderValue?> AnswerAsync(
        IReadOnlyList<AuthenticationChallenge> challenges, RepositoryScope scope, Uri registry, CancellationToken cancellationToken)
    {
        var credential = credentials is null ? null : await credentials.FindAsync(scope.Registry, cancellationToken);
        if (challenges.FirstOrDefault(challenge => challenge.IsBearer) is { } bearer)
        {
            var token = credential is RegistryCredential.AccessToken ready
                ? ready.Token
                : await tokens.FetchAsync(bearer, scope, credential, registry, cancellationToken);
            return new AuthenticationHeaderValue("Bearer", token);
        }

        return credential is RegistryCredential.Password password && challenges.Any(challenge => challenge.IsBasic)
            ? TokenSource.Basic(password)
            : null;
    }
}
