using CimConvert.TestKit;
using NUnit.Framework;

namespace CimConvert.Tests.Cli.Hostile;

/// <summary>
/// Images with one thing wrong, and with two: each is converted, or refused with one line that says where; and either way the store
/// holds nothing that is not whole, and nothing lies beside it.
/// </summary>
[Category(Categories.Slow)]
internal sealed class HostileImageTests
{
    /// <summary>Partners of each quirk, spread over all others: with the quirks alone that makes well over 500 images.</summary>
    private const int Partners = 3;

    private static readonly Quirk[] s_quirks = [.. TarQuirks.All, .. ImageQuirks.All];

    [TestCaseSource(nameof(s_quirks))]
    public async Task One_thing_wrong(Quirk quirk)
    {
        var (exitCode, error) = await ConvertAsync([quirk]);
        Assert.That(exitCode, Is.EqualTo(quirk.Refusal is null ? 0 : 1), error);
        Assert.That(error, Does.Contain(quirk.Refusal ?? string.Empty));
    }

    [TestCaseSource(nameof(s_quirks))]
    public async Task Two_things_wrong(Quirk quirk)
    {
        var at = Array.IndexOf(s_quirks, quirk);
        for (var i = 1; i <= Partners; i++)
        {
            // Steps that grow: no pair comes twice.
            var partner = s_quirks[(at + (i * i * 5) + i) % s_quirks.Length];
            await ConvertAsync([quirk, partner]);
        }
    }

    [Test]
    public void There_are_five_hundred_images() => Assert.That(s_quirks.Length * (1 + Partners), Is.GreaterThanOrEqualTo(500));

    /// <summary>Converts an image, and holds what came of it to what every image is held to.</summary>
    private static async Task<(int ExitCode, string Error)> ConvertAsync(Quirk[] quirks)
    {
        var what = string.Join(" and ", quirks.Select(q => q.Name));
        using var folder = new TempFolder();
        var image = new HostileImage();
        foreach (var quirk in quirks)
        {
            quirk.Apply(image);
        }

        var digest = image.WriteTo(folder.Sub("image"));
        var before = StoreFiles.Snapshot(folder["image"]);
        var (exitCode, error) = await InProcess.RunAsync("convert", $"oci:{folder["image"]}", "--output", folder["store"], "--quiet", "--json");

        using (Assert.EnterMultipleScope())
        {
            Assert.That(exitCode, Is.AnyOf(0, 1), what);
            Assert.That(Directory.GetFileSystemEntries(folder.Path), Is.SubsetOf(new[] { folder["image"], folder["store"] }), what);
            Assert.That(StoreFiles.Snapshot(folder["image"]), Is.EqualTo(before), what);
            Assert.That(StoreFiles.Names(folder["store"], "ingest"), Is.Empty, what);
            AssertWhole(folder["store"], exitCode, what);
            if (exitCode == 0)
            {
                Assert.That(error, Is.Empty, what);
            }
            else
            {
                AssertOneLine(error, folder["image"], what);
                if (quirks is [{ Where: not Names.Image }])
                {
                    Assert.That(error, Does.Contain("layer 2 of 2").And.Contain(digest!), what);
                }

                if (quirks is [{ Where: Names.Entry }])
                {
                    Assert.That(error, Does.Contain("entry '").Or.Contain("tar header at offset"), what);
                }

                if (quirks is [{ Where: Names.Link }])
                {
                    Assert.That(error, Does.Contain("): link 'Files\\"), what);
                }
            }
        }

        return (exitCode, error);
    }

    private static void AssertOneLine(string error, string image, string what)
    {
        Assert.That(error, Does.Match(@"\Aerror: [^\n]+\n\z").And.Not.Contains("internal error").And.Not.Contains("   at "), what);
        Assert.That(error, Does.StartWith($"error: oci:{image}: "), what);
        Assert.That(error.Any(c => char.IsControl(c) && c != '\n'), Is.False, what);
    }

    /// <summary>Every layer has what a layer has, and only a conversion that was done has more.</summary>
    private static void AssertWhole(string store, int exitCode, string what)
    {
        var layers = StoreFiles.Names(store, "layers");
        Assert.That(layers, Has.Count.LessThanOrEqualTo(2), what);
        foreach (var layer in layers)
        {
            Assert.That(StoreFiles.Names(store, "layers", layer), Is.SupersetOf(new[] { "layer.bcim", "layer.json" }), what);
        }

        Assert.That(StoreFiles.Names(store, "blobs", "sha256").Count > 0, Is.EqualTo(exitCode == 0), what);
        Assert.That(File.Exists(Path.Combine(store, "index.json")), Is.EqualTo(exitCode == 0), what);
        if (exitCode == 0)
        {
            Assert.That(layers, Has.Count.EqualTo(2), what);
        }
    }
}
