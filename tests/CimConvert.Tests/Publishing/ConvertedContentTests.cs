using System.Text;
using CimConvert.Oci;
using CimConvert.Publishing;
using CimConvert.Registry.Pull;
using NUnit.Framework;

namespace CimConvert.Tests.Publishing;

/// <summary>Manifests of converted images come from registries: what they say is read, and whatever does not hold together is refused.</summary>
public class ConvertedContentTests
{
    [TestCase(true)]
    [TestCase(false)]
    public void What_was_written_is_read(bool withSubject)
    {
        var content = Read(Encoding.UTF8.GetString(ConvertedImages.Manifest(withSubject: withSubject)));

        using (Assert.EnterMultipleScope())
        {
            Assert.That(content.Source, Is.EqualTo(Digest.Compute("source"u8)));
            Assert.That(content.Subject?.Digest, Is.EqualTo(withSubject ? content.Source : (Digest?)null));
            Assert.That(content.Form, Is.EqualTo(new ConvertedForm("managed", Forked: false, Integrity: false, VhdFooter: false)));
            Assert.That(content.Layers.Select(layer => layer.Record.DiffId), Is.EqualTo(ConvertedImages.DiffIds));
            Assert.That(content.Layers.Select(layer => layer.Record.Cim.File), Is.All.EqualTo("layer.bcim"));
            Assert.That(content.Layers[1].Record.Parents, Is.EqualTo(new[] { content.Layers[0].Record.ChainId }));
            Assert.That(content.MergedRecord!.Sources, Is.EqualTo(new[] { content.Layers[1].Record.Cim.Digest, content.Layers[0].Record.Cim.Digest }));
        }
    }

    [TestCase("vnd.cimconvert.image.v1", "vnd.example.image.v1", "is no container image")]
    [TestCase("source.config.v1", "other.config.v1", "an earlier version made it")]
    [TestCase("layer.blockcim.v1\"", "layer.unknown.v1\"", "unknown media type")]
    [TestCase("layer.blockcim.v1\"", "layer.cim.file.v1\"", "which is no region or object ID file")]
    [TestCase("layer.blockcim.v1\"", "layer.hive.v1\"", "names the hive 'layer.bcim', which there is not")]
    [TestCase("layer.blockcim.v1\"", "layer.cim.v1\"", "its files are not all of one form")]
    [TestCase("layer.blockcim.v1\"", "layer.blockcim.v1+zstd\"", "has no 'io.cimconvert.content-digest'")]
    [TestCase("merged.blockcim.v1", "layer.blockcim.v1", "has no 'io.cimconvert.diff-id'")]
    [TestCase("\"io.cimconvert.backend\":\"managed\"", "\"io.cimconvert.backend\":\"../evil\"", "has an unknown back end")]
    [TestCase("\"io.cimconvert.backend\":\"managed\"", "\"io.cimconvert.backend\":\"native\"", "its files are not all of one form")]
    [TestCase("\"io.cimconvert.vhd-footer\":\"false\"", "\"io.cimconvert.vhd-footer\":\"maybe\"", "neither true nor false")]
    [TestCase("\"io.cimconvert.vhd-footer\":\"false\"", "\"io.cimconvert.vhd-footer\":\"true\"", "its files are not all of one form")]
    [TestCase("\"io.cimconvert.cim-name\":\"layer.cim\"", "\"io.cimconvert.cim-name\":\"..\\\\x.cim\"", "has a CIM of another name")]
    [TestCase("\"io.cimconvert.tar-size\":\"1\"", "\"io.cimconvert.tar-size\":\"-1\"", "that is no number")]
    [TestCase("\"io.cimconvert.files-size\":\"1\"", "\"io.cimconvert.files-size\":\"99999999999999999999\"", "that is no number")]
    [TestCase("\"io.cimconvert.files-size\":\"1\"", "\"io.cimconvert.files-size\":\"1\",\"io.cimconvert.hives\":\"SYSTEM_BASE,../../x\"", "names the hive 'x', which there is not")]
    [TestCase("\"io.cimconvert.vhd-footer\":\"false\"", "\"io.cimconvert.vhd-footer\":\"false\",\"io.cimconvert.integrity-root\":\"zz\"", "not 64 hex digits")]
    [TestCase("\"io.cimconvert.diff-id\":\"sha256:", "\"io.cimconvert.diff-id\":\"sha512:", "that is no digest")]
    [TestCase("\"io.cimconvert.source-digest\":\"sha256:", "\"io.cimconvert.source-digest\":\"", "that is no digest")]
    [TestCase("\"io.cimconvert.files-size\":\"1\"", "\"io.cimconvert.files-size\":\"1\",\"io.cimconvert.hives\":\"SYSTEM_BASE,SYSTEM_BASE\"", "names a hive twice")]
    [TestCase("\"io.cimconvert.files-size\":\"1\"", "\"io.cimconvert.files-size\":\"1\",\"io.cimconvert.hives\":\"SYSTEM_DELTA\"", "the changes of one without the hive")]
    [TestCase("\"size\":85", "\"size\":9223372036854775807", "is larger than files are")]
    public void What_does_not_hold_together_is_refused(string from, string to, string why)
    {
        var manifest = Encoding.UTF8.GetString(ConvertedImages.Manifest());
        var at = manifest.IndexOf(from, StringComparison.Ordinal);
        Assert.That(at, Is.Not.Negative);

        Assert.That(() => Read(manifest[..at] + to + manifest[(at + from.Length)..]), Throws.TypeOf<InvalidDataException>().With.Message.Contains(why));
    }

    [Test]
    public void A_chain_ID_is_that_of_the_diff_IDs()
    {
        var manifest = Encoding.UTF8.GetString(ConvertedImages.Manifest());
        var other = manifest.Replace(ConvertedImages.DiffIds[0].ToString(), Digest.Compute("other"u8).ToString(), StringComparison.Ordinal);

        Assert.That(() => Read(other), Throws.TypeOf<InvalidDataException>().With.Message.Contains("has another chain ID than that of its diff IDs"));
    }

    [Test]
    public void The_merged_CIM_comes_last_and_once()
    {
        var manifest = ImageManifest.Parse(ConvertedImages.Manifest(), MediaTypes.OciManifest);
        var merged = manifest.Layers[^1];

        Assert.That(() => Read(manifest with { Layers = [.. manifest.Layers, merged] }), Throws.TypeOf<InvalidDataException>().With.Message.Contains("follows the merged CIM"));
        Assert.That(() => Read(manifest with { Layers = [.. manifest.Layers.SkipLast(1)] }), Throws.TypeOf<InvalidDataException>().With.Message.Contains("2 layers and no merged CIM"));
        Assert.That(() => Read(manifest with { Layers = [.. manifest.Layers.Take(2), merged] }), Throws.TypeOf<InvalidDataException>().With.Message.Contains("1 layers and a merged CIM"));
        Assert.That(() => Read(manifest with { Layers = [.. manifest.Layers.Take(1)] }), Throws.TypeOf<InvalidDataException>().With.Message.Contains("no layers"));
    }

    private static ConvertedContent Read(ImageManifest manifest) => Read(Encoding.UTF8.GetString(ManifestWriter.Write(manifest)));

    private static ConvertedContent Read(string manifest)
    {
        var bytes = Encoding.UTF8.GetBytes(manifest);
        return ConvertedContent.Read(new FetchedManifest(Descriptor.Of(MediaTypes.OciManifest, bytes), bytes));
    }
}
