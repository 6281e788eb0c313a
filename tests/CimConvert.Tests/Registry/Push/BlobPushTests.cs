using System.Net;
using CimConvert.Oci;
using CimConvert.Registry;
using CimConvert.Registry.Push;
using CimConvert.TestKit.Registry;
using CimConvert.TestKit.Servers;
using Microsoft.Extensions.Time.Testing;
using NUnit.Framework;

namespace CimConvert.Tests.Registry.Push;

public sealed class BlobPushTests
{
    private const int Chunk = PushHarness.Chunk;

    private PushHarness _push = null!;

    private FaultScript Faults => _push.Registry.Faults;

    [SetUp]
    public async Task StartAsync() => _push = await PushHarness.StartAsync();

    [TearDown]
    public async Task StopAsync() => await _push.DisposeAsync();

    [TestCase(0)]
    [TestCase(1)]
    [TestCase(Chunk)]
    public async Task A_small_blob_takes_one_request_with_its_bytes(int size)
    {
        var blob = _push.Blob(size);
        Assert.That(await _push.PushAsync(blob), Is.EqualTo(PushOutcome.Uploaded));
        Assert.That(_push.Steps, Is.EqualTo(new[] { "HEAD blob", "POST uploads", "PUT upload-1" }));
        Assert.That(_push.Has(blob));
        Assert.That(_push.Pusher.BytesSent, Is.EqualTo(size));
    }

    [Test]
    public async Task A_large_blob_goes_in_chunks_each_to_the_newest_address()
    {
        var blob = _push.Blob(Chunk + 1);
        await _push.PushAsync(blob);
        Assert.That(_push.Steps, Is.EqualTo(new[] { "HEAD blob", "POST uploads", "PATCH upload-1 0-99999", "PATCH upload-1 100000-100000", "PUT upload-1" }));
        Assert.That(
            _push.Registry.Requests.Skip(2).Select(r => r.Query), Is.EqualTo(new[] { "?_state=1", "?_state=2", $"?_state=3&digest={Uri.EscapeDataString(blob.Digest.ToString())}" }));
        Assert.That(_push.Has(blob));
    }

    [Test]
    [Category(Categories.Process), Category(Categories.Tools)]
    public async Task A_real_registry_takes_chunks_and_has_them()
    {
        await using var registry = await DockerRegistry.StartAsync();
        var blob = _push.Blob((3 * Chunk) + 1);
        var reference = ImageReference.Parse(registry.Reference("a/b", "v1"));
        var pusher = await _push.Client.PusherToAsync(reference, CancellationToken.None);
        Assert.That(await pusher.PushBlobAsync(blob, CancellationToken.None), Is.EqualTo(PushOutcome.Uploaded));
        Assert.That(await pusher.PushBlobAsync(blob, CancellationToken.None), Is.EqualTo(PushOutcome.Skipped));
        var descriptor = new Descriptor { MediaType = MediaTypes.ConvertedLayer, Digest = blob.Digest, Size = blob.Size };
        Assert.That(await _push.Client.ReadAllAsync(reference, descriptor), Is.EqualTo(File.ReadAllBytes(blob.Path)));
        Assert.That(registry.CountRequests("PATCH", "/blobs/uploads/"), Is.EqualTo(4));
    }

    [Test]
    public async Task What_is_there_is_not_sent()
    {
        var blob = _push.Blob(3 * Chunk);
        await _push.PushAsync(blob);
        var sent = _push.Pusher.BytesSent;
        Assert.That(await _push.PushAsync(blob), Is.EqualTo(PushOutcome.Skipped));
        Assert.That(_push.Pusher.BytesSent, Is.EqualTo(sent));
        Assert.That(_push.Steps.Last(), Is.EqualTo("HEAD blob"));
    }

