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
    public void A_damaged_index_is_said_to_be_one()
    {
        using var folder = new TempFolder();
        var store = ConversionStore.Open(folder.Path);
        File.WriteAllText(folder["index.json"], "{");
        Assert.That(store.Images, Throws.TypeOf<ConversionException>().With.Message.Contains("index.json"));
    }

    private static Descriptor Manifest(int i) => new()
    {
        MediaType = MediaTypes.OciManifest,
        Digest = Digest.Compute([(byte)i]),
        Size = 1,
        ArtifactType = MediaTypes.ConvertedImage,
        Platform = new Platform { Os = "windows", Architecture = "amd64", OsVersion = "10.0.20348.1" },
    };
}
