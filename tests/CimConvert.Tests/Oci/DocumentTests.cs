using System.Text;
using CimConvert.Oci;
using NUnit.Framework;

namespace CimConvert.Tests.Oci;

internal sealed class DocumentTests
{
    private const string DigestText = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    private const string Config = $$"""{"mediaType":"{{MediaTypes.OciConfig}}","digest":"{{DigestText}}","size":2}""";
    private const string Layer = $$"""{"mediaType":"{{MediaTypes.OciLayerGzip}}","digest":"{{DigestText}}","size":3,"urls":["https://x/y"]}""";

    [Test]
    public void A_manifest_is_read_and_unknown_fields_are_skipped()
    {
        var manifest = Manifest($$"""{"schemaVersion":2,"new":{"a":[1]},"config":{{Config}},"layers":[{{Layer}}]}""");
        Assert.That(manifest.Config.Digest.ToString(), Is.EqualTo(DigestText));
        Assert.That(manifest.Layers.Single().Size, Is.EqualTo(3));
        Assert.That(manifest.Layers.Single().Urls, Is.EqualTo(new[] { "https://x/y" }));
    }

    [TestCase("", "cannot be read")]
    [TestCase("null", "is null")]
    [TestCase("[]", "wrong type")]
    [TestCase("{}", "lacks 'schemaVersion', 'config', 'layers'")]
    [TestCase($$"""{"schemaVersion":1,"config":{{Config}},"layers":[]}""", "schemaVersion 1")]
    [TestCase($$"""{"schemaVersion":"2","config":{{Config}},"layers":[]}""", "at $.schemaVersion: the value is of the wrong type")]
    [TestCase($$"""{"schemaVersion":2,"schemaVersion":2,"config":{{Config}},"layers":[]}""", "Duplicate")]
    [TestCase($$"""{"schemaVersion":2,"config":{{Config}},"layers":[{"mediaType":"x","size":1,"digest":"{{DigestText}}","size":2}]}""", "Duplicate")]
    [TestCase($$"""{"schemaVersion":2,"config":{{Config}},"layers":null}""", "$.layers")]
    [TestCase($$"""{"schemaVersion":2,"config":{{Config}},"layers":[null]}""", "layer 0 is null")]
    [TestCase($$"""{"schemaVersion":2,"config":{{Config}},"layers":[{"mediaType":"x","digest":"sha512:00","size":1}]}""", "only sha256")]
    [TestCase($$"""{"schemaVersion":2,"config":{{Config}},"layers":[{"mediaType":"x","digest":7,"size":1}]}""", "a digest must be a string")]
    [TestCase($$"""{"schemaVersion":2,"config":{{Config}},"layers":[{"mediaType":"x","size":1}]}""", "at $.layers[0]: lacks 'digest'")]
    [TestCase($$"""{"schemaVersion":2,"config":{{Config}},"layers":[{"mediaType":"x","digest":"{{DigestText}}","size":-1}]}""", "layer 0 has the negative size -1")]
    [TestCase($$"""{"schemaVersion":2,"config":{{Config}},"layers":[{"mediaType":"x","digest":"{{DigestText}}","size":9223372036854775808}]}""", "out of range")]
    [TestCase($$"""{"schemaVersion":2,"config":{{Config}},"layers":[{"mediaType":"","digest":"{{DigestText}}","size":1}]}""", "empty mediaType")]
    [TestCase($$"""{"schemaVersion":2,"mediaType":"{{MediaTypes.OciIndex}}","config":{{Config}},"layers":[]}""", "but came as")]
    [TestCase($$"""{"schemaVersion":2,"config":{{Config}},"layers":[],"manifests":[]}""", "only an index may have")]
    [TestCase($$"""{"schemaVersion":2,"config":{"mediaType":"application/vnd.oci.empty.v1+json","digest":"{{DigestText}}","size":2},"layers":[]}""", "no container image")]
    public void Other_manifests_are_refused_with_the_reason_on_one_line(string json, string reason) =>
        Assert.That(
            () => Manifest(json), Throws.TypeOf<InvalidDataException>().With.Message.Contains(reason).And.Message.Not.Contains("\n"));

    [Test]
    public void A_manifest_has_at_most_the_allowed_layers_and_bytes()
    {
        Assert.That(() => Manifest(WithLayers(ImageManifest.MaxLayers)), Throws.Nothing);
        Assert.That(() => Manifest(WithLayers(ImageManifest.MaxLayers + 1)), Throws.TypeOf<InvalidDataException>().With.Message.Contains("513 layers"));
        Assert.That(() => Manifest(WithLayers(0).PadRight(ImageManifest.MaxBytes)), Throws.Nothing);
        Assert.That(() => Manifest(WithLayers(0).PadRight(ImageManifest.MaxBytes + 1)), Throws.TypeOf<InvalidDataException>().With.Message.Contains("allowed"));
    }

