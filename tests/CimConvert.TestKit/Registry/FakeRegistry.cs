using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography.X509Certificates;
using CimConvert.Cli.Demo;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace CimConvert.TestKit.Registry;

/// <summary>
/// A registry in this process, on a free loopback port and plain HTTP (distribution spec, "Pull" and "Push").
/// It remembers what it was asked, and fails as <see cref="Faults"/> says.
/// </summary>
public sealed class FakeRegistry : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly RegistryContent _content = new();
    private readonly UploadSessions _uploads = new();
    private readonly Login _login = new();
    private readonly ConcurrentQueue<RecordedRequest> _requests = new();
    private readonly SemaphoreSlim _arrived = new(0);

    private FakeRegistry(WebApplication app) => _app = app;

    public FaultScript Faults { get; } = new();

    /// <summary>Host and port, as the registry's name in an image reference.</summary>
    public string Host { get; private set; } = string.Empty;

    /// <summary>The same server by another name, for what must not cross from one host to another.</summary>
    public string OtherHost => Host.Replace("127.0.0.1", "localhost", StringComparison.Ordinal);

    /// <summary>Judges Authorization headers besides its own login, for a registry whose tokens another server gives.</summary>
    public Func<string?, bool>? AcceptsToken { get; set; }

    /// <summary>All requests so far, in the order they came.</summary>
    public IReadOnlyList<RecordedRequest> Requests => [.. _requests];

    /// <summary>Whether it has the referrers API; without it, clients keep the list under a tag.</summary>
    public bool KeepsReferrers { get; set; }

    /// <summary>What the referrers API says instead of the truth: indexes, page after page; null for the truth.</summary>
    public IReadOnlyList<byte[]>? ReferrersPages { get; set; }

    /// <summary>Where the last of these pages says that the list goes on; null for nowhere.</summary>
    public string? ReferrersEnd { get; set; }

    /// <summary>Sends an ETag with a manifest, and replaces a tag only if it is still what If-Match says.</summary>
    public bool HeedsIfMatch { get; set; }

    /// <summary>OCI-Chunk-Min-Length; null to send none.</summary>
    public long? MinChunk { get; set; }

    /// <summary>Runs when a request is done and before its answer ends: to change things at that moment.</summary>
    public Action<RecordedRequest>? Answering { get; set; }

    /// <summary>Uploads that are neither finished nor cancelled.</summary>
    public int OpenUploads => _uploads.Count;

    /// <param name="certificate">The server's, to speak TLS with; null for plain HTTP.</param>
    /// <param name="clients">Whether TLS clients need a certificate; any is accepted.</param>
    public static async Task<FakeRegistry> StartAsync(
        X509Certificate2? certificate = null, ClientCertificateMode clients = ClientCertificateMode.NoCertificate)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().UseKestrelHttpsConfiguration().ConfigureKestrel(kestrel =>
        {
            kestrel.Listen(IPAddress.Loopback, 0, listen => Secure(listen, certificate, clients));
            kestrel.Limits.MinResponseDataRate = null;
            kestrel.Limits.MinRequestBodyDataRate = null;
            kestrel.Limits.MaxRequestBodySize = null;
        });
        builder.Services.Configure<HostOptions>(options => options.ShutdownTimeout = TimeSpan.FromSeconds(1));
        var app = builder.Build();
        var registry = new FakeRegistry(app);
        app.Run(registry.AnswerAsync);
        await app.StartAsync();
        registry.Host = new Uri(app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single()).Authority;
        return registry;
    }

    /// <returns>The blob's digest.</returns>
    public string AddBlob(byte[] bytes) => _content.AddBlob(bytes);

    /// <returns>The manifest's digest, by which it can be had from any repository.</returns>
    public string AddManifest(string mediaType, byte[] bytes) => _content.AddManifest(mediaType, bytes);

    public void AddTag(string repository, string tag, string digest) => _content.AddTag(repository, tag, digest);

    /// <summary>Serves an OCI image layout from its folder, with the tags its index names.</summary>
    public void AddLayout(string repository, string folder) => _content.AddLayout(repository, folder);

    /// <summary>Makes a repository that has only what is pushed to it; others have all content.</summary>
    public void AddSeparate(string repository) => _content.AddSeparate(repository);

    /// <summary>Adds a blob as a push does.</summary>
    public void AddPushed(string repository, byte[] bytes) => _content.AddBlob(repository, bytes);

    public bool HasBlob(string repository, string digest) => _content.HasBlob(repository, digest);

    /// <summary>The content of a tag or digest; null where there is none.</summary>
    public byte[]? FindManifest(string repository, string name) => _content.FindManifest(repository, name)?.Manifest.Bytes;

    public void RequireBasic(string userName, string password) => _login.RequireBasic(userName, password);

    /// <summary>Demands tokens of the built-in token server; without a user name it gives them to anyone.</summary>
    public void RequireBearer(string? userName = null, string? password = null, string? refreshToken = null, string? realm = null) =>
        _login.RequireBearer(realm ?? $"http://{Host}/token", userName, password, refreshToken);

    /// <summary>Revokes all tokens issued so far.</summary>
    public void ExpireTokens() => _login.ExpireTokens();

    /// <summary>Waits until a request whose path contains the text has come. For one waiter at a time.</summary>
    public async Task WaitForRequestAsync(string pathContains, TimeSpan timeout)
    {
        while (!_requests.Any(request => request.Path.Contains(pathContains, StringComparison.Ordinal)))
        {
            if (!await _arrived.WaitAsync(timeout))
            {
                throw new TimeoutException($"no request for {pathContains} came in {timeout}");
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _app.StopAsync();
        await _app.DisposeAsync();
        _arrived.Dispose();
    }

    private static void Secure(ListenOptions listen, X509Certificate2? certificate, ClientCertificateMode clients)
    {
        if (certificate is not null)
        {
            listen.UseHttps(https =>
            {
                https.ServerCertificate = certificate;
                https.ClientCertificateMode = clients;
                https.AllowAnyClientCertificate();
            });
        }
    }

    private async Task AnswerAsync(HttpContext context)
    {
        var request = context.Request;
        var path = request.Path.Value!;
        var recorded = new RecordedRequest(
            request.Method,
            path,
            request.QueryString.Value ?? string.Empty,
            request.Host.Value!,
            request.Headers.Authorization.FirstOrDefault(),
            request.Headers.Range.FirstOrDefault(),
            request.Headers.ContentRange.FirstOrDefault())
        {
            Headers = request.Headers.ToDictionary(header => header.Key, header => header.Value.ToString(), StringComparer.OrdinalIgnoreCase),
        };
        _requests.Enqueue(recorded);
        _arrived.Release();
        var faults = Faults.Take(request.Method, path);
        if (faults.Any(fault => fault.ExpiresTokens))
        {
            ExpireTokens();
        }

        var answer = new FaultyAnswer(context, faults, _app.Lifetime.ApplicationStopping);
        if (await answer.InsteadAsync())
        {
            return;
        }

        if (path == "/token")
        {
            await GiveTokenAsync(context);
        }
        else if (!_login.Admits(request.Headers.Authorization.FirstOrDefault(), IsPush(request.Method) ? "push" : "pull")
            && AcceptsToken?.Invoke(request.Headers.Authorization.FirstOrDefault()) != true)
        {
            context.Response.Headers.WWWAuthenticate = _login.Challenge;
            await FaultyAnswer.ErrorAsync(context, StatusCodes.Status401Unauthorized, "UNAUTHORIZED", "authentication required");
        }
        else if (!await PushAsync(context, path, faults))
        {
            await GiveContentAsync(context, path, answer);
        }

        Answering?.Invoke(recorded);
    }

    private static bool IsPush(string method) => !HttpMethods.IsGet(method) && !HttpMethods.IsHead(method);

    /// <summary>Deals with what belongs to a push, and says whether it did.</summary>
    private async Task<bool> PushAsync(HttpContext context, string path, IReadOnlyList<Fault> faults)
    {
        if (InProcessRegistry.Split(path, "/blobs/uploads/") is var (into, id))
        {
            var upload = new UploadAnswer(context, into, _content, _uploads, faults, _app.Lifetime.ApplicationStopping);
            await (id.Length == 0 ? upload.BeginAsync(MinChunk) : upload.ContinueAsync(id));
            return true;
        }

        if (HttpMethods.IsPut(context.Request.Method) && InProcessRegistry.Split(path, "/manifests/") is var (repository, name))
        {
            var announced = faults.Select(fault => fault.AnnouncedDigest).FirstOrDefault(digest => digest is not null);
            await new ManifestAnswer(context, repository, _content).PutAsync(name, KeepsReferrers, HeedsIfMatch, announced);
            return true;
        }

        if (KeepsReferrers && InProcessRegistry.Split(path, "/referrers/") is var (within, subject))
        {
            var answer = new ManifestAnswer(context, within, _content);
            await (ReferrersPages is null ? answer.ListReferrersAsync(subject) : answer.ListReferrersAsync(ReferrersPages, ReferrersEnd));
            return true;
        }

        return false;
    }

    private async Task GiveTokenAsync(HttpContext context)
    {
        var form = context.Request.HasFormContentType ? await context.Request.ReadFormAsync() : null;
        var scope = form?["scope"].FirstOrDefault() ?? context.Request.Query["scope"].FirstOrDefault() ?? string.Empty;
        var token = _login.Issue(context.Request.Headers.Authorization.FirstOrDefault(), form?["refresh_token"].FirstOrDefault(), scope);
        if (token is null)
        {
            context.Response.StatusCode = StatusCodes.Status401Unauthorized;
            return;
        }

        context.Response.ContentType = "application/json";
        await context.Response.WriteAsync($$"""{"token":"{{token}}","expires_in":300}""");
    }

    private async Task GiveContentAsync(HttpContext context, string path, FaultyAnswer faulty)
    {
        var answer = _content.Pull(path, faulty.FirstByte());
        if (HeedsIfMatch && InProcessRegistry.Split(path, "/manifests/") is var (repository, name) && _content.FindManifest(repository, name) is var (digest, _))
        {
            context.Response.Headers.ETag = $"\"{digest}\"";
        }

        await faulty.SendAsync(answer);
    }
}
