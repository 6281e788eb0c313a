using System.Text;
using System.Text.Json.Nodes;
using CimConvert.Oci;
using CimConvert.Registry;
using CimConvert.Registry.Push;
using CimConvert.TestKit.Registry;
using NUnit.Framework;

namespace CimConvert.Tests.Registry.Push;

public sealed class ManifestPushTests
{
    private static readonly Descriptor s_subject = new() { MediaType = MediaTypes.DockerManifest, Digest = Digest.Compute("subject"u8), Size = 7 };
    private static readonly string s_tag = $"sha256-{s_subject.Digest.Hex}";

    private PushHarness _push = null!;

    [SetUp]
    public async Task StartAsync() => _push = await PushHarness.StartAsync();

    [TearDown]
    public async Task StopAsync() => await _push.DisposeAsync();

    [Test]
    public async Task A_manifest_gets_its_tag_once()
    {
        var bytes = await ManifestAsync();
        Assert.That(await PutAsync(bytes), Is.EqualTo(PushOutcome.Uploaded));
        var sent = _push.Pusher.BytesSent;
        Assert.That(await PutAsync(bytes), Is.EqualTo(PushOutcome.Skipped));
        Assert.That(_push.Registry.FindManifest(PushHarness.Repository, "v1"), Is.EqualTo(bytes));
        Assert.That(_push.Pusher.BytesSent, Is.EqualTo(sent));
        Assert.That(ManifestSteps(), Is.EqualTo(new[] { "HEAD v1", "PUT v1", "HEAD v1" }));
    }

    [Test]
    public async Task A_tag_of_another_manifest_moves()
    {
        await PutAsync(await ManifestAsync("a"));
        var bytes = await ManifestAsync("b");
        Assert.That(await PutAsync(bytes), Is.EqualTo(PushOutcome.Uploaded));
        Assert.That(_push.Registry.FindManifest(PushHarness.Repository, "v1"), Is.EqualTo(bytes));
    }

    [TestCase(429)]
    [TestCase(500)]
    public async Task What_may_pass_is_tried_again(int status)
    {
        _push.Registry.Faults.Add(Fault.Status("manifests/", status, times: 2) with { Method = "PUT" });
        Assert.That(await PutAsync(await ManifestAsync()), Is.EqualTo(PushOutcome.Uploaded));
    }

    [Test]
    public async Task A_registry_that_fails_for_good_is_told()
    {
        var bytes = await ManifestAsync();
        _push.Registry.Faults.Add(Fault.Status("manifests/", 503, Fault.Always) with { Method = "PUT" });
        AssertFails(bytes, $"cannot push manifest v1 to {_push.Registry.Host}/{PushHarness.Repository}: {_push.Registry.Host} failed with status 503");
        Assert.That(ManifestSteps(), Is.EqualTo(new[] { "HEAD v1", "PUT v1", "PUT v1", "PUT v1" }));
    }

    [Test]
    public void A_manifest_the_registry_cannot_take_is_told_with_its_words()
    {
        var bytes = Encoding.UTF8.GetBytes(Manifest(Digest.Compute("nowhere"u8), 7));
        AssertFails(bytes, "answered with status 400 [MANIFEST_BLOB_UNKNOWN: ");
    }

    [Test]
    public async Task A_registry_that_stores_something_else_is_told()
    {
        _push.Registry.Faults.Add(Fault.DigestHeader("manifests/", "sha256:" + new string('0', 64)));
        AssertFails(await ManifestAsync(), "the registry stored something else");
    }

    [Test]
    public async Task A_registry_that_keeps_referrers_is_left_to_it([Values] bool twice)
    {
        _push.Registry.KeepsReferrers = true;
        var bytes = await ManifestAsync(subject: true);
        await PutAsync(bytes, withSubject: true);
        if (twice)
        {
            await PutAsync(bytes, withSubject: true);
        }

        Assert.That(_push.Registry.FindManifest(PushHarness.Repository, s_tag), Is.Null);
        Assert.That(ManifestSteps(), Is.EqualTo(twice ? ["HEAD v1", "PUT v1", "HEAD v1"] : new[] { "HEAD v1", "PUT v1" }));
    }