    [Test]
    public async Task Another_repository_of_the_registry_lends_what_it_has()
    {
        var blob = _push.Blob(500, mountFrom: "source/app");
        _push.Registry.AddBlob(File.ReadAllBytes(blob.Path));
        Assert.That(await _push.PushAsync(blob), Is.EqualTo(PushOutcome.Mounted));
        Assert.That(_push.Steps, Is.EqualTo(new[] { "HEAD blob", "POST uploads" }));
        Assert.That(Uri.UnescapeDataString(_push.Registry.Requests[1].Query), Is.EqualTo($"?mount={blob.Digest}&from=source/app"));
        Assert.That(_push.Has(blob));
    }

    [Test]
    public async Task A_mount_that_fails_is_an_upload()
    {
        Assert.That(await _push.PushAsync(_push.Blob(500, mountFrom: "source/app")), Is.EqualTo(PushOutcome.Uploaded));
        Assert.That(_push.Steps, Is.EqualTo(new[] { "HEAD blob", "POST uploads", "PUT upload-1" }));
    }

    [TestCase(401)]
    [TestCase(403)]
    [TestCase(404)]
    [TestCase(405)]
    public async Task A_mount_that_is_refused_is_asked_for_no_more(int status)
    {
        Faults.Add(Fault.Status("uploads/", status) with { Method = "POST" });
        Assert.That(await _push.PushAsync(_push.Blob(500, mountFrom: "source/app")), Is.EqualTo(PushOutcome.Uploaded));
        Assert.That(_push.Registry.Requests.Where(r => r.Method == "POST").Select(r => r.Query.Length > 0), Is.EqualTo(new[] { true, false }));
    }

    [TestCase(Chunk - 1, Chunk)]
    [TestCase(Chunk, Chunk)]
    [TestCase(Chunk + 50_000, Chunk + 50_000)]
    public async Task The_registrys_least_chunk_is_kept_to(int least, int expected)
    {
        _push.Registry.MinChunk = least;
        await _push.PushAsync(_push.Blob(3 * Chunk));
        Assert.That(_push.Steps.First(step => step.StartsWith("PATCH", StringComparison.Ordinal)), Is.EqualTo($"PATCH upload-1 0-{expected - 1}"));
    }

    [Test]
    public async Task A_broken_chunk_goes_on_where_the_registry_has_got_to()
    {
        var blob = _push.Blob(3 * Chunk);
        Faults.Add(Fault.DropAfter("uploads/", 40_000) with { Method = "PATCH", Skip = 1 });
        await _push.PushAsync(blob);
        Assert.That(_push.Steps.Skip(2), Is.EqualTo(new[]
        {
            "PATCH upload-1 0-99999", "PATCH upload-1 100000-199999", "GET upload-1", "PATCH upload-1 140000-239999", "PATCH upload-1 240000-299999", "PUT upload-1",
        }));
        Assert.That(_push.Has(blob));
    }

    [Test]
    public async Task A_broken_small_blob_goes_on_too()
    {
        var blob = _push.Blob(Chunk);
        Faults.Add(Fault.DropAfter("uploads/", 40_000) with { Method = "PUT" });
        await _push.PushAsync(blob);
        Assert.That(_push.Steps.Skip(2), Is.EqualTo(new[] { "PUT upload-1", "GET upload-1", "PATCH upload-1 40000-99999", "PUT upload-1" }));
        Assert.That(_push.Has(blob));
    }

    [Test]
    public async Task Progress_lets_it_break_more_often_than_there_are_attempts()
    {
        var blob = _push.Blob(3 * Chunk);
        Faults.Add(Fault.DropAfter("uploads/", 20_000, times: 9) with { Method = "PATCH" });
        await _push.PushAsync(blob);
        Assert.That(_push.Has(blob));
    }

    [Test]
    public void Attempts_end_when_nothing_moves()
    {
        Faults.Add(Fault.DropAfter("uploads/", 0, Fault.Always) with { Method = "PATCH" });
        var blob = _push.Blob(3 * Chunk);
        AssertFails(blob, $"cannot push blob {blob.Digest} to {_push.Registry.Host}/{PushHarness.Repository}: the connection to");
        Assert.That(_push.Steps.Count(step => step.StartsWith("PATCH", StringComparison.Ordinal)), Is.EqualTo(3));
        Assert.That(_push.Registry.OpenUploads, Is.Zero, "what is given up is cleaned up");
    }

