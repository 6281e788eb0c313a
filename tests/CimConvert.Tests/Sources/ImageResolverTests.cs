using CimConvert.Oci;
using CimConvert.Sources;
using CimConvert.TestKit;
using CimConvert.TestKit.Images;
using CimConvert.TestKit.Layers;
using NUnit.Framework;

namespace CimConvert.Tests.Sources;

/// <summary>Which images a name stands for: an index of three Windows versions and of what is no image for it.</summary>
internal sealed class ImageResolverTests : IDisposable
{
    private static readonly Platform s_windows = Platform.Parse("windows/amd64");

    private readonly TempFolder _folder = new();
    private readonly IReadOnlyList<OciImage> _images;

    public ImageResolverTests() => _images = new IndexBuilder()
        .Image(Image("windows", "amd64", "10.0.26100.1"))
        .Image(Image("linux", "amd64", null))
        .Image(Image("windows", "amd64", "10.0.17763.6293"))
        .Image(Image("windows", "arm64", "10.0.26100.1"))
        .Image(Image("windows", "amd64", "10.0.20348.2031"))
        .Image(Image("windows", "amd64", "10.0.20348.2700"))
        .WriteTo(_folder["image"], "v1").Images;

    public void Dispose() => _folder.Dispose();

    [TestCase(null, null, 0, TestName = "Without_a_host_the_newest_is_taken")]
    [TestCase(null, "10.0.20348.2400", 5, TestName = "The_hosts_build_is_the_default")]
    [TestCase(null, "10.0.17763.1", 2, TestName = "The_default_is_an_old_host_s_too")]
    [TestCase("10.0.17763", "10.0.20348.2400", 2, TestName = "What_is_asked_for_goes_before_the_host")]
    public async Task One_is_chosen_and_the_others_are_told(string? osVersion, string? host, int index)
    {
        var image = await Resolver("v1").ResolveAsync(
            new PlatformRequest { Platform = s_windows, OsVersion = osVersion, HostVersion = host }, CancellationToken.None);

        string[] all = ["windows/amd64 10.0.17763.6293", "windows/amd64 10.0.20348.2031", "windows/amd64 10.0.20348.2700", "windows/amd64 10.0.26100.1"];
        using (Assert.EnterMultipleScope())
        {
            Assert.That(image.ManifestDescriptor.Digest.ToString(), Is.EqualTo(_images[index].ManifestDigest));
            Assert.That(image.IsFromIndex, Is.True);
            Assert.That(image.Alternatives.Select(other => other.ToString()), Is.EqualTo(all.Where(other => other != image.Platform.ToString())));
        }
    }

    [Test]
    public async Task The_others_are_a_part_of_one_line()
    {
        var image = await Resolver("v1").ResolveAsync(s_windows, "10.0.17763", CancellationToken.None);
        Assert.That(image.AlsoThere, Is.EqualTo("; the index also has 10.0.20348.2031, 10.0.20348.2700, 10.0.26100.1"));
    }

    [Test]
    public async Task A_name_that_is_one_image_is_that_whatever_the_host()
    {
        var image = await Resolver("v1-0").ResolveAsync(
            new PlatformRequest { Platform = s_windows, HostVersion = "10.0.17763.1" }, CancellationToken.None);
        Assert.That((image.IsFromIndex, image.AlsoThere, image.Platform.OsVersion), Is.EqualTo((false, string.Empty, "10.0.26100.1")));
        Assert.That(await Resolver("v1-0").ListAsync(s_windows, CancellationToken.None), Is.Null);
        Assert.That(
            async () => await Resolver("v1-0").ResolveAsync(s_windows, "10.0.17763.1", CancellationToken.None),
            Throws.TypeOf<ConversionException>().With.Message.Contains("its build 26100 is newer"));
    }

    [Test]
    public async Task All_are_one_of_each_build_in_the_order_of_the_index()
    {
        var entries = (await Resolver("v1").ListAsync(s_windows, CancellationToken.None))!;
        Assert.That(entries.Select(entry => entry.Manifest.Digest.ToString()), Is.EqualTo(new[] { 0, 2, 5 }.Select(i => _images[i].ManifestDigest)));

        var image = await Resolver("v1").ResolveAsync(entries[1], s_windows, CancellationToken.None);
        Assert.That(image.ManifestDescriptor.Digest.ToString(), Is.EqualTo(_images[2].ManifestDigest));
        Assert.That((image.Documents.Count, image.IsFromIndex), Is.EqualTo((2, true)));
    }

    [Test]
    public void Where_none_fits_the_reasons_are_told() => Assert.That(
        async () => await Resolver("v1").ListAsync(Platform.Parse("windows/ppc64le"), CancellationToken.None),
        Throws.TypeOf<ConversionException>().With.Message.Contains("the index has nothing for windows/ppc64le").And.Message.Contains("linux/amd64"));

    private static ImageBuilder Image(string os, string architecture, string? version) =>
        new ImageBuilder { OperatingSystem = os, Architecture = architecture, OsVersion = version }
            .Layer(new LayerBuilder().File("Files/which", $"{os} {architecture} {version}"));

    private ImageResolver Resolver(string name) => new(new OciLayoutSource(new ImageLocation.Layout(_folder["image"], name)));
}