    [Test]
    public async Task Without_it_the_list_is_kept_under_a_tag()
    {
        var bytes = await ManifestAsync(subject: true);
        await PutAsync(bytes, withSubject: true);
        var digest = Digest.Compute(bytes);
        var expected = """
            {"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[
            {"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"DIGEST","size":SIZE,
            "artifactType":"application/vnd.cimconvert.image.v1","annotations":{"a":"1","b":"2"}}]}
            """
            .Replace("\n", string.Empty, StringComparison.Ordinal)
            .Replace("DIGEST", digest.ToString(), StringComparison.Ordinal)
            .Replace("SIZE", $"{bytes.Length}", StringComparison.Ordinal);
        Assert.That(Encoding.UTF8.GetString(_push.Registry.FindManifest(PushHarness.Repository, s_tag)!), Is.EqualTo(expected));
    }

    [Test]
    public async Task A_second_push_writes_nothing_to_the_list()
    {
        var bytes = await ManifestAsync(subject: true);
        await PutAsync(bytes, withSubject: true);
        var before = ManifestSteps().Count();
        Assert.That(await PutAsync(bytes, withSubject: true), Is.EqualTo(PushOutcome.Skipped));
        Assert.That(ManifestSteps().Skip(before), Is.EqualTo(new[] { "HEAD v1", $"GET {s_tag}" }));
    }

    [Test]
    public async Task A_push_that_was_cut_before_the_list_is_completed()
    {
        var bytes = await ManifestAsync(subject: true);
        await PutAsync(bytes, withSubject: false);
        Assert.That(await PutAsync(bytes, withSubject: true), Is.EqualTo(PushOutcome.Skipped));
        Assert.That(Listed(), Is.EqualTo(new[] { Digest.Compute(bytes).ToString() }));
    }

    [Test]
    public async Task What_others_have_listed_stays_as_it_is()
    {
        var theirs = Entry("theirs");
        theirs["vendor"] = new JsonObject { ["kept"] = true };
        SetList(theirs);
        var bytes = await ManifestAsync(subject: true);
        await PutAsync(bytes, withSubject: true);
        Assert.That(Listed(), Is.EqualTo(new[] { Digest.Compute("theirs"u8).ToString(), Digest.Compute(bytes).ToString() }));
        Assert.That(List()["manifests"]![0]!.ToJsonString(), Is.EqualTo(theirs.ToJsonString()));
        Assert.That((string?)List()["annotations"]!["of"], Is.EqualTo("others"));
    }

    [Test]
    public async Task Someone_who_writes_over_the_list_at_the_same_time_costs_nobody_an_entry()
    {
        var once = true;
        _push.Registry.Answering = request =>
        {
            if (once && request.Method == "PUT" && request.Path.EndsWith(s_tag, StringComparison.Ordinal))
            {
                once = false;
                SetList(Entry("theirs"));
            }
        };
        var bytes = await ManifestAsync(subject: true);
        await PutAsync(bytes, withSubject: true);
        Assert.That(once, Is.False);
        Assert.That(Listed(), Is.EquivalentTo(new[] { Digest.Compute("theirs"u8).ToString(), Digest.Compute(bytes).ToString() }));
    }

    [Test]
    public async Task Someone_who_always_writes_over_it_is_told()
    {
        _push.Registry.Answering = request =>
        {
            if (request.Method == "PUT" && request.Path.EndsWith(s_tag, StringComparison.Ordinal))
            {
                SetList(Entry("theirs"));
            }
        };
        var bytes = await ManifestAsync(subject: true);
        AssertFails(bytes, "others write to it all the time", withSubject: true);
    }

