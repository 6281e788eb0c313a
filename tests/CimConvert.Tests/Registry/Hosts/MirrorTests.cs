using CimConvert.Oci;
using CimConvert.Registry;
using CimConvert.Registry.Http;
using CimConvert.Registry.Pull;
using CimConvert.TestKit;
using CimConvert.TestKit.Registry;
using NUnit.Framework;

namespace CimConvert.Tests.Registry.Hosts;

/// <summary>A registry that does not exist but for its mirrors, and one upstream that does.</summary>
public sealed class MirrorTests
{
    private const string Registry = "upstream.example:5000";

    private static readonly ImageReference s_image = ImageReference.Parse($"{Registry}/{FakeImage.Repository}:{FakeImage.Tag}");

    private TempFolder _folder = null!;
    private FakeRegistry _mirror = null!;
    private FakeRegistry _upstream = null!;
    private LogLines _log = null!;

    [SetUp]
    public async Task StartAsync()
    {
        _folder = new TempFolder();
        _log = new LogLines();
        _mirror = await FakeRegistry.StartAsync();
        _upstream = await FakeRegistry.StartAsync();
        _upstream.AddImage();
    }

    [TearDown]
    public async Task StopAsync()
    {
        await _mirror.DisposeAsync();
        await _upstream.DisposeAsync();
        _folder.Dispose();
        _log.Dispose();
    }

    [Test]
    public async Task A_mirror_that_has_it_all_is_all_that_is_asked()
    {
        var image = _mirror.AddImage();
        var blob = _mirror.AddContent(FakeImage.Bytes(1000));
        using var client = Client();
        Assert.That((await client.GetManifestAsync(s_image, CancellationToken.None)).Descriptor.Digest, Is.EqualTo(image.Digest));
        await client.ReadAllAsync(s_image, blob);
        Assert.That(_mirror.Requests.Select(request => (request.Path, request.Query)), Is.EqualTo(new[]
        {
            ("/v2/team/app/manifests/v1", "?ns=upstream.example%3A5000"), ($"/v2/team/app/blobs/{blob.Digest}", "?ns=upstream.example%3A5000"),
        }));
        Assert.That(_upstream.Requests, Is.Empty);
    }

    [Test]
    public async Task What_a_mirror_lacks_is_got_upstream_with_a_line_in_the_log([Values(404, 403, 401, 400, 500)] int status)
    {
        _mirror.AddImage();
        _mirror.Faults.Add(Fault.Status("/v2/", status, Fault.Always));
        var blob = _upstream.AddContent(FakeImage.Bytes(1000));
        using var client = Client();
        await client.GetManifestAsync(s_image, CancellationToken.None);
        Assert.That(await client.ReadAllAsync(s_image, blob), Has.Length.EqualTo(1000));
        Assert.That(_log.Lines.Count(line => line.Contains($"; trying {_upstream.Host}", StringComparison.Ordinal)), Is.EqualTo(2));
        Assert.That(_mirror.Requests, Has.Count.EqualTo(status < 500 ? 2 : 6), "retried where it may pass");
    }

    [Test]
    public async Task A_mirror_that_is_down_is_passed_over()
    {
        var host = _mirror.Host;
        await _mirror.DisposeAsync();
        using var client = ClientOf(Hosts(host));
        await client.GetManifestAsync(s_image, CancellationToken.None);
        Assert.That(_log.Lines, Has.Some.Contains($"{host} refused the connection"));
    }

    [Test]
    public async Task A_mirror_without_trust_resolves_no_tags()
    {
        _mirror.AddImage(osVersion: "10.0.1.1");
        var image = _upstream.AddImage();
        using var client = ClientOf($"""
            server = "http://{_upstream.Host}"
            [host."http://{_mirror.Host}"]
              capabilities = ["pull"]
            """);
        Assert.That((await client.GetManifestAsync(s_image, CancellationToken.None)).Descriptor.Digest, Is.EqualTo(image.Digest));
        Assert.That(_mirror.Requests, Is.Empty);
        await client.GetManifestAsync(s_image, image, new TransferCount(), CancellationToken.None);
        Assert.That(_mirror.Requests, Has.Count.EqualTo(1), "what has a digest proves itself");
    }

