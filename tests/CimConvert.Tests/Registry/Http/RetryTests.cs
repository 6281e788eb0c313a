using System.Net;
using System.Net.Sockets;
using CimConvert.Oci;
using CimConvert.Registry;
using CimConvert.Registry.Pull;
using CimConvert.TestKit.Registry;
using Microsoft.Extensions.Time.Testing;
using NUnit.Framework;

namespace CimConvert.Tests.Registry.Http;

public sealed class RetryTests
{
    private FakeRegistry _registry = null!;
    private RegistryClient _client = null!;

    [SetUp]
    public async Task StartAsync()
    {
        _registry = await FakeRegistry.StartAsync();
        _registry.AddImage();
        _client = FakeImage.Client();
    }

    [TearDown]
    public async Task StopAsync()
    {
        _client.Dispose();
        await _registry.DisposeAsync();
    }

    [TestCase(408)]
    [TestCase(429)]
    [TestCase(500)]
    [TestCase(502)]
    [TestCase(503)]
    [TestCase(504)]
    public async Task What_may_pass_is_tried_again(int status)
    {
        _registry.Faults.Add(Fault.Status("manifests/", status, times: 2));
        await GetAsync();
        Assert.That(_registry.Requests, Has.Count.EqualTo(3));
    }

    [TestCase(401, "wants a valid login (401); run 'docker login")]
    [TestCase(403, "denies access (403)")]
    [TestCase(404, "no such tag")]
    [TestCase(400, "answered with status 400")]
    public void What_the_registry_has_decided_is_not(int status, string message)
    {
        _registry.Faults.Add(Fault.Status("manifests/", status, Fault.Always));
        AssertFails(message);
        Assert.That(_registry.Requests, Has.Count.EqualTo(1));
    }

    [Test]
    public void Attempts_are_limited_and_the_last_answer_is_told()
    {
        _registry.Faults.Add(Fault.Status(
            "manifests/", 503, Fault.Always, """{"errors":[{"code":"UNAVAILABLE","message":"two\nlines","detail":"secret"}]}"""));
        AssertFails($"cannot get manifest v1 of {_registry.Host}/team/app: {_registry.Host} failed with status 503; try again later [UNAVAILABLE: two?lines]");
        Assert.That(_registry.Requests, Has.Count.EqualTo(3));
    }

    [Test]
    public async Task A_registry_that_names_a_pause_gets_it()
    {
        _registry.Faults.Add(Fault.TooManyRequests("manifests/", "1"));
        var clock = new FakeTimeProvider();
        using var log = new LogLines();
        using var client = FakeImage.Client(FakeImage.Options.WithClock(clock), log);
        var manifest = client.GetManifestAsync(_registry.Reference(), CancellationToken.None);
        await FakeClock.UntilAsync(() => log.Lines.Any(line => line.Contains("follows in 1.0 s", StringComparison.Ordinal)));
        var start = clock.GetUtcNow();
        await clock.AdvanceUntilAsync(TimeSpan.FromSeconds(0.1), () => _registry.Requests.Count > 1);
        await manifest;
        Assert.That(clock.GetUtcNow() - start, Is.GreaterThanOrEqualTo(TimeSpan.FromSeconds(1)));
    }

    [Test]
    public void A_pause_beyond_reason_is_not_waited_for()
    {
        _registry.Faults.Add(Fault.TooManyRequests("manifests/", "3600", Fault.Always));
        AssertFails("asks for fewer requests (429)");
        Assert.That(_registry.Requests, Has.Count.EqualTo(1));
    }

    [Test]
    public async Task A_date_in_the_past_is_no_pause()
    {
        _registry.Faults.Add(Fault.TooManyRequests("manifests/", "Wed, 21 Oct 2015 07:28:00 GMT"));
        await GetAsync();
    }

    [Test]
    public async Task A_manifest_lost_in_its_midst_is_asked_for_again()
    {
        _registry.Faults.Add(Fault.DropAfter("manifests/", 10));
        await GetAsync();
        Assert.That(_registry.Requests, Has.Count.EqualTo(2));
    }

    [Test]
    public async Task A_manifest_that_does_not_come_is_asked_for_again()
    {
        var clock = new FakeTimeProvider();
        using var client = FakeImage.Client(FakeImage.Options with { TimeProvider = clock });
        _registry.Faults.Add(Fault.StallAfter("manifests/", 10));
        var manifest = client.GetManifestAsync(_registry.Reference(), CancellationToken.None);
        await FakeClock.UntilAsync(() => _registry.Requests.Count > 0);
        await clock.AdvanceUntilAsync(FakeImage.Options.ResponseTimeout / 2, () => _registry.Requests.Count > 1);
        await manifest;
        Assert.That(_registry.Requests, Has.Count.EqualTo(2));
    }

    [Test]
    public async Task Silence_is_told_with_its_length()
    {
        var clock = new FakeTimeProvider();
        using var client = FakeImage.Client(FakeImage.Options with { TimeProvider = clock, ResponseTimeout = TimeSpan.FromMilliseconds(200) });
        _registry.Faults.Add(Fault.StallAfter("manifests/", 0, Fault.Always));
        var manifest = client.GetManifestAsync(_registry.Reference(), CancellationToken.None);
        await clock.AdvanceUntilAsync(TimeSpan.FromMilliseconds(100), () => manifest.IsCompleted);
        Assert.That(
            () => manifest,
            Throws.TypeOf<RegistryException>().With.Message.Contains($"no answer from {_registry.Host} within 0.2 s"));
    }

    [Test]
    public void A_port_nobody_listens_on_is_told_at_once()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var port = ((IPEndPoint)listener.LocalEndpoint).Port;
        listener.Stop();
        AssertFails(
            _client, $"127.0.0.1:{port}/a", $"cannot get manifest latest of 127.0.0.1:{port}/a: 127.0.0.1:{port} refused the connection; check that a registry listens there");
        using var secure = FakeImage.Client(FakeImage.Options with { PlainHttp = false });
        AssertFails(secure, $"localhost:{port}/a", "if it speaks plain HTTP, add --plain-http");
    }

    [Test]
    public async Task A_registry_on_this_machine_may_speak_plain_http()
    {
        using var secure = FakeImage.Client(FakeImage.Options with { PlainHttp = false });
        await secure.GetManifestAsync(_registry.Reference(), CancellationToken.None);
        Assert.That(_registry.Requests, Has.Count.EqualTo(1));
    }

    [Test]
    public void A_host_that_does_not_exist_is_named() =>
        AssertFails(_client, "registry.invalid/a", "no such host 'registry.invalid'; check the registry's name and this machine's DNS");

    private Task<FetchedManifest> GetAsync() => _client.GetManifestAsync(_registry.Reference(), CancellationToken.None);

    private void AssertFails(string message) => AssertFails(_client, _registry.Reference().ToString(), message);

    private static void AssertFails(RegistryClient client, string reference, string message) => Assert.That(
        () => client.GetManifestAsync(ImageReference.Parse(reference), CancellationToken.None),
        Throws.TypeOf<RegistryException>().With.Message.Contains(message).And.Message.Not.Contains("\n"));
}
