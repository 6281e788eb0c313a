using CimConvert.Oci;
using NUnit.Framework;

namespace CimConvert.Tests.Oci;

public sealed class PlatformSelectorTests
{
    private static readonly Platform WindowsAmd64 = Platform.Parse("windows/amd64");

    // What mcr.microsoft.com's indexes look like, each entry by its os.version; "-" has none.
    [TestCase("10.0.17763.6000 10.0.20348.2700 10.0.26100.1742", null, "10.0.26100.1742", TestName = "Nothing asked: the highest")]
    [TestCase("10.0.9200.1 10.0.20348.1 10.0.14393.1", null, "10.0.20348.1", TestName = "Compared as numbers, not as text")]
    [TestCase("10.0.20348.999 10.0.20348.1000", null, "10.0.20348.1000", TestName = "Revisions compared as numbers")]
    [TestCase("- 10.0.17763.1", null, "10.0.17763.1", TestName = "No version is a fallback when nothing is asked")]
    [TestCase("10.0.20348.2700 10.0.20348.2800", "10.0.20348.2700", "10.0.20348.2700", TestName = "Exact wins over a higher revision")]
    [TestCase("10.0.20348.2700 10.0.20348.2800", "10.0.20348.2750", "10.0.20348.2800", TestName = "Same build: the highest revision")]
    [TestCase("10.0.20348.2700 10.0.20348.2800", "10.0.20348", "10.0.20348.2800", TestName = "A build asked for: its highest revision")]
    [TestCase("10.0.17763.1 10.0.20348.1", "10.0", "10.0.20348.1", TestName = "A prefix asked for: the highest below it")]
    [TestCase("10.0.17763.1 10.0.20348.1 10.0.25398.1", "10.0.26100.1", "10.0.25398.1", TestName = "Stable ABI: the highest build not above")]
    [TestCase("10.0.20348.1", "10.0.20349.1", "10.0.20348.1", TestName = "Stable ABI starts at 20348")]
    [TestCase("10.0.26100.1 10.0.25398.1 10.0.20348.1", "10.0.25398.7", "10.0.25398.1", TestName = "Same build wins over stable ABI")]
    [TestCase("10.0.26100.5 - 10.0.20348.1", "10.0.25398.7", "10.0.20348.1", TestName = "Stable ABI wins over no version")]
    [TestCase("10.0.26100.5 -", "10.0.17763.1", "-", TestName = "No version is a fallback when one is asked")]
    public void Windows_versions(string offered, string? asked, string expected)
    {
        var index = IndexOf([.. offered.Split(' ').Select(version => Entry("windows", "amd64", version is "-" ? null : version))]);
        var chosen = PlatformSelector.Select(index, WindowsAmd64, asked);
        Assert.That(chosen.Platform!.OsVersion ?? "-", Is.EqualTo(expected));
    }

    [TestCase("10.0.20347.1", "10.0.26100.1", "its build 20347 is not 26100, and only builds from 20348 on run on newer hosts")]
    [TestCase("10.0.26100.1", "10.0.20348.1", "its build 26100 is newer than 20348")]
    [TestCase("10.0.17763.1", "10.0.14393.1", "its build 17763 is newer than 14393")]
    [TestCase("6.3.20348.1", "10.0.26100.1", "its os.version does not match")]
    [TestCase("10.0.20348.1", "6.3", "its os.version does not match")]
    [TestCase("10.0", "10.0.20348.1", "its os.version does not match")]
    [TestCase("ltsc2022", "10.0.20348.1", "not a dotted number: 'ltsc2022'")]
    [TestCase("ltsc2022", null, "not a dotted number: 'ltsc2022'")]
    public void Windows_versions_that_do_not_fit(string offered, string? asked, string reason) =>
        Assert.That(
            () => PlatformSelector.Select(IndexOf(Entry("windows", "amd64", offered)), WindowsAmd64, asked),
            Throws.TypeOf<PlatformNotFoundException>().With.Message.Contains(reason));

