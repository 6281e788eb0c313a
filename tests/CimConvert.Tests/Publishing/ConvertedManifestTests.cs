using System.Text;
using CimConvert.Oci;
using CimConvert.Publishing;
using CimConvert.Sources;
using CimConvert.Store;
using CimConvert.TestKit;
using CimConvert.Tests.Store;
using NUnit.Framework;

namespace CimConvert.Tests.Publishing;

public class ConvertedManifestTests
{
    private static readonly ResolvedImage s_image = SourceImages.Make("manifest", mediaType: MediaTypes.DockerManifest);
    private static readonly Descriptor s_source = s_image.ManifestDescriptor;

    /// <summary>The whole contract on one page: a change here is a change for scripts and registries.</summary>
    [Test]
    public async Task Two_sealed_layers_and_their_merged_CIM()
    {
        using var folder = new TempFolder();
        var layers = await Layers(folder);
        var expected = """
            {"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","artifactType":"application/vnd.cimconvert.image.v1",
            "config":{"mediaType":"application/vnd.oci.empty.v1+json","digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a","size":2},
            "layers":[
            {"mediaType":"application/vnd.cimconvert.source.config.v1+json","digest":"CONFIG","size":LENGTH,"annotations":{
            "org.opencontainers.image.title":"config.json"}},
            {"mediaType":"application/vnd.cimconvert.layer.blockcim.v1","digest":"BASE","size":4,"annotations":{
            "io.cimconvert.backend":"managed","io.cimconvert.cim-name":"layer.cim","io.cimconvert.vhd-footer":"false",
            "io.cimconvert.source-digest":"SOURCE","io.cimconvert.diff-id":"DIFF","io.cimconvert.chain-id":"CHAIN0","io.cimconvert.tar-size":"TAR","io.cimconvert.files-size":"FILES",
            "org.opencontainers.image.title":"HEX0/NAME0"}},
            {"mediaType":"application/vnd.cimconvert.layer.blockcim.v1","digest":"TOP","size":3,"annotations":{
            "io.cimconvert.backend":"managed","io.cimconvert.cim-name":"layer.cim","io.cimconvert.vhd-footer":"false",
            "io.cimconvert.source-digest":"SOURCE","io.cimconvert.diff-id":"DIFF","io.cimconvert.chain-id":"CHAIN1","io.cimconvert.tar-size":"TAR","io.cimconvert.files-size":"FILES",
            "org.opencontainers.image.title":"HEX1/NAME1"}},
            {"mediaType":"application/vnd.cimconvert.merged.blockcim.v1","digest":"MERGED","size":6,"annotations":{
            "io.cimconvert.backend":"managed","io.cimconvert.cim-name":"merged.cim","io.cimconvert.vhd-footer":"true",
            "io.cimconvert.integrity-scheme":"cimblock-sha256-v1","io.cimconvert.integrity-root":"ROOT",
            "io.cimconvert.chain-id":"CHAIN1","org.opencontainers.image.title":"HEX1/merged.vhd"}}],
            "annotations":{"org.opencontainers.image.created":"CREATED","io.cimconvert.platform":"windows/amd64",
            "io.cimconvert.os-version":"10.0.20348.2700","io.cimconvert.source-digest":"IMAGE"}}
            """
            .Replace("\n", string.Empty, StringComparison.Ordinal)
            .Replace("CONFIG", Digest.Compute(s_image.ConfigBytes.Span).ToString(), StringComparison.Ordinal)
            .Replace("LENGTH", $"{s_image.ConfigBytes.Length}", StringComparison.Ordinal)
            .Replace("CREATED", SourceImages.Created, StringComparison.Ordinal)
            .Replace("TAR", $"{layers[0].Record.UncompressedSize}", StringComparison.Ordinal)
            .Replace("FILES", $"{layers[0].Record.FilesSize}", StringComparison.Ordinal)
            .Replace("NAME0", layers[0].Record.Cim.File, StringComparison.Ordinal)
            .Replace("NAME1", layers[1].Record.Cim.File, StringComparison.Ordinal)
            .Replace("HEX0", Chain(0).Hex, StringComparison.Ordinal)
            .Replace("HEX1", Chain(1).Hex, StringComparison.Ordinal)
            .Replace("IMAGE", s_source.Digest.ToString(), StringComparison.Ordinal)
            .Replace("SOURCE", Digest.Compute("source"u8).ToString(), StringComparison.Ordinal)
            .Replace("DIFF", Digest.Compute("diff"u8).ToString(), StringComparison.Ordinal)
            .Replace("BASE", Digest.Compute("base"u8).ToString(), StringComparison.Ordinal)
            .Replace("TOP", Digest.Compute("top"u8).ToString(), StringComparison.Ordinal)
            .Replace("MERGED", Digest.Compute("merged"u8).ToString(), StringComparison.Ordinal)
            .Replace("ROOT", new string('a', 64), StringComparison.Ordinal)
            .Replace("CHAIN0", Chain(0).ToString(), StringComparison.Ordinal)
            .Replace("CHAIN1", Chain(1).ToString(), StringComparison.Ordinal);
        Assert.That(Encoding.UTF8.GetString(ConvertedManifest.Encode(s_image, layers)), Is.EqualTo(expected));
    }