    [Test]
    public async Task What_may_pass_is_tried_again([Values("POST", "PATCH", "PUT")] string method, [Values(408, 429, 500, 503)] int status)
    {
        Faults.Add(Fault.Status("uploads/", status, times: 2) with { Method = method });
        var blob = _push.Blob(2 * Chunk);
        await _push.PushAsync(blob);
        Assert.That(_push.Has(blob));
    }

    [Test]
    public async Task A_pause_the_registry_names_is_kept()
    {
        var clock = new FakeTimeProvider();
        using var log = new LogLines();
        await using var push = await PushHarness.StartAsync(PushHarness.Options.WithClock(clock), log);
        push.Registry.Faults.Add(Fault.TooManyRequests("uploads/", "1") with { Method = "PUT" });
        var pushing = push.PushAsync(push.Blob(10));
        await FakeClock.UntilAsync(() => log.Lines.Any(line => line.Contains("follows in 1.0 s", StringComparison.Ordinal)));
        var (start, before) = (clock.GetUtcNow(), push.Registry.Requests.Count);
        await clock.AdvanceUntilAsync(TimeSpan.FromSeconds(0.1), () => push.Registry.Requests.Count > before);
        await pushing;
        Assert.That(clock.GetUtcNow() - start, Is.GreaterThanOrEqualTo(TimeSpan.FromSeconds(1)));
    }

    [Test]
    public void A_pause_beyond_reason_is_not_waited_for()
    {
        Faults.Add(Fault.TooManyRequests("uploads/", "3600", Fault.Always) with { Method = "PUT" });
        AssertFails(_push.Blob(10), "asks for fewer requests (429)");
        Assert.That(_push.Steps.Count(step => step == "PUT upload-1"), Is.EqualTo(1));
    }

    [TestCase("PATCH")]
    [TestCase("PUT")]
    [TestCase("GET")]
    public async Task A_forgotten_upload_is_begun_anew(string method)
    {
        var blob = _push.Blob(2 * Chunk);
        Faults.Add(Fault.LoseUpload("uploads/") with { Method = method });
        Faults.Add(Fault.DropAfter("uploads/", 10_000) with { Method = "PATCH", Skip = 1 });
        await _push.PushAsync(blob);
        Assert.That(_push.Steps.Count(step => step == "POST uploads"), Is.EqualTo(2));
        Assert.That(_push.Has(blob));
    }

    [Test]
    public async Task An_answer_that_is_lost_does_not_make_it_upload_twice()
    {
        var blob = _push.Blob(10);
        _push.Registry.Faults.Add(Fault.DropAfter("uploads/", 10) with { Method = "PUT" });
        _push.Registry.Answering = _ => _push.Registry.AddPushed(PushHarness.Repository, File.ReadAllBytes(blob.Path));
        Faults.Add(Fault.LoseUpload("uploads/") with { Method = "GET" });
        Assert.That(await _push.PushAsync(blob), Is.EqualTo(PushOutcome.Uploaded));
        Assert.That(_push.Steps, Is.EqualTo(new[] { "HEAD blob", "POST uploads", "PUT upload-1", "GET upload-1", "HEAD blob" }));
    }

    [TestCase(7)]
    [TestCase(-7)]
    [TestCase(10 * Chunk)]
    public async Task A_range_that_is_wrong_once_costs_no_byte_of_the_content(long shift)
    {
        var blob = _push.Blob(3 * Chunk);
        Faults.Add(Fault.WrongRange("uploads/", shift, times: 1) with { Method = "PATCH" });
        await _push.PushAsync(blob);
        Assert.That(_push.Has(blob));
    }

    [Test]
    public void A_registry_that_always_names_the_wrong_range_is_given_up_on()
    {
        Faults.Add(Fault.WrongRange("uploads/", 7));
        AssertFails(_push.Blob(3 * Chunk), "that were sent");
    }

