using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using CimConvert.TestKit;
using CimConvert.TestKit.Images;
using CimConvert.TestKit.Layers;
using CimConvert.TestKit.Servers;
using NUnit.Framework;

namespace CimConvert.Tests.TestKit;

public class ImageBuilderTests
{
    private static readonly LayerBuilder Base = new LayerBuilder().Directory("Files").File("Files/a", "base").BaseHives();
    private static readonly LayerBuilder Child = new LayerBuilder().Directory("Files").File("Files/b", 100_000, () => SeededContent.Stream(5, 100_000));

    [Test]
    public void Digests_diff_ids_and_chain_ids_are_those_of_the_bytes()
    {
        using TempFolder folder = new();

        OciImage image = new ImageBuilder().Layer(Base).Layer(Child, LayerCompression.None).WriteTo(folder.Path);

        string first = Hash(Base.ToArray());
        string second = Hash(Child.ToArray());
        using JsonDocument config = JsonDocument.Parse(File.ReadAllBytes(image.BlobPath(image.ConfigDigest)));
        using (Assert.EnterMultipleScope())
        {
            Assert.That(image.Layers.Select(layer => layer.DiffId), Is.EqualTo(new[] { first, second }));
            Assert.That(image.Layers.Select(layer => layer.ChainId), Is.EqualTo(new[] { first, Hash(Encoding.ASCII.GetBytes($"{first} {second}")) }));
            Assert.That(image.Layers[1].Digest, Is.EqualTo(second));
            Assert.That(config.RootElement.GetProperty("rootfs").GetProperty("diff_ids").EnumerateArray().Select(id => id.GetString()), Is.EqualTo(new[] { first, second }));
            Assert.That(config.RootElement.GetProperty("os").GetString(), Is.EqualTo("windows"));
            Assert.That(config.RootElement.GetProperty("os.version").GetString(), Is.EqualTo("10.0.20348.2031"));
        }

        foreach (string blob in Directory.GetFiles(folder["blobs", "sha256"]))
        {
            Assert.That(Hash(File.ReadAllBytes(blob)), Is.EqualTo("sha256:" + Path.GetFileName(blob)));
        }

        ByteAssert.Equal(Base.ToArray(), Gunzip(image.BlobPath(image.Layers[0].Digest)));
    }

    [Test]
    public void Writing_twice_gives_the_same_image()
    {
        using TempFolder folder = new();

        OciImage one = new ImageBuilder().Layer(Base).Layer(Child).WriteTo(folder["one"]);
        OciImage two = new ImageBuilder().Layer(Base).Layer(Child).WriteTo(folder["two"]);

        Assert.That(two.ManifestDigest, Is.EqualTo(one.ManifestDigest));
        FileContentAssert.Equal(folder["one", "index.json"], folder["two", "index.json"]);
    }

    [Test]
    [Category(Categories.Process), Category(Categories.Tools)]
    public async Task Skopeo_reads_an_image_and_an_index_of_images()
    {
        using TempFolder folder = new();
        OciImage image = new ImageBuilder().Layer(Base).WriteTo(folder.Path, "v1");
        (string digest, IReadOnlyList<OciImage> images) = new IndexBuilder()
            .Image(new ImageBuilder().Layer(Base))
            .Image(new ImageBuilder { OsVersion = "10.0.17763.1" }.Layer(Child))
            .WriteTo(folder.Path, "multi");

        byte[] manifest = await Skopeo.InspectRawAsync(folder.Path, "v1");
        byte[] index = await Skopeo.InspectRawAsync(folder.Path, "multi");

        using (Assert.EnterMultipleScope())
        {
            Assert.That(Digests.Of(manifest), Is.EqualTo(image.ManifestDigest));
            Assert.That(Digests.Of(index), Is.EqualTo(digest));
            Assert.That(images, Has.Count.EqualTo(2));
        }
    }

    [Test]
    [Category(Categories.Process), Category(Categories.Tools)]
    public async Task A_real_registry_takes_the_image_and_counts_what_is_asked()
    {
        using TempFolder folder = new();
        OciImage image = new ImageBuilder().Layer(Base).Layer(Child, LayerCompression.None).WriteTo(folder["image"], "v1");
        await using DockerRegistry registry = await DockerRegistry.StartAsync();

        await Skopeo.PushAsync(folder["image"], "v1", registry.Reference("test/app", "v1"));
        byte[] manifest = await Skopeo.InspectRawAsync(registry.Reference("test/app", "v1"));
        int before = registry.CountRequests("GET", "/blobs/" + image.Layers[1].Digest);
        await Skopeo.PullAsync(registry.Reference("test/app", "v1"), folder["pulled"], "v1");
        await registry.WaitForRequestAsync("GET", "/blobs/" + image.Layers[1].Digest);

        using (Assert.EnterMultipleScope())
        {
            Assert.That(Digests.Of(manifest), Is.EqualTo(image.ManifestDigest));
            Assert.That(before, Is.Zero);
            Assert.That(registry.CountRequests("GET", "/blobs/" + image.Layers[1].Digest), Is.EqualTo(1));
            Assert.That(registry.CountRequests("HEAD", "/nothing-like-this"), Is.Zero);
        }

        FileContentAssert.Equal(
            image.BlobPath(image.Layers[1].Digest),
            folder["pulled", "blobs", "sha256", image.Layers[1].Digest["sha256:".Length..]]);
    }

    [Test]
    public void Faults_are_the_ones_asked_for_and_no_others()
    {
        using TempFolder folder = new();

        OciImage lying = new ImageBuilder().Layer(Base, fault: LayerFault.WrongDiffId).WriteTo(folder["diff"]);
        OciImage changed = new ImageBuilder().Layer(Base, fault: LayerFault.WrongContent).WriteTo(folder["content"]);
        OciImage cut = new ImageBuilder().Layer(Base, fault: LayerFault.TruncatedGzip).WriteTo(folder["cut"]);

        using JsonDocument config = JsonDocument.Parse(File.ReadAllBytes(lying.BlobPath(lying.ConfigDigest)));
        string changedBlob = changed.BlobPath(changed.Layers[0].Digest);
        string cutBlob = cut.BlobPath(cut.Layers[0].Digest);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(config.RootElement.GetProperty("rootfs").GetProperty("diff_ids")[0].GetString(), Is.Not.EqualTo(lying.Layers[0].DiffId));
            Assert.That(Digests.OfFile(lying.BlobPath(lying.Layers[0].Digest)), Is.EqualTo(lying.Layers[0].Digest));
            Assert.That(Digests.OfFile(changedBlob), Is.Not.EqualTo(changed.Layers[0].Digest));
            Assert.That(new FileInfo(changedBlob).Length, Is.EqualTo(changed.Layers[0].Size));
            Assert.That(Digests.OfFile(cutBlob), Is.EqualTo(cut.Layers[0].Digest));
            Assert.That(new FileInfo(cutBlob).Length, Is.EqualTo(cut.Layers[0].Size));
            Assert.That(Gunzip(cutBlob), Has.Length.LessThan(Base.ToArray().Length));
        }
    }

    private static string Hash(byte[] bytes) => "sha256:" + Convert.ToHexString(SHA256.HashData(bytes)).ToLowerInvariant();

    private static byte[] Gunzip(string path)
    {
        using GZipStream gzip = new(File.OpenRead(path), CompressionMode.Decompress);
        using MemoryStream output = new();
        try
        {
            gzip.CopyTo(output);
        }
        catch (InvalidDataException)
        {
            // The framework may or may not mind the missing trailer; what came out is what counts here.
        }

        return output.ToArray();
    }
}
