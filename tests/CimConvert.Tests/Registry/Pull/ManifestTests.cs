using CimConvert.Oci;
using CimConvert.Registry.Pull;
using CimConvert.Sources;
using CimConvert.TestKit.Registry;
using NUnit.Framework;

namespace CimConvert.Tests.Registry.Pull;

public sealed class ManifestTests
{
    private static readonly Platform WindowsAmd64 = Platform.Parse("windows/amd64");

    private FakeRegistry _registry = null!;
    private RegistryClient _client = null!;

    [SetUp]
    public async Task StartAsync()
    {
        _registry = await FakeRegistry.StartAsync();
        _client = FakeImage.Client();
    }

    [TearDown]
    public async Task StopAsync()
    {
        _client.Dispose();
        await _registry.DisposeAsync();
    }

    [Test]
    public async Task A_tag_leads_through_nested_indexes_to_one_image()
    {
        var old = _registry.AddImage("10.0.17763.1");
        var wanted = _registry.AddImage();
        var inner = _registry.AddIndex(old, wanted);
        var outer = _registry.AddIndex(_registry.AddImage(os: "linux"), inner);
        _registry.AddTag(FakeImage.Repository, FakeImage.Tag, outer.Digest.ToString());
        var image = await ResolveAsync(_registry.Reference());
        Assert.That(image.Source, Is.EqualTo(outer));
        Assert.That(image.ManifestDescriptor.Digest, Is.EqualTo(wanted.Digest));
        Assert.That(image.Manifest.Layers, Has.Count.EqualTo(1));
        Assert.That(Digest.Compute(image.ConfigBytes.Span), Is.EqualTo(image.Manifest.Config.Digest));
        Assert.That(image.Config.OsVersion, Is.EqualTo("10.0.20348.2700"));
    }

    [Test]
    public async Task A_digest_wins_over_the_tag_beside_it()
    {
        var wanted = _registry.AddImage();
        _registry.AddImage("10.0.17763.1");
        var image = await ResolveAsync(ImageReference.Parse($"{_registry.Host}/{FakeImage.Repository}:{FakeImage.Tag}@{wanted.Digest}"));
        Assert.That(image.Source.Digest, Is.EqualTo(wanted.Digest));
    }

    [TestCase(4, true)]
    [TestCase(5, false)]
    public void Indexes_are_followed_so_deep_and_no_deeper(int depth, bool resolves)
    {
        var entry = _registry.AddImage();
        for (var i = 0; i < depth; i++)
        {
            entry = _registry.AddIndex(entry);
        }

        Assert.That(
            () => ResolveAsync(_registry.Reference()),
            resolves ? Throws.Nothing : Throws.InstanceOf<ConversionException>().With.Message.Contains("nested more than 4 deep"));
    }

    [Test]
    public void An_image_for_something_else_is_refused()
    {
        _registry.AddImage(os: "linux");
        AssertUnusable("the image is for linux/amd64 10.0.20348.2700, not windows/amd64: its os is linux");
        _registry.AddIndex(_registry.AddImage(os: "linux"));
        AssertUnusable("the index has nothing for windows/amd64: linux/amd64 10.0.20348.2700 (sha256:");
    }

    [Test]
    public void Damaged_documents_are_refused_whichever_way_they_were_asked_for()
    {
        var image = _registry.AddImage();
        _registry.Faults.Add(Fault.Corrupt("manifests/", Fault.Always));
        AssertFails(_registry.Reference(image.Digest.ToString()), "the content has the digest sha256:");
        AssertFails(_registry.Reference(), $"but the registry announced {image.Digest}");
        _registry.Faults.Clear();
        _registry.Faults.Add(Fault.Corrupt("blobs/", Fault.Always));
        AssertFails(_registry.Reference(), "its config has the digest sha256:");
    }

    [Test]
    public async Task A_digest_header_of_another_algorithm_says_nothing()
    {
        _registry.AddImage();
        _registry.Faults.Add(Fault.DigestHeader("manifests/", "sha512:00"));
        Assert.That((await ResolveAsync(_registry.Reference())).Manifest.Layers, Has.Count.EqualTo(1));
    }

    [Test]
    public void Content_is_held_to_the_index_entrys_size()
    {
        var image = _registry.AddImage();
        _registry.AddIndex(image with { Size = image.Size + 1 });
        AssertFails(_registry.Reference(), $"it has {image.Size} bytes where the index says {image.Size + 1}");
    }

    [Test]
    public void Manifests_are_read_up_to_their_limit_only([Values] bool announced)
    {
        _registry.AddDocument(MediaTypes.OciManifest, "{}".PadRight(ImageManifest.MaxBytes + 1));
        if (!announced)
        {
            _registry.Faults.Add(Fault.NoLength("manifests/"));
        }

        AssertFails(_registry.Reference(), "is larger than allowed");
        Assert.That(_registry.Requests, Has.Count.EqualTo(1), "too large once is too large again");
    }

    [Test]
    public async Task A_manifest_served_as_plain_json_speaks_for_itself()
    {
        var manifest = (await _client.GetManifestAsync(AddAndName(), CancellationToken.None)).Bytes;
        var digest = _registry.AddManifest("application/json", manifest.ToArray());
        var fetched = await _client.GetManifestAsync(_registry.Reference(digest), CancellationToken.None);
        Assert.That(fetched.Descriptor.MediaType, Is.EqualTo(MediaTypes.OciManifest));
    }

    [Test]
    public void A_document_of_another_type_is_refused()
    {
        _registry.AddDocument("application/vnd.docker.distribution.manifest.v1+prettyjws", "{}");
        AssertUnusable("its media type 'application/vnd.docker.distribution.manifest.v1+prettyjws' is not an image's or an index's");
    }

    [Test]
    public void A_config_beyond_the_limit_is_not_fetched()
    {
        var config = _registry.AddContent([1], MediaTypes.OciConfig);
        _registry.AddDocument(
            MediaTypes.OciManifest,
            $$"""{"schemaVersion":2,"layers":[],"config":{"mediaType":"{{config.MediaType}}","size":8388609,"digest":"{{config.Digest}}"} }""");
        AssertUnusable("its config has 8388609 bytes");
    }

    [Test]
    public void A_tag_that_is_not_there_is_named() => AssertFails(
        _registry.Reference("nope"),
        $"cannot get manifest nope of {_registry.Host}/team/app: no such tag in {_registry.Host}/team/app, or no such repository (404) [MANIFEST_UNKNOWN: manifest unknown]");

    private ImageReference AddAndName()
    {
        _registry.AddImage();
        return _registry.Reference();
    }

    private Task<ResolvedImage> ResolveAsync(ImageReference reference) =>
        new ImageResolver(new RegistrySource(_client, reference)).ResolveAsync(WindowsAmd64, osVersion: null, CancellationToken.None);

    private void AssertUnusable(string reason) => AssertFails(_registry.Reference(), reason);

    private void AssertFails(ImageReference reference, string message) => Assert.That(
        () => ResolveAsync(reference),
        Throws.InstanceOf<ConversionException>().With.Message.Contains(message).And.Message.Not.Contains("\n"));
}
