using System.Text;
using CimConvert.Oci;
using CimConvert.Store;
using CimConvert.TestKit;
using CimConvert.Tests.Cli;
using CimConvert.Tests.Publishing;
using NUnit.Framework;

namespace CimConvert.Tests.Store;

internal sealed class StoreListingTests : IDisposable
{
    private readonly TempFolder _folder = new();
    private readonly ConversionStore _store;

    public StoreListingTests() => _store = ConversionStore.Open(_folder["store"]);

    public void Dispose() => _folder.Dispose();

    [Test]
    public async Task What_only_one_image_needs_is_its_own_and_is_what_its_removal_frees()
    {
        await StoredImages.AddAsync(_store, "host/a:1", "base", "a");
        var old = await StoredImages.AddAsync(_store, "host/b:1", "base", "b");
        var alone = await StoredImages.AddAsync(_store, "host/c:1", "other");
        StoredImages.Age(_store, old, TimeSpan.FromDays(2));
        var before = StoreFiles.Snapshot(_store.Root);

        var images = StoreListing.Read(_store);

        Assert.That(images.Select(image => image.Indexed.Reference), Is.EqualTo(new[] { "host/a:1", "host/b:1", "host/c:1" }));
        var details = images.Select(image => image.Details!).ToArray();
        using (Assert.EnterMultipleScope())
        {
            Assert.That(details[0].Shared, Is.EqualTo(details[1].Shared).And.GreaterThan(StoredImages.LayerSize));
            Assert.That(details[2].Shared, Is.EqualTo("{}".Length + SourceImages.Make("any").ConfigBytes.Length), "the configs, which all three have");
            Assert.That(details[0].Own, Is.GreaterThan(StoredImages.LayerSize).And.LessThan(StoredImages.LayerSize * 2));
            Assert.That(details.Select(image => image.Backend), Is.All.EqualTo("native"));
            Assert.That(details.Select(image => image.IsForked || image.IsSealed || image.HasVhdFooter), Is.All.False);
            Assert.That(details[2].LastUsed, Is.EqualTo(new DateTimeOffset(File.GetLastWriteTimeUtc(_store.BlobPath(alone.Digest)))));
            Assert.That(StoreFiles.Snapshot(_store.Root), Is.EqualTo(before));
        }

        var freed = (await new StoreCollection(_store, new() { OlderThan = TimeSpan.FromDays(1) }).RunAsync(CancellationToken.None)).Freed;
        Assert.That(freed, Is.EqualTo(details[1].Own));
    }

    [Test]
    public async Task Of_two_names_of_one_image_neither_has_anything_of_its_own()
    {
        await StoredImages.AddAsync(_store, "host/a:1", "base", "a");
        await StoredImages.AddAsync(_store, "host/a:latest", "base", "a");

        var details = StoreListing.Read(_store).Select(image => image.Details!).ToArray();

        Assert.That(details.Select(image => image.Own), Is.EqualTo(new[] { 0L, 0L }));
        Assert.That(details[0].Size, Is.EqualTo(details[1].Size));
    }

    [Test]
    public async Task A_broken_image_does_not_hide_the_others()
    {
        var gone = await StoredImages.AddAsync(_store, "host/a:1", "base", "a");
        var damaged = await StoredImages.AddAsync(_store, "host/b:1", "base", "b");
        await StoredImages.AddAsync(_store, "host/c:1", "base", "c");
        File.Delete(_store.BlobPath(gone.Digest));
        File.WriteAllText(_store.BlobPath(damaged.Digest), "{");

        var images = StoreListing.Read(_store);

        Assert.That(images.Select(image => image.Details is not null), Is.EqualTo(new[] { false, false, true }));
        Assert.That(images.Select(image => image.Problem is not null), Is.EqualTo(new[] { true, true, false }));
        Assert.That(images[1].Problem, Does.StartWith("the manifest cannot be read"));
    }

    [Test]
    public async Task A_thousand_images_that_share_layers_are_listed()
    {
        const int count = 1_000;
        var manifest = await StoredImages.AddAsync(_store, "host/base:1", [.. Enumerable.Range(0, 40).Select(i => $"layer {i}")]);
        var text = File.ReadAllText(_store.BlobPath(manifest.Digest));
        var entries = new List<Descriptor>();
        for (var i = 0; i < count; i++)
        {
            var bytes = Encoding.UTF8.GetBytes(text.Replace("{\"schemaVersion\"", $"{{\"n\":{i},\"schemaVersion\"", StringComparison.Ordinal));
            var descriptor = Descriptor.Of(manifest.MediaType, bytes);
            File.WriteAllBytes(_store.BlobPath(descriptor.Digest), bytes);
            entries.Add(descriptor with { Annotations = new Dictionary<string, string> { [ImageIndex.RefName] = $"host/{i:00000}:1" } });
        }

        File.WriteAllBytes(Path.Combine(_store.Root, "index.json"), ManifestWriter.Write(ManifestWriter.Index(entries)));
        var images = StoreListing.Read(_store);

        Assert.That(images, Has.Count.EqualTo(count));
        Assert.That(images.Select(image => image.Details!.Own), Is.EqualTo(entries.Select(entry => entry.Size)), "only the manifest is its own");
    }
}
