using System.Text;
using CimConvert.Containerd;
using CimConvert.Oci;
using CimConvert.Pipeline;
using CimConvert.Registry.Pull;
using CimConvert.Sources;
using NUnit.Framework;

namespace CimConvert.Tests.Pipeline;

public class StartWarningsTests
{
    private static readonly CriConfiguration s_fit = new("cimfs", Runtime: null, IgnoresImageVolumes: true, ImageFolders: []);

    [Test]
    public void A_fit_node_and_image_have_none()
    {
        var warnings = new StartWarnings(s_fit, "cimfs", "10.0.20348.2031");
        Assert.That(warnings.OfNode().Concat(warnings.Of(Image("10.0.20348.1", "{\"c:/data\":{}}"))), Is.Empty);
    }

    [Test]
    public void A_node_whose_pods_look_elsewhere_is_told()
    {
        Assert.That(new StartWarnings(s_fit with { Snapshotter = "windows" }, "cimfs", host: null).OfNode().Single(), Does.StartWith("pods use the snapshotter windows, "));
        Assert.That(new StartWarnings(s_fit with { Snapshotter = null }, "cimfs", host: null).OfNode(), Is.Empty);
        Assert.That(new StartWarnings(null, "cimfs", host: null).OfNode().Single(), Does.Contain("no CRI plugin"));
    }

    [TestCase("{}", null)]
    [TestCase("{\"c:/data\":{}}", "it defines the volume c:/data: its containers")]
    [TestCase("{\"c:/data\":{},\"d:\":{},\"e:\":{}}", "it defines the volume c:/data and 2 more: its containers")]
    public void Volumes_are_told_where_CRI_does_not_ignore_them(string volumes, string? warning)
    {
        var told = new StartWarnings(s_fit with { IgnoresImageVolumes = false }, "cimfs", host: null).Of(Image("10.0.20348.1", volumes)).SingleOrDefault();
        Assert.That(told, warning is null ? Is.Null : Does.StartWith(warning));
    }

    [TestCase("10.0.20348.1", "10.0.20348.2031", true)]
    [TestCase("10.0.20348.1", "10.0.26100.1", true)]
    [TestCase("10.0.26100.1", "10.0.20348.2031", false)]
    [TestCase("10.0.17763.1", "10.0.17763.9", true)]
    [TestCase("10.0.17763.1", "10.0.19041.1", false)]
    public void Images_that_this_Windows_does_not_run_are_told(string image, string host, bool fits) =>
        Assert.That(new StartWarnings(s_fit, "cimfs", host).Of(Image(image, "{}")).Any(), Is.Not.EqualTo(fits));

    private static ResolvedImage Image(string osVersion, string volumes)
    {
        var config = Encoding.UTF8.GetBytes(
            $$"""{"os":"windows","architecture":"amd64","os.version":"{{osVersion}}","config":{"Volumes":{{volumes}} },"rootfs":{"type":"layers","diff_ids":[]} }""");
        var document = new FetchedManifest(Descriptor.Of(MediaTypes.OciManifest, config), config);
        var manifest = Encoding.UTF8.GetBytes(
            $$"""{"schemaVersion":2,"mediaType":"{{MediaTypes.OciManifest}}","config":{"mediaType":"{{MediaTypes.OciConfig}}","digest":"{{Digest.Compute(config)}}","size":{{config.Length}}},"layers":[]}""");
        return new ResolvedImage("app", [document], ImageManifest.Parse(manifest, MediaTypes.OciManifest), config, ImageConfig.Parse(config, layerCount: 0));
    }
}