    [Test]
    public void Every_candidate_is_listed_with_its_reason_on_one_line()
    {
        var attestation = Entry("unknown", "unknown", null) with
        {
            Annotations = new Dictionary<string, string>(StringComparer.Ordinal) { ["vnd.docker.reference.type"] = "attestation-manifest" },
        };
        var index = IndexOf(
            Entry("linux", "amd64", null),
            Entry("windows", "arm64", "10.0.26100.1"),
            attestation,
            Entry("windows", "amd64", "10.0.17763.1"),
            Entry("windows", "amd64", null) with { MediaType = "application/x\nsbom" },
            Entry("windows", "amd64", null) with { ArtifactType = MediaTypes.ConvertedImage });
        var message = Assert.Throws<PlatformNotFoundException>(() => PlatformSelector.Select(index, WindowsAmd64, "10.0.26100.1"))!.Message;
        Assert.That(message, Does.StartWith("the index has nothing for windows/amd64 os.version 10.0.26100.1: linux/amd64 (sha256:"));
        Assert.That(message, Does.Contain("its os is linux; windows/arm64 10.0.26100.1 (sha256:"));
        Assert.That(message, Does.Contain("its architecture is arm64; unknown/unknown (sha256:"));
        Assert.That(message, Does.Contain("it is an attestation; windows/amd64 10.0.17763.1 (sha256:"));
        Assert.That(message, Does.Contain("its media type is 'application/x?sbom'"));
        Assert.That(message, Does.Contain("it is an artifact of type 'application/vnd.cimconvert.image.v1'"));
        Assert.That(message, Does.Not.Contain("\n"));
    }

    [Test]
    public void The_first_of_equals_wins()
    {
        var first = Entry("windows", "amd64", "10.0.20348.1");
        var second = first with { Digest = Digest.Compute([2]) };
        Assert.That(PlatformSelector.Select(IndexOf(first, second), WindowsAmd64, null), Is.SameAs(first));
        Assert.That(PlatformSelector.Select(IndexOf(second, first), WindowsAmd64, null), Is.SameAs(second));
    }

    [Test]
    public void An_entry_without_platform_is_the_last_resort()
    {
        var nameless = Entry("windows", "amd64", null) with { Platform = null, MediaType = MediaTypes.OciIndex };
        var fitting = Entry("windows", "amd64", null);
        Assert.That(PlatformSelector.Select(IndexOf(nameless, fitting), WindowsAmd64, null), Is.SameAs(fitting));
        Assert.That(PlatformSelector.Select(IndexOf(Entry("linux", "amd64", null), nameless), WindowsAmd64, null), Is.SameAs(nameless));
    }

    [TestCase("linux/arm64/v8", null, true)]
    [TestCase("linux/arm64", "v8", true)]
    [TestCase("linux/arm64/v9", null, false)]
    [TestCase("linux/arm/v7", "v6", false)]
    public void Variants_count_where_one_is_asked_for(string requested, string? offered, bool fits)
    {
        var platform = Platform.Parse(requested);
        var entry = Entry(platform.Os, platform.Architecture, null);
        var index = IndexOf(entry with { Platform = entry.Platform! with { Variant = offered } });
        Assert.That(() => PlatformSelector.Select(index, platform, null), fits ? Throws.Nothing : Throws.TypeOf<PlatformNotFoundException>());
    }

    [TestCase("")]
    [TestCase("ltsc2022")]
    [TestCase("10.0.20348.2700.1")]
    [TestCase("10..20348")]
    [TestCase("10.0.-1")]
    [TestCase("10.0.4294967296")]
    public void A_version_that_is_none_cannot_be_asked_for(string asked) =>
        Assert.That(() => PlatformSelector.Select(IndexOf(), WindowsAmd64, asked), Throws.TypeOf<InvalidDataException>());

    [Test]
    public void An_empty_index_says_so() =>
        Assert.That(() => PlatformSelector.Select(IndexOf(), WindowsAmd64, null), Throws.TypeOf<PlatformNotFoundException>().With.Message.EndsWith("it is empty"));

    private static ImageIndex IndexOf(params Descriptor[] entries) => new() { SchemaVersion = 2, Manifests = entries };

    private static Descriptor Entry(string os, string architecture, string? version) => new()
    {
        MediaType = MediaTypes.OciManifest,
        Digest = Digest.Compute([1]),
        Size = 1,
        Platform = new Platform { Os = os, Architecture = architecture, OsVersion = version },
    };
}
