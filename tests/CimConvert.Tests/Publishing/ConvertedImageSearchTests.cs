using System.Text;
using CimConvert.Oci;
using CimConvert.Publishing;
using CimConvert.Registry;
using CimConvert.Sources;
using CimConvert.TestKit.Registry;
using CimConvert.Tests.Registry;
using Microsoft.Extensions.Logging.Abstractions;
using NUnit.Framework;

namespace CimConvert.Tests.Publishing;

/// <summary>Lists of referrers and tags may hold anything: only the conversion of exactly this source, in the wanted form, is found.</summary>
public class ConvertedImageSearchTests
{
    private const string Pattern = "converted/app";

    private static readonly ConvertedForm s_form = new("managed", Forked: false, Integrity: false, VhdFooter: false);
    private static readonly ResolvedImage s_image = SourceImages.Make("source", diffIds: ConvertedImages.DiffIds);

    [TestCase(true)]
    [TestCase(false)]
    public async Task A_referrer_of_the_source_is_found(bool hasApi)
    {
        await using var registry = await FakeRegistry.StartAsync();
        registry.KeepsReferrers = hasApi;
        var entry = Entry(registry, ConvertedImages.Manifest(withSubject: true));
        if (hasApi)
        {
            registry.ReferrersPages = [Index(entry)];
        }
        else
        {
            List(registry, entry);
        }

        var found = await FindAsync(registry);

        Assert.That(found?.By, Is.EqualTo(FoundBy.Referrers));
        Assert.That(found!.Content.Source, Is.EqualTo(s_image.ManifestDescriptor.Digest));
    }

    [TestCase(null)]
    [TestCase("application/vnd.oci.empty.v1+json")]
    public async Task A_registry_that_does_not_tell_the_type_hides_nothing(string? listed)
    {
        await using var registry = await FakeRegistry.StartAsync();
        registry.KeepsReferrers = true;
        registry.ReferrersPages = [Index(Entry(registry, ConvertedImages.Manifest(withSubject: true)) with { ArtifactType = listed })];

        Assert.That((await FindAsync(registry))?.By, Is.EqualTo(FoundBy.Referrers));
        Assert.That(registry.Requests.Where(request => request.Path.Contains("/referrers/", StringComparison.Ordinal)).Select(request => request.Query), Is.All.Empty);
    }

    [Test]
    public async Task Liars_in_the_list_are_passed_over()
    {
        await using var registry = await FakeRegistry.StartAsync();
        var good = ConvertedImages.Manifest(withSubject: true);
        var text = Encoding.UTF8.GetString(good);
        var other = Digest.Compute("another source"u8).ToString();
        List(
            registry,
            new Descriptor { MediaType = MediaTypes.OciManifest, Digest = Digest.Compute("gone"u8), Size = 4, ArtifactType = MediaTypes.ConvertedImage },
            Entry(registry, Encoding.UTF8.GetBytes("not even JSON")),
            Entry(registry, ConvertedImages.Manifest("another source", withSubject: true)),
            Entry(registry, ConvertedImages.Manifest()),
            Entry(registry, Encoding.UTF8.GetBytes(text.Replace($"source-digest\":\"{s_image.ManifestDescriptor.Digest}", $"source-digest\":\"{other}", StringComparison.Ordinal))),
            Entry(registry, Encoding.UTF8.GetBytes(text.Replace(Digest.Compute(s_image.ConfigBytes.Span).ToString(), other, StringComparison.Ordinal))),
            Entry(registry, Encoding.UTF8.GetBytes(text.Replace("\"io.cimconvert.backend\":\"managed\"", "\"io.cimconvert.backend\":\"native\"", StringComparison.Ordinal))),
            Entry(registry, good) with { ArtifactType = "application/vnd.example.signature" },
            Entry(registry, good) with { Size = 7 });

        Assert.That(await FindAsync(registry), Is.Null);
    }

