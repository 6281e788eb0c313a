using CimConvert.Oci;
using CimConvert.Registry;
using CimConvert.Registry.Auth;
using CimConvert.Registry.Pull;
using CimConvert.TestKit.Registry;
using Microsoft.Extensions.Logging;
using NUnit.Framework;

namespace CimConvert.Tests.Registry.Auth;

public sealed class AuthenticationTests
{
    private const string Secret = "s3cr:t-pässword";

    private FakeRegistry _registry = null!;
    private Descriptor _blob = null!;

    [SetUp]
    public async Task StartAsync()
    {
        _registry = await FakeRegistry.StartAsync();
        _registry.AddImage();
        _blob = _registry.AddContent(FakeImage.Bytes(100_000));
    }

    [TearDown]
    public async Task StopAsync() => await _registry.DisposeAsync();

    [Test]
    public async Task One_anonymous_token_serves_all_that_asks_at_once()
    {
        _registry.RequireBearer();
        using var client = FakeImage.Client();
        await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => client.ReadAllAsync(_registry.Reference(), _blob)));
        await client.GetManifestAsync(_registry.Reference(), CancellationToken.None);
        var token = _registry.Requests.Single(request => request.Path == "/token");
        Assert.That(token.Authorization, Is.Null);
        Assert.That(Uri.UnescapeDataString(token.Query), Is.EqualTo("?scope=repository:team/app:pull&service=fake registry"));
    }

    [Test]
    public async Task A_token_that_ran_out_is_fetched_anew()
    {
        _registry.RequireBearer();
        using var client = FakeImage.Client();
        await client.GetManifestAsync(_registry.Reference(), CancellationToken.None);
        _registry.ExpireTokens();
        await client.GetManifestAsync(_registry.Reference(), CancellationToken.None);
        Assert.That(_registry.Requests.Count(request => request.Path == "/token"), Is.EqualTo(2));
    }

    [Test]
    public async Task Credentials_of_dockers_config_open_what_they_are_for([Values] bool bearer)
    {
        if (bearer)
        {
            _registry.RequireBearer("me", Secret);
        }
        else
        {
            _registry.RequireBasic("me", Secret);
        }

        var auth = Convert.ToBase64String(System.Text.Encoding.UTF8.GetBytes($"me:{Secret}"));
        using var client = ClientWith($$"""{"auths":{"{{_registry.Host}}":{"auth":"{{auth}}"} } }""");
        Assert.That(await client.ReadAllAsync(_registry.Reference(), _blob), Has.Length.EqualTo(100_000));
    }

    /// <summary>A large layer outlasts its token: the connection that continues it needs another.</summary>
    [Test]
    public async Task A_token_that_runs_out_amid_a_blob_is_replaced()
    {
        _registry.RequireBearer();
        _registry.Faults.Add(Fault.DropAfter("blobs/", 60_000) with { Skip = 1 });
        _registry.Faults.Add(Fault.ExpireTokens("blobs/") with { Skip = 2 });
        using var client = FakeImage.Client();
        Assert.That(await client.ReadAllAsync(_registry.Reference(), _blob), Is.EqualTo(FakeImage.Bytes(100_000)));
        Assert.That(_registry.Requests.Count(request => request.Path == "/token"), Is.EqualTo(2));
        Assert.That(_registry.Requests[^1].Range, Does.StartWith("bytes=").And.Not.EqualTo("bytes=0-"));
    }

    [Test]
    public async Task An_identity_token_is_traded_for_a_token()
    {
        _registry.RequireBearer(refreshToken: "refresh");
        using var client = ClientWith($$"""{"auths":{"http://{{_registry.Host}}/v1/":{"auth":"eDo=","identitytoken":"refresh"} } }""");
        Assert.That(await client.ReadAllAsync(_registry.Reference(), _blob), Has.Length.EqualTo(100_000));
        Assert.That(_registry.Requests.Single(request => request.Path == "/token").Method, Is.EqualTo("POST"));
    }

    [Test]
    public async Task Refusals_say_what_to_do_and_nothing_secret([Values] bool bearer)
    {
        if (bearer)
        {
            _registry.RequireBearer("me", "another");
        }
        else
        {
            _registry.RequireBasic("me", "another");
        }

        using var anonymous = FakeImage.Client();
        using var client = ClientWith($$"""{"auths":{"{{_registry.Host}}":{"username":"me","password":"{{Secret}}"} } }""");
        foreach (var refused in new[] { anonymous, client })
        {
            var e = (await Assert.ThrowsAsync<RegistryException>(() => refused.GetManifestAsync(_registry.Reference(), CancellationToken.None)))!;
            Assert.That(e.Message, Does.StartWith($"cannot get manifest v1 of {_registry.Host}/team/app: ").And.Contains("docker login"));
            Assert.That(e.StatusCode, Is.EqualTo(System.Net.HttpStatusCode.Unauthorized));
            Assert.That(e.ToString(), Does.Not.Contain(Secret).And.Not.Contains("scope="));
        }
    }

    [TestCase("https://127.0.0.1:1/token", "cannot log in to 127.0.0.1")]
    [TestCase("ftp://127.0.0.1/token", "ftp://127.0.0.1 is not secure; refused")]
    [TestCase("token", "names no token server")]
    [TestCase("http://:secret@127.0.0.1/token", "'127.0.0.1' cannot be asked")]
    public void A_token_server_that_cannot_be_used_is_told(string realm, string message)
    {
        _registry.RequireBearer(realm: realm);
        using var client = FakeImage.Client();
        Assert.That(
            () => client.GetManifestAsync(_registry.Reference(), CancellationToken.None),
            Throws.TypeOf<RegistryException>().With.Message.Contains(message));
    }

    [Test]
    public async Task A_redirect_takes_no_credentials_to_another_host()
    {
        _registry.RequireBearer();
        await using var storage = await FakeRegistry.StartAsync();
        storage.AddBlob(FakeImage.Bytes(100_000));
        _registry.Faults.Add(Fault.Redirect("blobs/", $"http://{storage.OtherHost}/?signature=secret"));
        storage.Faults.Add(Fault.DropAfter("blobs/", 30_000));
        using var client = FakeImage.Client();
        await client.GetManifestAsync(_registry.Reference(), CancellationToken.None);
        Assert.That(await client.ReadAllAsync(_registry.Reference(), _blob), Is.EqualTo(FakeImage.Bytes(100_000)));
        Assert.That(_registry.Requests.Where(request => request.Path.Contains("/blobs/")).Select(request => request.Authorization), Is.All.StartsWith("Bearer "));
        Assert.That(storage.Requests, Has.Count.EqualTo(2));
        Assert.That(storage.Requests.Select(request => request.Authorization), Is.All.Null);
        Assert.That(storage.Requests[1].Range, Is.EqualTo("bytes=30000-"), "the range goes along");
    }

    [Test]
    public async Task A_challenge_behind_a_redirect_is_not_answered()
    {
        await using var storage = await FakeRegistry.StartAsync();
        storage.RequireBasic("me", Secret);
        storage.AddBlob(FakeImage.Bytes(100_000));
        _registry.Faults.Add(Fault.Redirect("blobs/", $"http://{storage.Host}/?signature=secret"));
        using var client = ClientWith($$"""{"auths":{"{{_registry.Host}}":{"username":"me","password":"{{Secret}}"} } }""");
        var e = (await Assert.ThrowsAsync<RegistryException>(() => client.ReadAllAsync(_registry.Reference(), _blob)))!;
        Assert.That(e.Message, Does.Contain($"{storage.Host} wants a valid login (401)").And.Not.Contains("signature"));
        Assert.That(storage.Requests.Select(request => request.Authorization), Is.EqualTo(new string?[] { null }));
    }

    [Test]
    public void Redirects_are_not_followed_for_ever()
    {
        _registry.Faults.Add(Fault.Redirect("blobs/", $"http://{_registry.Host}/?signature=secret"));
        using var client = FakeImage.Client();
        Assert.That(
            () => client.ReadAllAsync(_registry.Reference(), _blob),
            Throws.TypeOf<RegistryException>().With.Message.Contains("redirects more than 10 times").And.Message.Not.Contains("signature"));
        Assert.That(_registry.Requests, Has.Count.EqualTo(11));
    }

    [Test]
    public void What_fails_behind_a_redirect_is_told_of_the_host_it_led_to()
    {
        _registry.Faults.Add(Fault.Redirect("blobs/", "http://storage.invalid/?signature=secret"));
        using var client = FakeImage.Client();
        Assert.That(
            () => client.ReadAllAsync(_registry.Reference(), _blob),
            Throws.TypeOf<RegistryException>().With.Message.Contains("no such host 'storage.invalid'").And.Message.Not.Contains("signature"));
    }

    [Test]
    public async Task Log_lines_hold_no_secrets()
    {
        _registry.RequireBearer("me", Secret);
        _registry.Faults.Add(Fault.Status("blobs/", 503));
        _registry.Faults.Add(Fault.DropAfter("blobs/", 30_000) with { Skip = 1 });
        _registry.Faults.Add(Fault.Status("/token", 503));
        using var log = new LogLines();
        using var client = ClientWith($$"""{"auths":{"{{_registry.Host}}":{"username":"me","password":"{{Secret}}"} } }""", log);
        await client.ReadAllAsync(_registry.Reference(), _blob);
        Assert.That(log.Lines, Is.Not.Empty);
        Assert.That(log.Lines, Has.None.Contains(Secret).And.None.Contains("token-").And.None.Contains("scope="));
        Assert.That(log.Lines, Has.Some.Contains("answered with status 503; attempt 2 of 3 follows"));
    }

    private static RegistryClient ClientWith(string dockerConfig, ILoggerFactory? loggers = null)
    {
        var path = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());
        try
        {
            File.WriteAllText(path, dockerConfig);
            return FakeImage.Client(FakeImage.Options with { Credentials = DockerConfigCredentials.Load(path) }, loggers);
        }
        finally
        {
            File.Delete(path);
        }
    }
}