    [Test]
    public async Task A_manifest_with_the_wrong_bytes_is_got_upstream()
    {
        var image = _upstream.AddImage();
        _mirror.AddImage();
        _mirror.Faults.Add(Fault.Corrupt("manifests/"));
        using var client = Client();
        await client.GetManifestAsync(s_image, image, new TransferCount(), CancellationToken.None);
        Assert.That(_log.Lines, Has.Some.Contains("the registry's copy is damaged; trying"));
    }

    [Test]
    public async Task A_blob_of_the_wrong_size_is_got_upstream()
    {
        var blob = _upstream.AddContent(FakeImage.Bytes(1000));
        _mirror.AddContent(FakeImage.Bytes(1000));
        _mirror.Faults.Add(Fault.WrongLength("blobs/", -1));
        using var client = Client();
        Assert.That(await client.ReadAllAsync(s_image, blob), Is.EqualTo(FakeImage.Bytes(1000)));
    }

    [Test]
    public async Task A_blob_that_keeps_breaking_goes_on_upstream_from_where_it_is()
    {
        var blob = _upstream.AddContent(FakeImage.Bytes(300_000));
        _mirror.AddContent(FakeImage.Bytes(300_000));
        _mirror.Faults.Add(Fault.DropAfter("blobs/", 100_000));
        _mirror.Faults.Add(Fault.DropAfter("blobs/", 0, Fault.Always) with { Skip = 1 });
        using var client = Client();
        var count = new TransferCount();
        Assert.That(await client.ReadAllAsync(s_image, blob, count), Is.EqualTo(FakeImage.Bytes(300_000)));
        Assert.That(_upstream.Requests.Single().Range, Is.EqualTo("bytes=100000-"));
        Assert.That(count.Bytes, Is.EqualTo(300_000));
    }

    [Test]
    public void Where_every_host_fails_the_last_one_is_told()
    {
        _mirror.Faults.Add(Fault.Status("/v2/", 404, Fault.Always));
        _upstream.Faults.Add(Fault.Status("/v2/", 403, Fault.Always));
        using var client = Client();
        Assert.That(
            () => client.GetManifestAsync(s_image, CancellationToken.None),
            Throws.TypeOf<RegistryException>().With.Message.Contains($"{_upstream.Host} denies access (403)"));
        Assert.That(_log.Lines, Has.Some.Contains("(404)"));
    }

    [Test]
    public void Where_no_host_may_resolve_the_line_says_so()
    {
        using var client = ClientOf($"server = 'http://{_upstream.Host}'\ncapabilities = ['pull']");
        Assert.That(
            () => client.GetManifestAsync(s_image, CancellationToken.None),
            Throws.TypeOf<RegistryException>().With.Message.EqualTo($"hosts.toml of {Registry} has no host with the capability 'resolve'"));
        Assert.That(_upstream.Requests, Is.Empty);
    }

    [Test]
    public async Task A_mirror_below_a_path_names_its_repositories_so()
    {
        _mirror.RequireBearer();
        using var client = ClientOf($"""
            server = "http://{_upstream.Host}"
            [host."http://{_mirror.Host}/v2/proxy"]
              override_path = true
            """);
        await client.GetManifestAsync(s_image, CancellationToken.None);
        Assert.That(_mirror.Requests[0].Path, Is.EqualTo("/v2/proxy/team/app/manifests/v1"));
        Assert.That(Uri.UnescapeDataString(_mirror.Requests[1].Query), Does.Contain("scope=repository:proxy/team/app:pull&"));
    }

    [Test]
    public void A_broken_hosts_file_stops_everything()
    {
        using var client = ClientOf("server = x");
        Assert.That(
            () => client.GetManifestAsync(s_image, CancellationToken.None),
            Throws.TypeOf<InvalidDataException>().With.Message.Contains("hosts.toml, line 1, column 10: "));
    }

    private string Hosts(string mirror) => $"server = 'http://{_upstream.Host}'\n[host.'http://{mirror}']";

    private RegistryClient Client() => ClientOf(Hosts(_mirror.Host));

    private RegistryClient ClientOf(string hosts)
    {
        var folder = _folder.Sub(OperatingSystem.IsWindows() ? "upstream.example5000" : Registry);
        File.WriteAllText(Path.Combine(folder, "hosts.toml"), hosts);
        return FakeImage.Client(FakeImage.Options with { PlainHttp = false, HostsFolders = [_folder.Path] }, _log);
    }
}