    [Test]
    public async Task The_source_is_the_subject_when_asked_for_and_changes_nothing_else()
    {
        using var folder = new TempFolder();
        var layers = await Layers(folder);
        var plain = Encoding.UTF8.GetString(ConvertedManifest.Encode(s_image, layers));
        var subject = $$$""","subject":{"mediaType":"{{{MediaTypes.DockerManifest}}}","digest":"{{{s_source.Digest}}}","size":8},"annotations":""";
        var withSubject = Encoding.UTF8.GetString(ConvertedManifest.Encode(s_image, layers, withSubject: true));
        var cut = plain.LastIndexOf(",\"annotations\":", StringComparison.Ordinal);
        Assert.That(withSubject, Is.EqualTo(plain[..cut] + subject + plain[(cut + ",\"annotations\":".Length)..]));
    }

    [Test]
    public async Task What_is_encoded_is_a_valid_manifest()
    {
        using var folder = new TempFolder();
        var layers = await Layers(folder);
        var manifest = ImageManifest.Parse(ConvertedManifest.Encode(s_image, layers), MediaTypes.OciManifest);
        Assert.That(manifest.ArtifactType, Is.EqualTo(MediaTypes.ConvertedImage));
        Assert.That(manifest.Layers, Has.Count.EqualTo(4));
    }

    [Test]
    public async Task An_image_of_one_layer_has_no_merged_CIM()
    {
        using var folder = new TempFolder();
        var layers = await Layers(folder);
        var manifest = ImageManifest.Parse(ConvertedManifest.Encode(s_image, [layers[0]]), MediaTypes.OciManifest);
        Assert.That(manifest.Layers.Select(l => l.MediaType), Is.EqualTo(new[] { MediaTypes.ConvertedSourceConfig, MediaTypes.ConvertedLayer }));
    }

    [Test]
    public async Task Several_layers_that_were_not_merged_are_not_published()
    {
        using var folder = new TempFolder();
        var layers = await Layers(folder);
        Assert.That(() => ConvertedManifest.Encode(s_image, [layers[1], layers[0]]), Throws.InvalidOperationException);
    }

    private static ChainId Chain(int index) => new(Digest.Compute([(byte)index]));

    private static async Task<IReadOnlyList<StoredLayer>> Layers(TempFolder folder)
    {
        var store = ConversionStore.Open(folder.Path);
        var layers = new List<StoredLayer>();
        foreach (var content in (string[])["base", "top"])
        {
            using var claim = await store.Ingest.ClaimAsync(Chain(layers.Count), CancellationToken.None);
            layers.Add(store.Publish(claim, StoreRecords.Write(claim.Path, Chain(layers.Count), content)));
        }

        using var merging = await store.Ingest.ClaimAsync(Chain(1), CancellationToken.None);
        File.WriteAllText(Path.Combine(merging.Path, "merged.vhd"), "merged");
        var merged = new FileRecord
        {
            File = "merged.vhd",
            CimName = "merged.cim",
            Size = "merged".Length,
            Digest = Digest.Compute("merged"u8),
            VhdFooter = true,
            IntegrityRoot = new string('a', 64),
        };
        return [layers[0], store.PublishMerged(layers[1], merging, merged)];
    }
}
