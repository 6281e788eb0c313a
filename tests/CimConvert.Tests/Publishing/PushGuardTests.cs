using System.Text;
using CimConvert.Oci;
using CimConvert.Publishing;
using CimConvert.Sources;
using CimConvert.TestKit.Registry;
using CimConvert.Tests.Registry;
using NUnit.Framework;

namespace CimConvert.Tests.Publishing;

/// <summary>A push destroys nothing: only a new tag, or the converted image of the same platform, is taken.</summary>
public class PushGuardTests
{
    private static readonly ResolvedImage s_image = SourceImages.Make("source", "10.0.20348.2700");

    [Test]
    public async Task A_new_tag_is_free()
    {
        await using var registry = await FakeRegistry.StartAsync();
        await CheckAsync(registry);
        await CheckAsync(registry, platform: false);
    }

    [TestCase("10.0.20348.2700", true)]
    [TestCase("10.0.20348.3000", true)]
    [TestCase("10.0.17763.6293", false)]
    [TestCase("10.0.26100.1", false)]
    public async Task The_converted_image_of_the_same_build_is_replaced_and_of_another_is_not(string there, bool isReplaced)
    {
        await using var registry = await FakeRegistry.StartAsync();
        Tag(registry, ConvertedImages.Manifest("another source", there));

        await CheckAsync(registry, platform: false);
        await AssertAsync(registry, isReplaced, $"stands for the converted image of windows/amd64 {there}, not windows/amd64 10.0.20348.2700");
    }

    [Test]
    public async Task The_source_itself_is_never_replaced()
    {
        await using var registry = await FakeRegistry.StartAsync();
        var source = registry.AddImage();
        registry.AddTag(FakeImage.Repository, FakeImage.Tag, source.Digest.ToString());
        using var client = FakeImage.Client();
        var image = await new ImageResolver(new RegistrySource(client, registry.Reference())).ResolveAsync(Platform.Parse("windows/amd64"), null, CancellationToken.None);

        var push = await PushSettings.Default.ToAsync(client, registry.Reference(), CancellationToken.None);

        Assert.That(
            () => new PushGuard(push.Target, isForced: false).CheckAsync(image, CancellationToken.None),
            Throws.TypeOf<ConversionException>().With.Message.Contains("is the source itself").And.Message.Contains("nothing is pushed"));
        Assert.That(() => new PushGuard(push.Target, isForced: true).CheckAsync(image, CancellationToken.None), Throws.Nothing);
    }

    [TestCase("""{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","size":1},"layers":[]}""")]
    [TestCase("""{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","artifactType":"application/vnd.example","config":{"mediaType":"application/vnd.oci.empty.v1+json","digest":"sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","size":2},"layers":[]}""")]
    [TestCase("not even JSON")]
    public async Task What_is_no_converted_image_is_not_replaced(string content)
    {
        await using var registry = await FakeRegistry.StartAsync();
        Tag(registry, Encoding.UTF8.GetBytes(content));

        await AssertAsync(registry, isReplaced: false, "is no converted image");
        Assert.That(() => CheckAsync(registry, platform: false), Throws.TypeOf<ConversionException>().With.Message.Contains("is no converted image"));
    }

    [TestCase(true, "stands for the converted images of several platforms")]
    [TestCase(false, "is no converted image")]
    public async Task An_index_does_not_become_one_image(bool isConverted, string why)
    {
        await using var registry = await FakeRegistry.StartAsync();
        var entry = Descriptor.Of(MediaTypes.OciManifest, "x"u8) with { ArtifactType = isConverted ? MediaTypes.ConvertedImage : null };
        Tag(registry, ManifestWriter.Write(ManifestWriter.Index([entry])), MediaTypes.OciIndex);

        await AssertAsync(registry, isReplaced: false, why);
    }

    [Test]
    public async Task An_index_has_all_that_the_tag_had()
    {
        await using var registry = await FakeRegistry.StartAsync();
        Descriptor[] entries =
        [
            .. ((string[])["10.0.17763.1", "10.0.20348.1"]).Select(version => Descriptor.Of(MediaTypes.OciManifest, Encoding.UTF8.GetBytes(version)) with
            {
                ArtifactType = MediaTypes.ConvertedImage,
                Platform = Version(version),
            }),
        ];
        Tag(registry, ManifestWriter.Write(ManifestWriter.Index(entries)), MediaTypes.OciIndex);
        using var client = FakeImage.Client();
        var push = await PushSettings.Default.ToAsync(client, registry.Reference(), CancellationToken.None);
        var guard = new PushGuard(push.Target, isForced: false);

        Assert.That(
            () => guard.CheckAsync([Version("10.0.20348.7"), Version("10.0.26100.1")], CancellationToken.None),
            Throws.TypeOf<ConversionException>().With.Message.Contains("windows/amd64 10.0.17763.1, which the new index has not"));
        await guard.CheckAsync([Version("10.0.26100.1"), Version("10.0.20348.7"), Version("10.0.17763.9")], CancellationToken.None);

        static Platform Version(string version) => Platform.Parse("windows/amd64") with { OsVersion = version };
    }

    private static async Task AssertAsync(FakeRegistry registry, bool isReplaced, string why)
    {
        if (isReplaced)
        {
            await CheckAsync(registry);
        }
        else
        {
            Assert.That(() => CheckAsync(registry), Throws.TypeOf<ConversionException>().With.Message.Contains(why).And.Message.Contains("--force"));
        }

        await CheckAsync(registry, isForced: true);
    }

    private static async Task CheckAsync(FakeRegistry registry, bool platform = true, bool isForced = false)
    {
        using var client = FakeImage.Client();
        var push = await PushSettings.Default.ToAsync(client, registry.Reference(), CancellationToken.None);
        var guard = new PushGuard(push.Target, isForced);
        await (platform ? guard.CheckAsync(s_image, CancellationToken.None) : guard.CheckAsync(CancellationToken.None));
    }

    private static void Tag(FakeRegistry registry, byte[] manifest, string mediaType = MediaTypes.OciManifest) =>
        registry.AddTag(FakeImage.Repository, FakeImage.Tag, registry.AddManifest(mediaType, manifest));
}
