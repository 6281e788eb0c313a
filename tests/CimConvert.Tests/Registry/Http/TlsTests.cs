using CimConvert.Registry;
using CimConvert.TestKit;
using CimConvert.TestKit.Registry;
using CimConvert.TestKit.Servers;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using NUnit.Framework;

namespace CimConvert.Tests.Registry.Http;

/// <summary>Registries whose certificates the system does not know.</summary>
public sealed class TlsTests
{
    private TempFolder _folder = null!;
    private TestAuthority _authority = null!;
    private TestCertificate _server = null!;

    [SetUp]
    public void Make()
    {
        _folder = new TempFolder();
        _authority = new TestAuthority(_folder);
        _server = _authority.Server("127.0.0.1");
    }

    [TearDown]
    public void Remove()
    {
        _server.Dispose();
        _authority.Dispose();
        _folder.Dispose();
    }

    [Test]
    public async Task An_authority_of_the_certificate_folder_is_trusted_and_http2_spoken()
    {
        await using var registry = await StartAsync(_server);
        var blob = registry.AddContent(FakeImage.Bytes(3_000_000));
        using var log = new LogLines();
        using var client = FakeImage.Client(Options() with { CertificateFolder = CertificateFolder(_authority.CertificatePath) }, log);
        await client.GetManifestAsync(registry.Reference(), CancellationToken.None);
        var read = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => client.ReadAllAsync(registry.Reference(), blob)));
        Assert.That(read, Is.All.EqualTo(FakeImage.Bytes(3_000_000)));
        Assert.That(log.Lines.Count(line => line.Contains("HTTP/2.0", StringComparison.Ordinal)), Is.EqualTo(6), "the first question is whether it speaks TLS");
    }

    [Test]
    public async Task A_blob_that_broke_goes_on_over_http2()
    {
        await using var registry = await StartAsync(_server);
        var blob = registry.AddContent(FakeImage.Bytes(300_000));
        registry.Faults.Add(Fault.DropAfter("blobs/", 100_000));
        registry.Faults.Add(Fault.StallAfter("blobs/", 100_000) with { Skip = 1 });
        using var client = FakeImage.Client(Options() with { CertificateFolder = CertificateFolder(_authority.CertificatePath) });
        Assert.That(await client.ReadAllAsync(registry.Reference(), blob), Is.EqualTo(FakeImage.Bytes(300_000)));
    }

    [Test]
    public async Task An_unknown_authority_is_told_with_what_to_do()
    {
        await using var registry = await StartAsync(_server);
        await AssertFailsAsync(registry, Options(), "its certificate is vouched for by 'CN=authority', which is not trusted here; give that authority's certificate");
        Assert.That(registry.Requests, Is.Empty);
    }

    [Test]
    public async Task Another_authority_of_the_same_name_is_not_that_one()
    {
        using var others = new TempFolder();
        using var other = new TestAuthority(others);
        await using var registry = await StartAsync(_server);
        await AssertFailsAsync(registry, Options() with { CertificateFolder = CertificateFolder(other.CertificatePath) }, "which is not trusted here");
    }

    [Test]
    public async Task A_certificate_for_another_name_or_time_is_refused()
    {
        using var named = _authority.Server("r.example");
        using var expired = _authority.ExpiredServer("127.0.0.1");
        var options = Options() with { CertificateFolder = CertificateFolder(_authority.CertificatePath) };
        foreach (var (certificate, message) in new[] { (named, "is for other names"), (expired, "is not valid now") })
        {
            await using var registry = await StartAsync(certificate);
            await AssertFailsAsync(registry, options, message);
        }
    }

    [Test]
    public async Task A_hosts_file_names_authorities_and_skips_verification([Values("ca = 'authority.crt'", "skip_verify = true")] string setting)
    {
        await using var registry = await StartAsync(_server);
        using var client = FakeImage.Client(Options() with { HostsFolders = [HostsFolder(registry, setting)] });
        await client.GetManifestAsync(registry.Reference(), CancellationToken.None);
    }

    [Test]
    public async Task A_client_shows_its_certificate([Values] bool ofTwo)
    {
        using var mine = _authority.Client("client");
        using var another = _authority.Client("another");
        await using var registry = await FakeRegistry.StartAsync(_server.Certificate, ClientCertificateMode.RequireCertificate);
        registry.AddImage();
        var pair = $"['{mine.CertificatePath}', '{mine.KeyPath}']";
        var second = ofTwo ? $", ['{another.CertificatePath}', '{another.KeyPath}']" : string.Empty;
        using var client = FakeImage.Client(Options() with { HostsFolders = [HostsFolder(registry, $"ca = 'authority.crt'\nclient = [{pair}{second}]")] });
        await client.GetManifestAsync(registry.Reference(), CancellationToken.None);
        await AssertFailsAsync(registry, Options() with { CertificateFolder = CertificateFolder(_authority.CertificatePath) }, registry.Host);
    }

    [TestCase("ca = 'none.crt'", "cannot read certificate authority {0}none.crt")]
    [TestCase("ca = 'text'", "certificate authority {0}text has no PEM certificate")]
    [TestCase("ca = 'broken'", "certificate authority {0}broken has a certificate that cannot be read")]
    [TestCase("client = 'text'", "client certificate {0}text has no PEM certificate")]
    [TestCase("client = 'authority.crt'", "client certificate {0}authority.crt: {0}authority.crt has no unencrypted PEM key that fits it")]
    [TestCase("client = [['authority.crt', 'other.key']]", "client certificate {0}authority.crt: {0}other.key has no unencrypted PEM key that fits it")]
    [TestCase("client = [['authority.crt', 'none.key']]", "cannot read key of the client certificate {0}none.key")]
    public async Task A_file_that_cannot_be_used_is_named(string setting, string message)
    {
        await using var registry = await StartAsync(_server);
        var hosts = HostsFolder(registry, setting);
        var folder = Path.Combine(hosts, registry.Host) + Path.DirectorySeparatorChar;
        File.WriteAllText(folder + "text", "no certificate");
        File.WriteAllText(folder + "broken", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
        File.Copy(_server.KeyPath, folder + "other.key");
        using var client = FakeImage.Client(Options() with { HostsFolders = [hosts] });
        Assert.That(
            () => client.GetManifestAsync(registry.Reference(), CancellationToken.None),
            Throws.TypeOf<InvalidDataException>().With.Message.StartsWith(string.Format(System.Globalization.CultureInfo.InvariantCulture, message, folder)));
    }

    private static RegistryOptions Options() => FakeImage.Options with { PlainHttp = false };

    private static async Task<FakeRegistry> StartAsync(TestCertificate certificate)
    {
        var registry = await FakeRegistry.StartAsync(certificate.Certificate);
        registry.AddImage();
        return registry;
    }

    private string CertificateFolder(string authority)
    {
        var folder = _folder.Sub("certs");
        File.Copy(authority, Path.Combine(folder, "ca.crt"), overwrite: true);
        return folder;
    }

    private string HostsFolder(FakeRegistry registry, string settings)
    {
        var folder = _folder.Sub("hosts", registry.Host);
        File.Copy(_authority.CertificatePath, Path.Combine(folder, "authority.crt"));
        File.WriteAllText(Path.Combine(folder, "hosts.toml"), settings);
        return _folder["hosts"];
    }

    private static async Task AssertFailsAsync(FakeRegistry registry, RegistryOptions options, string message)
    {
        using var client = FakeImage.Client(options);
        var e = (await Assert.ThrowsAsync<RegistryException>(() => client.GetManifestAsync(registry.Reference(), CancellationToken.None)))!;
        Assert.That(e.Message, Does.StartWith($"cannot get manifest v1 of {registry.Host}/team/app: ").And.Contains(message).And.Not.Contains("\n"));
    }
}
