using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace CimConvert.TestKit.Registry;

/// <summary>
/// A token server (distribution, docs/spec/auth/token.md and jwt.md) with users and what they may do. Its tokens are signed by
/// ES256 with a certificate along (<c>x5c</c>), as docker-registry checks them.
/// </summary>
public sealed class TokenServer : IAsyncDisposable
{
    public const string Issuer = "cimconvert-kit";

    /// <summary>From 2020 to 2080, so that no test depends on when it runs.</summary>
    private const long NotBefore = 1_577_836_800;
    private const long Expiry = 3_471_292_800;

    private readonly WebApplication _app;
    private readonly X509Certificate2 _signer;
    private readonly ConcurrentQueue<RecordedRequest> _requests = new();
    private readonly ConcurrentDictionary<string, string> _passwords = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<(string User, string Repository), string[]> _grants = new();
    private readonly ConcurrentDictionary<string, string> _given = new(StringComparer.Ordinal);
    private int _issued;

    private TokenServer(WebApplication app, X509Certificate2 signer)
    {
        _app = app;
        _signer = signer;
    }

    /// <summary>Host and port.</summary>
    public string Host { get; private set; } = string.Empty;

    public string Realm => $"http://{Host}/token";

    /// <summary>All requests so far, in the order they came.</summary>
    public IReadOnlyList<RecordedRequest> Requests => [.. _requests];

    /// <param name="signer">A certificate with an ECDSA key on P-256, which stays the caller's.</param>
    public static async Task<TokenServer> StartAsync(X509Certificate2 signer)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        var app = builder.Build();
        var server = new TokenServer(app, signer);
        app.Run(server.AnswerAsync);
        await app.StartAsync();
        server.Host = new Uri(app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single()).Authority;
        return server;
    }

    public void AddUser(string name, string password) => _passwords[name] = password;

    /// <summary>Lets a user, or with an empty name everyone, do something with a repository: <c>pull</c>, <c>push</c>.</summary>
    public void Grant(string user, string repository, params string[] actions) => _grants[(user, repository)] = actions;

    /// <summary>Whether an Authorization header holds a token given out here that lets its bearer pull from the repository.</summary>
    public bool MayPull(string? authorization, string repository) =>
        authorization?.StartsWith("Bearer ", StringComparison.Ordinal) == true
        && _given.TryGetValue(authorization["Bearer ".Length..], out var scope)
        && scope.StartsWith($"repository:{repository}:", StringComparison.Ordinal)
        && scope.Contains("pull", StringComparison.Ordinal);

    public async ValueTask DisposeAsync()
    {
        await _app.StopAsync();
        await _app.DisposeAsync();
    }

    private async Task AnswerAsync(HttpContext context)
    {
        var request = context.Request;
        var authorization = request.Headers.Authorization.FirstOrDefault();
        _requests.Enqueue(new RecordedRequest(
            request.Method, request.Path.Value!, request.QueryString.Value ?? string.Empty, request.Host.Value!, authorization, Range: null, ContentRange: null)
        {
            Headers = request.Headers.ToDictionary(header => header.Key, header => header.Value.ToString(), StringComparer.OrdinalIgnoreCase),
        });
        if (UserOf(authorization) is not { } user)
        {
            context.Response.StatusCode = StatusCodes.Status401Unauthorized;
            return;
        }

        var scope = Allowed(user, request.Query["scope"].FirstOrDefault() ?? string.Empty);
        var token = Sign(user, request.Query["service"].FirstOrDefault() ?? string.Empty, scope);
        _given[token] = $"{scope.Type}:{scope.Name}:{string.Join(',', scope.Actions)}";
        await context.Response.WriteAsJsonAsync(new Dictionary<string, object> { ["token"] = token, ["expires_in"] = 60 });
    }

    /// <summary>Empty without a login, null with a wrong one.</summary>
    private string? UserOf(string? authorization)
    {
        if (authorization is null)
        {
            return string.Empty;
        }

        var login = Encoding.UTF8.GetString(Convert.FromBase64String(authorization["Basic ".Length..])).Split(':', 2);
        return _passwords.TryGetValue(login[0], out var password) && password == login[1] ? login[0] : null;
    }

    private Scope Allowed(string user, string scope)
    {
        var colon = scope.LastIndexOf(':');
        var (resource, asked) = colon < 0 ? (scope, string.Empty) : (scope[..colon], scope[(colon + 1)..]);
        var name = resource.StartsWith("repository:", StringComparison.Ordinal) ? resource["repository:".Length..] : string.Empty;
        var may = _grants.GetValueOrDefault((user, name)) ?? _grants.GetValueOrDefault((string.Empty, name)) ?? [];
        return new Scope("repository", name, [.. asked.Split(',').Intersect(may)]);
    }

    private string Sign(string user, string service, Scope scope)
    {
        var header = new Dictionary<string, object>
        {
            ["typ"] = "JWT",
            ["alg"] = "ES256",
            ["x5c"] = new[] { Convert.ToBase64String(_signer.RawData) },
        };
        var claims = new Dictionary<string, object>
        {
            ["iss"] = Issuer,
            ["sub"] = user,
            ["aud"] = service,
            ["nbf"] = NotBefore,
            ["iat"] = NotBefore,
            ["exp"] = Expiry,
            ["jti"] = $"token-{Interlocked.Increment(ref _issued)}",
            ["access"] = new[] { new Dictionary<string, object> { ["type"] = scope.Type, ["name"] = scope.Name, ["actions"] = scope.Actions } },
        };
        var text = $"{Encode(JsonSerializer.SerializeToUtf8Bytes(header))}.{Encode(JsonSerializer.SerializeToUtf8Bytes(claims))}";
        using var key = _signer.GetECDsaPrivateKey()!;
        return $"{text}.{Encode(key.SignData(Encoding.ASCII.GetBytes(text), HashAlgorithmName.SHA256))}";
    }

    private static string Encode(byte[] bytes) => System.Buffers.Text.Base64Url.EncodeToString(bytes);

    private sealed record Scope(string Type, string Name, string[] Actions);
}
