using CimConvert.Oci;
using CimConvert.Registry.Http;
using CimConvert.TestKit;
using CimConvert.TestKit.Images;
using CimConvert.TestKit.Layers;
using CimConvert.TestKit.Registry;
using CimConvert.TestKit.Servers;
using CimConvert.Tests.Registry;
using NUnit.Framework;

namespace CimConvert.Tests.Cli;

/// <summary>Debian's docker-registry, as administrators put it behind things: TLS of an own authority, logins, tokens, bad networks.</summary>
[Platform(Exclude = "Win", Reason = "Debian's servers")]
[Category(Categories.Process)]
[Category(Categories.Tools)]
public class RealRegistryTests
{
    private const string Repository = "win/app";
    private const string Password = "s3cret-pass";

    private static TempFolder s_folder = null!;
    private static TestAuthority s_authority = null!;
    private static DockerRegistry s_registry = null!;
    private static OciImage s_image = null!;
    private static int s_folders;

    [OneTimeSetUp]
    public static async Task StartAsync()
    {
        s_folder = new TempFolder();
        s_authority = new TestAuthority(s_folder);
        s_registry = await DockerRegistry.StartAsync();
        s_image = new ImageBuilder().Layer(WindowsImage.SmallBase())
            .Layer(new LayerBuilder().Directory("Files").File("Files/big", SeededContent.Bytes(1, 4_000_000)))
            .WriteTo(s_folder["image"], "v1");
        Tools.Require("skopeo");
        await Skopeo.PushAsync(s_folder["image"], "v1", s_registry.Reference(Repository, "v1"));
    }

    [OneTimeTearDown]
    public static async Task StopAsync()
    {
        if (s_registry is not null)
        {
            await s_registry.DisposeAsync();
        }

        s_authority.Dispose();
        s_folder.Dispose();
    }

    [Test]
    public async Task Behind_tls_of_a_private_authority_and_a_login()
    {
        using var certificate = s_authority.Server("127.0.0.1");
        await using var nginx = await Nginx.StartAsync(s_registry.Host, new NginxSettings { Certificate = certificate, Login = ("me", Password) });
        var reference = $"{nginx.Host}/{Repository}:v1";
        var certificates = CertificateFolder();

        Assert.That(await FailAsync(reference, Login(nginx.Host, Password)), Does.Contain("'CN=authority', which is not trusted here").And.Contains("--cert-dir"));
        Assert.That(await FailAsync(reference, Login(nginx.Host, "wrong"), "--cert-dir", certificates), Does.Contain("wants a valid login (401)").And.Not.Contains("wrong"));
        Assert.That(await FailAsync(reference, "/nonexistent", "--cert-dir", certificates), Does.Contain($"wants a valid login (401); run 'docker login {nginx.Host}'"));

        await ConvertAsync(reference, Login(nginx.Host, Password), "--cert-dir", certificates);
        await ConvertAsync(reference, Login(nginx.Host, Password), "--hosts-dir", HostsFolder(nginx.Host, $"ca = '{s_authority.CertificatePath}'"));
        Assert.That(await nginx.RequestsAsync(), Has.Some.EqualTo($"GET /v2/{Repository}/manifests/v1 HTTP/2.0 200"));
    }

    [Test]
    public async Task Behind_a_server_that_wants_client_certificates()
    {
        using var certificate = s_authority.Server("127.0.0.1");
        using var client = s_authority.Client("client");
        await using var nginx = await Nginx.StartAsync(
            s_registry.Host, new NginxSettings { Certificate = certificate, ClientAuthority = s_authority.CertificatePath });
        var reference = $"{nginx.Host}/{Repository}:v1";

        Assert.That(await FailAsync(reference, "/nonexistent", "--cert-dir", CertificateFolder()), Does.Contain($"{nginx.Host} answered with status 400"));

        var folder = CertificateFolder();
        File.Copy(client.CertificatePath, Path.Combine(folder, "me.cert"));
        File.Copy(client.KeyPath, Path.Combine(folder, "me.key"));
        await ConvertAsync(reference, "/nonexistent", "--cert-dir", folder);
    }

    [Test]
    public async Task By_a_mirror_that_asks_for_a_login_of_its_own()
    {
        await using var mirror = await Nginx.StartAsync(s_registry.Host, new NginxSettings { Login = ("me", Password) });
        var hosts = HostsFolder("upstream.invalid", $"[host.'http://{mirror.Host}']");

        await ConvertAsync($"upstream.invalid/{Repository}:v1", Login(mirror.Host, Password), "--hosts-dir", hosts);

        Assert.That(await mirror.RequestsAsync(), Has.Some.EqualTo($"GET /v2/{Repository}/manifests/v1?ns=upstream.invalid HTTP/1.1 200"));
        Assert.That(
            await FailAsync($"upstream.invalid/{Repository}:v1", "/nonexistent", "--hosts-dir", hosts), Does.Contain("no such host 'upstream.invalid'"));
    }

