using System.Text;
using CimConvert.Oci;
using CimConvert.Registry.Auth;
using CimConvert.Registry.Http;
using CimConvert.TestKit;
using CimConvert.TestKit.Registry;
using CimConvert.TestKit.Servers;
using NUnit.Framework;

namespace CimConvert.Tests.Registry.Auth;

/// <summary>Every host that a pull can meet, each remembering what it was sent: a login or token is seen by none but its own.</summary>
public sealed class LeakTests
{
    private const string MirrorPassword = "mirror-password";
    private const string UpstreamPassword = "upstream-password";
    private const string HeaderSecret = "header-secret";

    [Test]
    public async Task Secrets_reach_only_the_host_they_are_for()
    {
        using var folder = new TempFolder();
        using var authority = new TestAuthority(folder);
        using var signing = authority.Client("signer");
        await using var mirror = await FakeRegistry.StartAsync();
        await using var upstream = await FakeRegistry.StartAsync();
        await using var storage = await FakeRegistry.StartAsync();
        await using var foreign = await FakeRegistry.StartAsync();
        await using var tokens = await TokenServer.StartAsync(signing.Certificate);
        mirror.RequireBasic("mirror-user", MirrorPassword);
        upstream.RequireBearer(realm: tokens.Realm);
        upstream.AcceptsToken = authorization => tokens.MayPull(authorization, FakeImage.Repository);
        tokens.AddUser("upstream-user", UpstreamPassword);
        tokens.Grant("upstream-user", FakeImage.Repository, "pull");

        // The mirror has the manifest and a blob, and redirects for it; a blob only upstream has, in its storage; one that only its URL has.
        var image = mirror.AddImage();
        upstream.AddImage();
        var mirrored = storage.AddContent(FakeImage.Bytes(100_000));
        var stored = storage.AddContent(FakeImage.Bytes(100_000, seed: 2));
        var layer = foreign.AddContent(FakeImage.Bytes(100_000, seed: 3)) with { Urls = [$"http://{foreign.Host}/v2/x/blobs/{Digest.Compute(FakeImage.Bytes(100_000, seed: 3))}"] };
        mirror.Faults.Add(Fault.Redirect(mirrored.Digest.ToString(), $"http://{storage.Host}/?signature=x"));
        upstream.Faults.Add(Fault.Redirect(stored.Digest.ToString(), $"http://{storage.Host}/?signature=x"));
        upstream.Faults.Add(Fault.DropAfter("manifests/", 10));
        storage.Faults.Add(Fault.DropAfter("blobs/", 30_000));

        // Nothing listens at the registry's own name: the server is configured.
        var reference = ImageReference.Parse($"registry.invalid/{FakeImage.Repository}:{FakeImage.Tag}");
        File.WriteAllText(Path.Combine(folder.Sub("registry.invalid"), "hosts.toml"), $"""
            server = "http://{upstream.Host}"
            [host."http://{mirror.Host}"]
              [host."http://{mirror.Host}".header]
                x-api-key = "{HeaderSecret}"
            """);
        File.WriteAllText(folder["config.json"], $$"""
            {"auths":{
              "{{mirror.Host}}":{"username":"mirror-user","password":"{{MirrorPassword}}"},
              "{{upstream.Host}}":{"username":"upstream-user","password":"{{UpstreamPassword}}"},
              "registry.invalid":{"username":"nobody","password":"never-sent"}
            } }
            """);
        using var log = new LogLines();
        using var client = FakeImage.Client(
            FakeImage.Options with { HostsFolders = [folder.Path], Credentials = DockerConfigCredentials.Load(folder["config.json"]) }, log);

        await client.GetManifestAsync(reference, CancellationToken.None);
        foreach (var blob in new[] { mirrored, stored, layer })
        {
            await client.ReadAllAsync(reference, blob);
        }

        mirror.Faults.Add(Fault.Status("manifests/", 404, Fault.Always));
        await client.GetManifestAsync(reference, image, new TransferCount(), CancellationToken.None);

        var mirrorLogin = "Basic " + Convert.ToBase64String(Encoding.UTF8.GetBytes($"mirror-user:{MirrorPassword}"));
        var upstreamLogin = "Basic " + Convert.ToBase64String(Encoding.UTF8.GetBytes($"upstream-user:{UpstreamPassword}"));
        Assert.That(Sent(mirror.Requests), Is.EqualTo(new[] { mirrorLogin }));
        Assert.That(Sent(tokens.Requests), Is.EqualTo(new[] { upstreamLogin }));
        Assert.That(Sent(upstream.Requests), Has.Length.EqualTo(1).And.All.StartsWith("Bearer "));
        Assert.That(Sent(storage.Requests), Is.Empty);
        Assert.That(Sent(foreign.Requests), Is.Empty);
        Assert.That(new[] { storage.Requests.Count, foreign.Requests.Count }, Is.All.GreaterThan(0), "the test has met them all");
        Assert.That(mirror.Requests.Select(request => request.Headers["x-api-key"]), Is.All.EqualTo(HeaderSecret));
        Assert.That(
            upstream.Requests.Concat(storage.Requests).Concat(foreign.Requests).Concat(tokens.Requests).Where(request => request.Headers.ContainsKey("x-api-key")),
            Is.Empty);
        Assert.That(log.Lines, Is.Not.Empty);
        foreach (var secret in new[] { MirrorPassword, UpstreamPassword, HeaderSecret, "never-sent", "signature", mirrorLogin, upstreamLogin, Sent(upstream.Requests)[0]! })
        {
            Assert.That(log.Lines, Has.None.Contains(secret));
        }
    }

    private static string?[] Sent(IEnumerable<RecordedRequest> requests) =>
        [.. requests.Select(request => request.Authorization).Where(authorization => authorization is not null).Distinct()];
}