    [Test]
    public async Task A_stalled_upload_counts_as_broken()
    {
        var clock = new FakeTimeProvider();
        await using var push = await PushHarness.StartAsync(PushHarness.Options.WithClock(clock));
        var blob = push.Blob(2 * Chunk);
        push.Registry.Faults.Add(Fault.StallAfter("uploads/", 40_000) with { Method = "PATCH" });
        var pushing = push.PushAsync(blob);
        await push.Registry.WaitForRequestAsync("/upload-1", TimeSpan.FromSeconds(30));
        await clock.AdvanceUntilAsync(PushHarness.Options.StallTimeout / 4, () => push.Steps.Contains("GET upload-1"));
        await pushing;
        Assert.That(push.Has(blob));
    }

    [Test]
    public async Task A_slow_upload_is_not_a_stalled_one()
    {
        // Longer than the limit in all, and longer than an answer may take: bytes move.
        var blob = _push.Blob(Chunk);
        await using var slow = await PushHarness.StartAsync(PushHarness.Options with
        {
            StallTimeout = TimeSpan.FromSeconds(5),
            CommitTimeout = TimeSpan.FromSeconds(5),
            ResponseTimeout = TimeSpan.FromSeconds(1),
        });
        slow.Registry.Faults.Add(Fault.Slow("uploads/", TimeSpan.FromMilliseconds(200)) with { Method = "PUT" });
        await slow.PushAsync(blob);
        Assert.That(slow.Steps, Is.EqualTo(new[] { "HEAD blob", "POST uploads", "PUT upload-1" }));
    }

    [TestCase(401, "wants a valid login (401); run 'docker login")]
    [TestCase(403, "denies access (403)")]
    [TestCase(404, "has no such repository, and makes none (404)")]
    [TestCase(405, "takes no pushes (405)")]
    [TestCase(413, "takes no request of this size (413)")]
    [TestCase(507, "has no space left for it (507)")]
    [TestCase(409, "answered with status 409")]
    public void What_the_registry_has_decided_is_told_at_once(int status, string message)
    {
        Faults.Add(Fault.Status("uploads/", status, Fault.Always, """{"errors":[{"code":"WHY","message":"so"}]}""") with { Method = "POST" });
        AssertFails(_push.Blob(10), message);
        AssertFails(_push.Blob(10), "[WHY: so]");
        Assert.That(_push.Steps, Is.EqualTo(new[] { "HEAD blob", "POST uploads", "HEAD blob", "POST uploads" }));
    }

    [TestCase(401)]
    [TestCase(403)]
    [TestCase(405)]
    public void What_may_not_be_asked_for_is_not_pushed(int status)
    {
        Faults.Add(Fault.Status("blobs/", status, Fault.Always) with { Method = "HEAD" });
        AssertFails(_push.Blob(10), $"({status})");
        Assert.That(_push.Steps, Is.EqualTo(new[] { "HEAD blob" }));
    }

    [Test]
    public void A_registry_that_stores_something_else_is_told()
    {
        Faults.Add(Fault.DigestHeader("uploads/", "sha256:" + new string('0', 64)));
        AssertFails(_push.Blob(10), "the registry stored something else, of the digest sha256:0000");
    }

    [Test]
    public void A_damaged_file_is_told_apart_from_a_damaged_transfer()
    {
        var blob = _push.Blob(10) with { Digest = Digest.Compute([1]) };
        AssertFails(blob, "the store is damaged");
        Assert.That(_push.Steps.Count(step => step == "POST uploads"), Is.EqualTo(1));
    }

    [Test]
    public void A_file_that_is_not_whole_is_not_a_lost_connection()
    {
        var blob = _push.Blob(10) with { Size = 11 };
        Assert.That(() => _push.PushAsync(blob), Throws.InstanceOf<ConversionException>().With.Message.Contains("it is shorter than it was"));
        File.Delete(blob.Path);
        Assert.That(() => _push.PushAsync(blob), Throws.InstanceOf<ConversionException>().With.Message.Contains("cannot read"));
        Assert.That(_push.Steps.Count(step => step == "POST uploads"), Is.EqualTo(2));
    }