    [Test]
    public async Task Two_writers_and_a_registry_that_heeds_If_Match_lose_nothing()
    {
        _push.Registry.HeedsIfMatch = true;
        SetList(Entry("first"));
        using var patient = FakeImage.Client(PushHarness.Options with { MaxAttempts = 20 });
        byte[][] manifests = [await ManifestAsync("a", subject: true), await ManifestAsync("b", subject: true)];
        await Task.WhenAll(manifests.Select(async (bytes, i) =>
        {
            var target = ImageReference.Parse($"{_push.Target.Registry}/{PushHarness.Repository}:v{i}");
            var pusher = await patient.PusherToAsync(target, CancellationToken.None);
            return await pusher.PushManifestAsync(Described(bytes), bytes, s_subject, isTagged: true, CancellationToken.None);
        }));
        Assert.That(
            Listed(), Is.EquivalentTo(manifests.Select(bytes => Digest.Compute(bytes).ToString()).Append(Digest.Compute("first"u8).ToString())));
    }

    [TestCase("""{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json"}""", "lacks 'manifests'")]
    [TestCase("""{"schemaVersion":2,"manifests":7}""", "wrong type")]
    [TestCase("[]", "cannot be read")]
    public async Task A_tag_that_is_no_list_is_not_overwritten(string content, string why)
    {
        SetList(Encoding.UTF8.GetBytes(content));
        AssertFails(await ManifestAsync(subject: true), why, withSubject: true);
        Assert.That(_push.Registry.FindManifest(PushHarness.Repository, s_tag), Is.EqualTo(Encoding.UTF8.GetBytes(content)));
    }

    private static JsonObject Entry(string name) => new()
    {
        ["mediaType"] = MediaTypes.OciManifest,
        ["digest"] = Digest.Compute(Encoding.UTF8.GetBytes(name)).ToString(),
        ["size"] = name.Length,
    };

    private static string Manifest(Digest config, int size, bool subject = false) =>
        $$"""
        {"schemaVersion":2,"mediaType":"{{MediaTypes.OciManifest}}","config":{"mediaType":"{{MediaTypes.OciConfig}}","digest":"{{config}}","size":{{size}}},"layers":[]{{(subject ? $$""","subject":{"mediaType":"{{s_subject.MediaType}}","digest":"{{s_subject.Digest}}","size":7}""" : "")}}}
        """;

    private static Descriptor Described(byte[] bytes) => new()
    {
        MediaType = MediaTypes.OciManifest,
        Digest = Digest.Compute(bytes),
        Size = bytes.Length,
        ArtifactType = MediaTypes.ConvertedImage,
        Annotations = new Dictionary<string, string>(StringComparer.Ordinal) { ["b"] = "2", ["a"] = "1" },
    };

    private async Task<byte[]> ManifestAsync(string config = "config", bool subject = false)
    {
        var blob = _push.Blob(10 + config[0]);
        await _push.PushAsync(blob);
        return Encoding.UTF8.GetBytes(Manifest(blob.Digest, (int)blob.Size, subject));
    }

    private Task<PushOutcome> PutAsync(byte[] bytes, bool withSubject = false) =>
        _push.Pusher.PushManifestAsync(Described(bytes), bytes, withSubject ? s_subject : null, isTagged: true, CancellationToken.None);

    private void AssertFails(byte[] bytes, string message, bool withSubject = false) => Assert.That(
        () => PutAsync(bytes, withSubject), Throws.TypeOf<RegistryException>().With.Message.Contains(message).And.Message.Not.Contains("\n"));

    private void SetList(JsonObject entry) => SetList(Encoding.UTF8.GetBytes(new JsonObject
    {
        ["schemaVersion"] = 2,
        ["mediaType"] = MediaTypes.OciIndex,
        ["manifests"] = new JsonArray(entry.DeepClone()),
        ["annotations"] = new JsonObject { ["of"] = "others" },
    }.ToJsonString()));

    private void SetList(byte[] bytes) =>
        _push.Registry.AddTag(PushHarness.Repository, s_tag, _push.Registry.AddManifest(MediaTypes.OciIndex, bytes));

    private JsonNode List() => JsonNode.Parse(_push.Registry.FindManifest(PushHarness.Repository, s_tag)!)!;

    private IEnumerable<string> Listed() => List()["manifests"]!.AsArray().Select(entry => (string)entry!["digest"]!);

    private IEnumerable<string> ManifestSteps() => _push.Registry.Requests
        .Where(request => request.Path.Contains("/manifests/", StringComparison.Ordinal))
        .Select(request => $"{request.Method} {request.Path.Split('/')[^1]}");
}