    [TestCase("""{"schemaVersion":2,"manifests":[],"layers":[]}""", "'layers' field, which only a manifest")]
    [TestCase("""{"schemaVersion":2,"manifests":[],"config":{}}""", "'config' field, which only a manifest")]
    [TestCase("""{"schemaVersion":2,"manifests":{}}""", "wrong type")]
    [TestCase("""{"schemaVersion":2,"manifests":[{"mediaType":"x"}]}""", "at $.manifests[0]: lacks 'digest', 'size'")]
    public void Other_indexes_are_refused(string json, string reason) =>
        Assert.That(
            () => ImageIndex.Parse(Encoding.UTF8.GetBytes(json), MediaTypes.OciIndex),
            Throws.TypeOf<InvalidDataException>().With.Message.Contains(reason));

    [Test]
    public void An_index_keeps_its_platforms()
    {
        var index = ImageIndex.Parse(
            Encoding.UTF8.GetBytes($$"""
                {"schemaVersion":2,"manifests":[{"mediaType":"{{MediaTypes.DockerManifest}}","digest":"{{DigestText}}","size":1,
                "platform":{"os":"windows","architecture":"amd64","os.version":"10.0.20348.1","os.features":["win32k"]} }]}
                """),
            MediaTypes.DockerList);
        Assert.That(index.Manifests.Single().Platform!.ToString(), Is.EqualTo("windows/amd64 10.0.20348.1"));
        Assert.That(index.Manifests.Single().Platform!.OsFeatures, Is.EqualTo(new[] { "win32k" }));
    }

    [Test]
    public void A_config_gives_platform_and_diff_ids()
    {
        var config = ImageConfig.Parse(
            Encoding.UTF8.GetBytes($$"""
                {"os":"windows","architecture":"amd64","os.version":"10.0.20348.1","history":[{}],
                "rootfs":{"type":"layers","diff_ids":["{{DigestText}}"]} }
                """),
            layerCount: 1);
        Assert.That(config.DiffIds.Single().ToString(), Is.EqualTo(DigestText));
        Assert.That(config.Platform.OsVersion, Is.EqualTo("10.0.20348.1"));
    }

    [TestCase("""{"os":"windows","architecture":"amd64","rootfs":{"type":"layers","diff_ids":[]}}""", "lists 0 diff IDs, but the manifest has 1 layers")]
    [TestCase("""{"os":"windows","architecture":"amd64","rootfs":{"type":"tree","diff_ids":[]}}""", "rootfs type 'tree'")]
    [TestCase("""{"os":"windows","architecture":"amd64"}""", "lacks 'rootfs'")]
    [TestCase("""{"os":"windows","architecture":"amd64","rootfs":{"type":"layers","diff_ids":["x"]}}""", "digest 'x'")]
    [TestCase("""{"os":"windows","os":"linux","architecture":"amd64","rootfs":{"type":"layers","diff_ids":[]}}""", "Duplicate")]
    public void Other_configs_are_refused(string json, string reason) =>
        Assert.That(
            () => ImageConfig.Parse(Encoding.UTF8.GetBytes(json), layerCount: 1),
            Throws.TypeOf<InvalidDataException>().With.Message.Contains(reason));

    [TestCase("application/vnd.oci.image.layer.v1.tar", LayerCompression.None, false)]
    [TestCase("application/vnd.oci.image.layer.v1.tar+gzip", LayerCompression.Gzip, false)]
    [TestCase("application/vnd.oci.image.layer.v1.tar+zstd", LayerCompression.Zstd, false)]
    [TestCase("application/vnd.oci.image.layer.nondistributable.v1.tar", LayerCompression.None, true)]
    [TestCase("application/vnd.oci.image.layer.nondistributable.v1.tar+gzip", LayerCompression.Gzip, true)]
    [TestCase("application/vnd.oci.image.layer.nondistributable.v1.tar+zstd", LayerCompression.Zstd, true)]
    [TestCase("application/vnd.docker.image.rootfs.diff.tar.gzip", LayerCompression.Gzip, false)]
    [TestCase("application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", LayerCompression.Gzip, true)]
    public void Layer_types_say_how_the_tar_is_packed(string mediaType, LayerCompression compression, bool foreign) =>
        Assert.That(MediaTypes.DescribeLayer(mediaType), Is.EqualTo(new LayerEncoding(compression, foreign)));

    [TestCase("application/vnd.cimconvert.layer.blockcim.v1", "is not a tar, gzip or zstd layer")]
    [TestCase("application/octet-stream", "is not a tar, gzip or zstd layer")]
    public void Other_layer_types_are_refused(string mediaType, string reason) =>
        Assert.That(
            () => MediaTypes.DescribeLayer(mediaType), Throws.TypeOf<InvalidDataException>().With.Message.Contains(reason));

    private static ImageManifest Manifest(string json) => ImageManifest.Parse(Encoding.UTF8.GetBytes(json), MediaTypes.OciManifest);

    private static string WithLayers(int count) =>
        $$"""{"schemaVersion":2,"config":{{Config}},"layers":[{{string.Join(',', Enumerable.Repeat(Layer, count))}}]}""";
}