    [Test]
    public async Task Cancelling_gives_the_upload_up_and_tells_the_registry()
    {
        await using var patient = await PushHarness.StartAsync(PushHarness.Options with { StallTimeout = TimeSpan.FromMinutes(5) });
        patient.Registry.Faults.Add(Fault.StallAfter("uploads/", 40_000) with { Method = "PATCH" });
        using var cancel = new CancellationTokenSource();
        var pushing = patient.Pusher.PushBlobAsync(patient.Blob(3 * Chunk), cancel.Token);
        await patient.Registry.WaitForRequestAsync("/upload-1", TimeSpan.FromSeconds(30));
        await cancel.CancelAsync();
        Assert.That(() => pushing, Throws.InstanceOf<OperationCanceledException>());
        Assert.That(patient.Steps.Last(), Is.EqualTo("DELETE upload-1"));
        Assert.That(patient.Registry.OpenUploads, Is.Zero);
    }

    [Test]
    public async Task Tokens_that_run_out_in_the_midst_are_fetched_anew([Values("POST", "PATCH", "PUT")] string method)
    {
        _push.Registry.RequireBearer();
        var blob = _push.Blob(2 * Chunk);
        Faults.Add(Fault.ExpireTokens("uploads/") with { Method = method });
        await _push.PushAsync(blob);
        Assert.That(_push.Has(blob));
        var tokens = _push.Registry.Requests.Where(r => r.Path == "/token").Select(r => Uri.UnescapeDataString(r.Query)).ToArray();
        Assert.That(tokens, Has.Length.EqualTo(2).And.All.Contains($"scope=repository:{PushHarness.Repository}:pull,push"));
        Assert.That(_push.Registry.Requests.Where(r => r.Method == "POST").Select(r => r.Authorization), Is.All.StartsWith("Bearer "), "it is logged in before any body is sent");
    }

    [Test]
    public async Task Another_host_for_the_upload_gets_the_bytes_and_no_credentials()
    {
        _push.Registry.RequireBearer("me", "secret");
        await _push.LogInAsync(new Password("me", "secret"));
        await using var storage = await FakeRegistry.StartAsync();
        storage.AddSeparate(PushHarness.Repository);
        Faults.Add(Fault.UploadElsewhere("uploads/", $"http://{storage.Host}"));
        storage.Faults.Add(Fault.DropAfter("uploads/", 10_000) with { Method = "PATCH" });

        // The other host has an upload of the same name.
        using var raw = new HttpClient();
        using var started = await raw.PostAsync(new Uri($"http://{storage.Host}/v2/{PushHarness.Repository}/blobs/uploads/"), content: null);
        Assert.That(started.StatusCode, Is.EqualTo(HttpStatusCode.Accepted));
        var blob = _push.Blob(2 * Chunk);
        await _push.PushAsync(blob);
        Assert.That(storage.HasBlob(PushHarness.Repository, blob.Digest.ToString()));
        Assert.That(storage.Requests.Select(r => r.Authorization), Is.All.Null);
        Assert.That(storage.Requests.Count(r => r.Method == "PATCH"), Is.GreaterThan(1));
        Assert.That(_push.Registry.Requests.Where(r => r.Method is "POST").Select(r => r.Authorization), Is.All.StartsWith("Bearer "));
    }

    [Test]
    public void An_address_that_is_none_of_the_web_is_refused()
    {
        Faults.Add(Fault.UploadElsewhere("uploads/", "ftp://elsewhere"));
        AssertFails(_push.Blob(10), "names the upload address ftp://elsewhere, which is not secure; refused");
    }

    private void AssertFails(PushedBlob blob, string message) => Assert.That(
        () => _push.PushAsync(blob), Throws.TypeOf<RegistryException>().With.Message.Contains(message).And.Message.Not.Contains("\n"));

    private sealed class Password(string user, string secret) : ICredentialSource
    {
        public ValueTask<RegistryCredential?> FindAsync(string registry, CancellationToken cancellationToken) => new(new RegistryCredential.Password(user, secret));
    }
}
