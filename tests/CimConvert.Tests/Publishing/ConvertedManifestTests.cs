using System.Text;
using CimConvert.Oci;
using CimConvert.Publishing;
using CimConvert.Store;
using CimConvert.TestKit;
using CimConvert.Tests.Store;
using NUnit.Framework;

namespace CimConvert.Tests.Publishing;

public class ConvertedManifestTests
{
    private static readonly Descriptor s_source = new() { MediaType = MediaTypes.DockerManifest, Digest = Digest.Compute("manifest"u8), Size = 8 };
    private static readonly Descriptor s_config = new() { MediaType = MediaTypes.DockerConfig, Digest = Digest.Compute("config"u8), Size = 6 };

    /// <summary>The whole contract on one page: a change here is a change for scripts and registries.</summary>
    [Test]
    public async Task Two_sealed_layers_and_their_merged_CIM()
    {
        using var folder = new TempFolder();
        var layers = await Layers(folder);
        var expected = """
            {"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","artifactType":"application/vnd.cimconvert.image.v1",
            "config":{"mediaType":"application/vnd.docker.container.image.v1+json","digest":"CONFIG","size":6},
            "layers":[
            {"mediaType":"application/vnd.cimconvert.layer.blockcim.v1","digest":"BASE","size":4,"annotations":{
            "io.cimconvert.backend":"managed","io.cimconvert.cim-name":"layer.cim","io.cimconvert.vhd-footer":"false",
            "io.cimconvert.source-digest":"SOURCE","io.cimconvert.diff-id":"DIFF","io.cimconvert.chain-id":"CHAIN0"}},
            {"mediaType":"application/vnd.cimconvert.layer.blockcim.v1","digest":"TOP","size":3,"annotations":{
            "io.cimconvert.backend":"managed","io.cimconvert.cim-name":"layer.cim","io.cimconvert.vhd-footer":"false",
            "io.cimconvert.source-digest":"SOURCE","io.cimconvert.diff-id":"DIFF","io.cimconvert.chain-id":"CHAIN1"}},
            {"mediaType":"application/vnd.cimconvert.merged.blockcim.v1","digest":"MERGED","size":6,"annotations":{
            "io.cimconvert.backend":"managed","io.cimconvert.cim-name":"merged.cim","io.cimconvert.vhd-footer":"true",
            "io.cimconvert.integrity-scheme":"cimblock-sha256-v1","io.cimconvert.integrity-root":"ROOT",
            "io.cimconvert.chain-id":"CHAIN1"}}],
            "annotations":{"io.cimconvert.source-digest":"IMAGE"}}
            """
            .Replace("\n", string.Empty, StringComparison.Ordinal)
            .Replace("CONFIG", s_config.Digest.ToString(), StringComparison.Ordinal)
            .Replace("IMAGE", s_source.Digest.ToString(), StringComparison.Ordinal)
            .Replace("SOURCE", Digest.Compute("source"u8).ToString(), StringComparison.Ordinal)
            .Replace("DIFF", Digest.Compute("diff"u8).ToString(), StringComparison.Ordinal)
            .Replace("BASE", Digest.Compute("base"u8).ToString(), StringComparison.Ordinal)
            .Replace("TOP", Digest.Compute("top"u8).ToString(), StringComparison.Ordinal)
            .Replace("MERGED", Digest.Compute("merged"u8).ToString(), StringComparison.Ordinal)
            .Replace("ROOT", new string('a', 64), StringComparison.Ordinal)
            .Replace("CHAIN0", Chain(0).ToString(), StringComparison.Ordinal)
            .Replace("CHAIN1", Chain(1).ToString(), StringComparison.Ordinal);
        Assert.That(Encoding.UTF8.GetString(ConvertedManifest.Encode(s_source, s_config, layers)), Is.EqualTo(expected));
    }

    [Test]
    public async Task The_source_is_the_subject_when_asked_for_and_changes_nothing_else()
    {
        using var folder = new TempFolder();
        var layers = await Layers(folder);
        var plain = Encoding.UTF8.GetString(ConvertedManifest.Encode(s_source, s_config, layers));
        var subject = $$$""","subject":{"mediaType":"{{{MediaTypes.DockerManifest}}}","digest":"{{{s_source.Digest}}}","size":8},"annotations":{"io.cimconvert.source-digest":"{{{s_source.Digest}}}"}}""";
        var withSubject = Encoding.UTF8.GetString(ConvertedManifest.Encode(s_source, s_config, layers, withSubject: true));
        Assert.That(withSubject, Does.EndWith(subject));
        Assert.That(withSubject, Is.EqualTo(plain[..plain.LastIndexOf(",\"annotations\"", StringComparison.Ordinal)] + subject));
    }

    [Test]
    public async Task What_is_encoded_is_a_valid_manifest()
    {
        using var folder = new TempFolder();
        var layers = await Layers(folder);
        var manifest = ImageManifest.Parse(ConvertedManifest.Encode(s_source, s_config, layers), MediaTypes.OciManifest);
        Assert.That(manifest.ArtifactType, Is.EqualTo(MediaTypes.ConvertedImage));
        Assert.That(manifest.Layers, Has.Count.EqualTo(3));
    }

    [Test]
    public async Task An_image_of_one_layer_has_no_merged_CIM()
    {
        using var folder = new TempFolder();
        var layers = await Layers(folder);
        var manifest = ImageManifest.Parse(ConvertedManifest.Encode(s_source, s_config, [layers[0]]), MediaTypes.OciManifest);
        Assert.That(manifest.Layers.Select(l => l.MediaType), Is.EqualTo(new[] { MediaTypes.ConvertedLayer }));
    }

    [Test]
    public async Task Several_layers_that_were_not_merged_are_not_published()
    {
        using var folder = new TempFolder();
        var layers = await Layers(folder);
        Assert.That(() => ConvertedManifest.Encode(s_source, s_config, [layers[1], layers[0]]), Throws.InvalidOperationException);
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