    [Test]
    public async Task The_pattern_leads_to_one_image_or_to_an_index_of_several()
    {
        await using var registry = await FakeRegistry.StartAsync();
        var wanted = ConvertedImages.Manifest();
        registry.AddTag(Pattern, "one", registry.AddManifest(MediaTypes.OciManifest, wanted));
        registry.AddTag(Pattern, "other", registry.AddManifest(MediaTypes.OciManifest, ConvertedImages.Manifest("another source")));
        var index = Index(Entry(registry, ConvertedImages.Manifest("another source")), Entry(registry, wanted));
        registry.AddTag(Pattern, "several", registry.AddManifest(MediaTypes.OciIndex, index));

        using (Assert.EnterMultipleScope())
        {
            Assert.That((await FindAsync(registry, "one"))?.By, Is.EqualTo(FoundBy.Pattern));
            Assert.That((await FindAsync(registry, "several"))?.Content.Manifest.Digest, Is.EqualTo(Digest.Compute(wanted)));
            Assert.That(await FindAsync(registry, "other"), Is.Null);
            Assert.That(await FindAsync(registry, "missing"), Is.Null);
            Assert.That(await FindAsync(registry, "one", s_form with { Integrity = true }), Is.Null, "another form");
        }
    }

    [Test]
    public async Task A_registry_that_fails_for_a_moment_is_not_taken_for_one_that_has_nothing()
    {
        await using var registry = await FakeRegistry.StartAsync();
        registry.KeepsReferrers = true;
        registry.Faults.Add(Fault.Status("/referrers/", 503, Fault.Always));

        Assert.That(() => FindAsync(registry), Throws.TypeOf<RegistryException>().With.Message.Contains("503"));
    }

    [Test]
    public async Task The_list_may_come_in_pages()
    {
        await using var registry = await FakeRegistry.StartAsync();
        registry.KeepsReferrers = true;
        registry.ReferrersPages = [Index(), Index(), Index(Entry(registry, ConvertedImages.Manifest(withSubject: true)))];

        Assert.That((await FindAsync(registry))?.By, Is.EqualTo(FoundBy.Referrers));
    }

    [Test]
    public async Task A_list_without_end_ends_and_leads_to_no_other_host()
    {
        await using var registry = await FakeRegistry.StartAsync();
        await using var elsewhere = await FakeRegistry.StartAsync();
        registry.KeepsReferrers = true;
        registry.ReferrersPages = [Index()];

        foreach (var end in (string[])["?page=0", $"http://{elsewhere.Host}/v2/x/referrers/y", "::"])
        {
            registry.ReferrersEnd = end;
            Assert.That(await FindAsync(registry), Is.Null);
        }

        Assert.That(elsewhere.Requests, Is.Empty);
        Assert.That(registry.Requests, Has.Count.LessThan(40));
    }

    private static async Task<FoundConversion?> FindAsync(FakeRegistry registry, string? tag = null, ConvertedForm? form = null)
    {
        using var client = FakeImage.Client();
        var pattern = tag is null ? null : ImageReference.Parse($"{registry.Host}/{Pattern}:{tag}");
        return await new ConvertedImageSearch(client, NullLogger.Instance)
            .FindAsync(s_image, tag is null ? registry.Reference() : null, pattern, form ?? s_form, CancellationToken.None)
            .FirstOrDefaultAsync();
    }

    private static Descriptor Entry(FakeRegistry registry, byte[] manifest)
    {
        registry.AddManifest(MediaTypes.OciManifest, manifest);
        return Descriptor.Of(MediaTypes.OciManifest, manifest) with { ArtifactType = MediaTypes.ConvertedImage };
    }

    private static void List(FakeRegistry registry, params Descriptor[] entries)
    {
        var tag = $"sha256-{s_image.ManifestDescriptor.Digest.Hex}";
        registry.AddTag(FakeImage.Repository, tag, registry.AddManifest(MediaTypes.OciIndex, Index(entries)));
    }

    private static byte[] Index(params Descriptor[] entries) => ManifestWriter.Write(ManifestWriter.Index(entries));
}
