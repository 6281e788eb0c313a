using CimConvert.Oci;
using CimConvert.Store;
using CimConvert.TestKit;
using NUnit.Framework;

namespace CimConvert.Tests.Store;

public class ImageIndexFileTests
{
    [Test]
    public async Task Images_are_kept_by_reference_and_sorted()
    {
        using var folder = new TempFolder();
        var store = ConversionStore.Open(folder.Path);
        var index = new ImageIndexFile(store);
        await index.PutAsync("host/b:1", Manifest(1), CancellationToken.None);
        await index.PutAsync("host/a:1", Manifest(2), CancellationToken.None);
        await index.PutAsync("host/b:1", Manifest(3), CancellationToken.None);

        var images = store.Images();
        Assert.That(images.Select(i => i.Reference), Is.EqualTo(new[] { "host/a:1", "host/b:1" }));
        Assert.That(images.Select(i => i.Manifest.Digest), Is.EqualTo(new[] { Manifest(2).Digest, Manifest(3).Digest }));
        Assert.That(images[0].Manifest.Platform!.OsVersion, Is.EqualTo("10.0.20348.1"));
        Assert.That(images[0].Manifest.ArtifactType, Is.EqualTo(MediaTypes.ConvertedImage));
    }

    [Test]
    public async Task Writers_at_once_lose_nothing()
    {
        using var folder = new TempFolder();
        const int writers = 12;
        await Task.WhenAll(Enumerable.Range(0, writers).Select(i =>
            new ImageIndexFile(ConversionStore.Open(folder.Path)).PutAsync($"host/{i:00}:1", Manifest(i), CancellationToken.None)));
        Assert.That(ConversionStore.OpenExisting(folder.Path).Images(), Has.Count.EqualTo(writers));
    }

    [Test]
    public async Task Each_build_of_windows_and_each_platform_has_an_entry_of_its_own()
    {
        using var folder = new TempFolder();
        var store = ConversionStore.Open(folder.Path);
        string?[] versions = ["10.0.20348.1", "10.0.9200.1", "10.0.26100.1", null, "10.0.20348.2"];
        foreach (var (i, version) in versions.Index())
        {
            await PutAsync(store, i, "windows/amd64", version);
        }

        await PutAsync(store, 5, "windows/arm64", "10.0.26100.1");
        await PutAsync(store, 6, "linux/arm/v7", null);
        await PutAsync(store, 7, "linux/arm/v6", null);
        await PutAsync(store, 8, "linux/arm/v7", null);

        Assert.That(
            store.Images().Select(image => image.Manifest.Platform!.ToString()),
            Is.EqualTo(new[]
            {
                "linux/arm/v6", "linux/arm/v7", "windows/amd64", "windows/amd64 10.0.9200.1", "windows/amd64 10.0.20348.2", "windows/amd64 10.0.26100.1",
                "windows/arm64 10.0.26100.1",
            }));
        Assert.That(store.Images().Select(image => image.Manifest.Digest), Is.EqualTo(new[] { 7, 8, 3, 1, 4, 2, 5 }.Select(i => Manifest(i).Digest)));
        Assert.That(store.Images().Select(image => image.Name), Has.One.EqualTo("host/a:1 (windows/amd64 10.0.9200.1)").And.All.StartsWith("host/a:1 ("));
    }

    [Test]
    public async Task A_name_that_is_one_image_loses_all_that_was_under_it()
    {
        using var folder = new TempFolder();
        var store = ConversionStore.Open(folder.Path);
        await PutAsync(store, 1, "windows/amd64", "10.0.17763.1");
        await PutAsync(store, 2, "windows/amd64", "10.0.20348.1");
        await new ImageIndexFile(store).PutAsync("host/b:1", Manifest(3), CancellationToken.None);

        await new ImageIndexFile(store).PutOnlyAsync("host/a:1", Manifest(4), CancellationToken.None);

        Assert.That(store.Images().Select(image => (image.Name, image.Manifest.Digest)), Is.EqualTo(new[] { ("host/a:1", Manifest(4).Digest), ("host/b:1", Manifest(3).Digest) }));
    }

    /// <summary>As other tools write indexes, and as this program may have before its entries had platforms.</summary>
    [Test]
    public async Task Entries_without_a_platform_are_read_and_stay()
    {
        using var folder = new TempFolder();
        var store = ConversionStore.Open(folder.Path);
        var entry = Manifest(1) with { Platform = null, Annotations = new Dictionary<string, string> { [ImageIndex.RefName] = "host/a:1" } };
        File.WriteAllBytes(folder["index.json"], ManifestWriter.Write(ManifestWriter.Index([entry])));
        Assert.That(store.Images().Single().Name, Is.EqualTo("host/a:1"));

        await PutAsync(store, 2, "windows/amd64", "10.0.17763.1");

        Assert.That(store.Images().Select(image => image.Name), Is.EqualTo(new[] { "host/a:1 (no platform)", "host/a:1 (windows/amd64 10.0.17763.1)" }));
    }

    [Test]
    public async Task A_store_has_more_images_than_an_index_of_others_may_have()
    {
        using var folder = new TempFolder();
        var store = ConversionStore.Open(folder.Path);
        var entries = Enumerable.Range(0, ImageIndex.MaxManifests * 10).Select(i => Manifest(1) with
        {
            Annotations = new Dictionary<string, string> { [ImageIndex.RefName] = $"host/{i:00000}:1" },
        });
        File.WriteAllBytes(folder["index.json"], ManifestWriter.Write(ManifestWriter.Index(entries)));

        await new ImageIndexFile(store).PutAsync("host/a:1", Manifest(2), CancellationToken.None);

        Assert.That(store.Images(), Has.Count.EqualTo((ImageIndex.MaxManifests * 10) + 1));
    }

    [Test]
    public void A_damaged_index_is_said_to_be_one()
    {
        using var folder = new TempFolder();
        var store = ConversionStore.Open(folder.Path);
        File.WriteAllText(folder["index.json"], "{");
        Assert.That(store.Images, Throws.TypeOf<ConversionException>().With.Message.Contains("index.json"));
    }

    private static Task PutAsync(ConversionStore store, int i, string platform, string? osVersion) => new ImageIndexFile(store).PutAsync(
        "host/a:1", Manifest(i) with { Platform = Platform.Parse(platform) with { OsVersion = osVersion } }, CancellationToken.None);

    private static Descriptor Manifest(int i) => new()
    {
        MediaType = MediaTypes.OciManifest,
        Digest = Digest.Compute([(byte)i]),
        Size = 1,
        ArtifactType = MediaTypes.ConvertedImage,
        Platform = new Platform { Os = "windows", Architecture = "amd64", OsVersion = "10.0.20348.1" },
    };
}