    [Test]
    public async Task Through_a_proxy_of_the_usual_variables_but_not_to_this_machine()
    {
        using var certificate = s_authority.Server("proxied.invalid", "127.0.0.1");
        await using var nginx = await Nginx.StartAsync(s_registry.Host, new NginxSettings { Certificate = certificate });
        await using var secure = new ForwardProxy(nginx.Host);
        await using var plain = new ForwardProxy(s_registry.Host);
        var certificates = CertificateFolder();

        await ProxiedAsync("HTTPS_PROXY", secure, $"proxied.invalid/{Repository}:v1", "--cert-dir", certificates);
        await ProxiedAsync("http_proxy", plain, $"proxied.invalid/{Repository}:v1", "--plain-http");
        var connections = secure.Heads.Count;
        await ProxiedAsync("HTTPS_PROXY", secure, $"{nginx.Host}/{Repository}:v1", "--cert-dir", certificates);

        Assert.That(secure.Heads, Is.All.StartsWith("CONNECT proxied.invalid:443 HTTP/1.1\r\n"));
        Assert.That(secure.Heads, Has.Count.EqualTo(connections));
        Assert.That(plain.Heads.First(), Does.StartWith($"GET http://proxied.invalid/v2/{Repository}/manifests/v1 HTTP/1.1\r\n"));
    }

    [Test]
    public async Task With_tokens_for_what_each_may()
    {
        using var signing = s_authority.Client("signer");
        await using var tokens = await TokenServer.StartAsync(signing.Certificate);
        await using var registry = await DockerRegistry.StartAsync($"""
            auth:
              token:
                realm: {tokens.Realm}
                service: kit
                issuer: {TokenServer.Issuer}
                rootcertbundle: {s_authority.CertificatePath}
            """, s_registry.StoragePath);
        tokens.AddUser("me", Password);
        tokens.Grant("me", Repository, "pull");
        var reference = registry.Reference(Repository, "v1");

        await ConvertAsync(reference, Login(registry.Host, Password));

        Assert.That(tokens.Requests, Has.Count.EqualTo(1), "one token for all");
        Assert.That(await FailAsync(reference, "/nonexistent"), Does.Contain("wants a valid login (401)"), "everyone may do nothing");
        Assert.That(
            await FailAsync(reference, Login(registry.Host, "wrong")),
            Does.Contain($"its token server {tokens.Host} refuses the login (401)").And.Not.Contains("wrong"));
    }

    [Test]
    public async Task Over_connections_that_are_slow_and_then_cut()
    {
        using var certificate = s_authority.Server("127.0.0.1");
        var settings = new NginxSettings { Certificate = certificate };
        await using var nginx = await Nginx.StartAsync(s_registry.Host, settings with { Rate = "2m" });
        var layer = s_image.Layers[1];
        var blob = new Descriptor { MediaType = MediaTypes.OciLayerGzip, Digest = Digest.Parse(layer.Digest), Size = layer.Size };
        using var client = FakeImage.Client(FakeImage.Options with { PlainHttp = false, CertificateFolder = CertificateFolder() });
        var count = new TransferCount();
        await using var stream = await client.OpenBlobAsync(ImageReference.Parse($"{nginx.Host}/{Repository}:v1"), blob, offset: 0, count, CancellationToken.None);
        var bytes = new byte[layer.Size];
        await stream.ReadExactlyAsync(bytes.AsMemory(0, 500_000));

        await nginx.RestartAsync(settings);

        await stream.ReadExactlyAsync(bytes.AsMemory(500_000));
        Assert.That(Digest.Compute(bytes).ToString(), Is.EqualTo(layer.Digest));

        // A server writes down what it answered when it is through with it, which may be after the reader is.
        using var patience = new CancellationTokenSource(CimConvertProgram.Patience);
        while (!(await nginx.RequestsAsync()).Contains($"GET /v2/{Repository}/blobs/{layer.Digest} HTTP/2.0 206"))
        {
            await Task.Delay(10, patience.Token);
        }

        Assert.That(count.Bytes, Is.EqualTo(layer.Size));
    }

    private static string CertificateFolder()
    {
        var folder = NewFolder();
        File.Copy(s_authority.CertificatePath, Path.Combine(folder, "ca.crt"));
        return folder;
    }

    private static string HostsFolder(string registry, string settings)
    {
        var folder = NewFolder();
        File.WriteAllText(Path.Combine(Directory.CreateDirectory(Path.Combine(folder, registry)).FullName, "hosts.toml"), settings);
        return folder;
    }

    /// <summary>A folder for DOCKER_CONFIG.</summary>
    private static string Login(string host, string password)
    {
        var folder = NewFolder();
        File.WriteAllText(Path.Combine(folder, "config.json"), $$"""{"auths":{"{{host}}":{"username":"me","password":"{{password}}"} } }""");
        return folder;
    }

    private static string NewFolder() => s_folder.Sub($"f{Interlocked.Increment(ref s_folders)}");

    private static async Task ConvertAsync(string reference, string logins, params string[] options)
    {
        var result = await RunAsync(reference, logins, options);
        Assert.That(result.ExitCode, Is.Zero, result.Error);
    }

    private static async Task<string> FailAsync(string reference, string logins, params string[] options)
    {
        var result = await RunAsync(reference, logins, options);
        Assert.That((result.ExitCode, result.Output), Is.EqualTo((1, string.Empty)));
        Assert.That(result.Error, Does.Contain($"error: {reference}: ").And.Not.Contains("internal error").And.Not.Contains(Password));
        return result.Error;
    }

    private static async Task ProxiedAsync(string variable, ForwardProxy proxy, string reference, params string[] options)
    {
        var result = await CimConvertProgram.RunWithAsync(variable, $"http://{proxy.Host}", ["convert", reference, "--output", NewFolder(), "--quiet", .. options]);
        Assert.That(result.ExitCode, Is.Zero, result.Error);
    }

    private static Task<ProcessResult> RunAsync(string reference, string logins, IEnumerable<string> options) => CimConvertProgram.RunWithAsync(
        "DOCKER_CONFIG", logins, ["convert", reference, "--output", NewFolder(), "--quiet", .. options]);
}
