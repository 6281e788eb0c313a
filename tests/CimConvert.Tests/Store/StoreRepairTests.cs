using CimConvert.Cims;
using CimConvert.Cims.Managed;
using CimConvert.Oci;
using CimConvert.Pipeline;
using CimConvert.Sources;
using CimConvert.Store;
using CimConvert.TestKit;
using CimConvert.TestKit.Registry;
using CimConvert.Tests.Cli;
using CimConvert.Tests.Pipeline;
using CimConvert.Tests.Registry;
using Microsoft.Extensions.Logging.Abstractions;
using NUnit.Framework;

namespace CimConvert.Tests.Store;

/// <summary>Every kind of damage to a sealed store with footers: found, removed, and made good by the next conversion.</summary>
[Category(Categories.Process)]
public class StoreRepairTests
{
    private const string Base = "layers/0";
    private const string Top = "layers/1";

    private static TempFolder s_folder = null!;
    private static FakeRegistry s_registry = null!;
    private static ConversionResult s_result = null!;
    private static IReadOnlyList<string> s_undisturbed = null!;

    [OneTimeSetUp]
    public static async Task ConvertOnce()
    {
        s_folder = new TempFolder();
        s_registry = await FakeRegistry.StartAsync();
        s_registry.Serve(s_folder.Sub("image"), HiveImage.Base(), HiveImage.Without());
        s_result = await ConvertAsync(s_folder["undisturbed"]);
        s_undisturbed = StoreFiles.Snapshot(s_folder["undisturbed"]);
    }

    [OneTimeTearDown]
    public static async Task Remove()
    {
        await s_registry.DisposeAsync();
        s_folder.Dispose();
    }

    [TestCase(Base + "/layer.json", Damage.Overwrite)]
    [TestCase(Base + "/layer.json", Damage.Remove)]
    [TestCase(Base + "/layer.vhd", Damage.FlipMiddle)]
    [TestCase(Base + "/layer.vhd", Damage.FlipLast)]
    [TestCase(Base + "/layer.vhd", Damage.Truncate)]
    [TestCase(Base + "/layer.vhd", Damage.Remove)]
    [TestCase(Base + "/integrity_checksum", Damage.FlipMiddle)]
    [TestCase(Base + "/integrity_checksum", Damage.Remove)]
    [TestCase(Base + "/Hives/SOFTWARE_BASE", Damage.FlipMiddle)]
    [TestCase(Top + "/layer.vhd", Damage.FlipMiddle)]
    [TestCase(Top + "/merged.json", Damage.Overwrite)]
    [TestCase(Top + "/merged.vhd", Damage.FlipMiddle)]
    [TestCase(Top + "/merged.vhd", Damage.FlipLast)]
    [TestCase(Top + "/merged.vhd", Damage.Remove)]
    [TestCase(Top + "/merged_integrity_checksum", Damage.Remove)]
    [TestCase("blobs/layer", Damage.FlipMiddle)]
    [TestCase("blobs/layer", Damage.Remove)]
    [TestCase("blobs/merged", Damage.Truncate)]
    [TestCase("blobs/config", Damage.FlipMiddle)]
    [TestCase("blobs/config", Damage.Remove)]
    [TestCase("blobs/manifest", Damage.FlipMiddle)]
    [TestCase("blobs/manifest", Damage.Truncate)]
    [TestCase("blobs/manifest", Damage.Remove)]
    [TestCase("blobs/foreign", Damage.Overwrite)]
    [TestCase("index.json", Damage.Overwrite)]
    public async Task Damage_is_found_removed_and_made_good(string part, Damage damage)
    {
        using var folder = new TempFolder();
        var store = StoredImages.Copy(s_folder["undisturbed"], folder["store"]);
        Apply(damage, Find(store, part));
        var problems = Verify(store);
        Assert.That(problems, Is.Not.Empty);
        Assert.That(problems.Select(problem => problem.ToString()), Is.All.Contains("'verify --repair' "));

        var repaired = await new StoreRepair(store).RunAsync(problems, CancellationToken.None);

        Assert.That(repaired.Repaired, Is.Not.Empty);
        Assert.That(repaired.Left, Is.Empty);
        Assert.That(Verify(store), Is.Empty);
        Assert.That(StoreFiles.Names(store.Root, "ingest"), Is.Empty);
        await ConvertAsync(store.Root);
        Assert.That(StoreFiles.Snapshot(store.Root), Is.EqualTo(s_undisturbed));
    }

    [Test]
    public async Task A_blob_whose_layer_is_good_is_linked_and_its_image_stays()
    {
        using var folder = new TempFolder();
        var store = StoredImages.Copy(s_folder["undisturbed"], folder["store"]);
        Apply(Damage.FlipMiddle, Find(store, "blobs/layer"));
        Apply(Damage.Remove, Find(store, "blobs/merged"));

        await new StoreRepair(store).RunAsync(Verify(store), CancellationToken.None);

        Assert.That(StoreFiles.Snapshot(store.Root), Is.EqualTo(s_undisturbed));
    }

    [Test]
    public async Task What_is_used_or_claimed_is_left_and_said()
    {
        using var folder = new TempFolder();
        var store = StoredImages.Copy(s_folder["undisturbed"], folder["store"]);
        Apply(Damage.FlipMiddle, Find(store, Base + "/Hives/SOFTWARE_BASE"));
        Apply(Damage.FlipMiddle, Find(store, "blobs/merged"));
        var problems = Verify(store);
        var damaged = StoreFiles.Snapshot(store.Root);
        ChainId[] chain = [.. s_result.Layers.Select(layer => layer.Layer.ChainId)];
        using (await store.UseAsync(chain, CancellationToken.None))
        {
            var left = (await new StoreRepair(store).RunAsync(problems, CancellationToken.None)).Left;
            Assert.That(left, Has.Count.EqualTo(2).And.All.Contains("a running conversion uses"));
        }

        Assert.That(StoreFiles.Snapshot(store.Root), Is.EqualTo(damaged));
        using (await store.Ingest.ClaimAsync(chain[0], CancellationToken.None))
        {
            var left = (await new StoreRepair(store).RunAsync(problems, CancellationToken.None)).Left;
            Assert.That(left, Has.One.Contains(chain[0].ToString()).And.One.Contains("another process is working on it"));
            Assert.That(Verify(store).Select(problem => problem.Part), Has.None.EqualTo(StorePart.Layer), "what is being made is not looked at");
        }
    }

    [Test]
    public async Task Of_several_versions_the_broken_one_is_named_and_removed()
    {
        using var folder = new TempFolder();
        var store = ConversionStore.Open(folder["store"]);
        string[] versions = ["10.0.17763.1", "10.0.20348.1", "10.0.26100.1"];
        foreach (var version in versions)
        {
            await StoredImages.AddVersionAsync(store, "host/a:1", version, "base " + version);
        }

        File.Delete(store.BlobPath(store.Images()[1].Manifest.Digest));
        var problems = Verify(store);
        var listed = await CimConvertProgram.RunAsync("images", store.Root, "--json");
        var repaired = await new StoreRepair(store).RunAsync(problems, CancellationToken.None);

        using (Assert.EnterMultipleScope())
        {
            Assert.That(problems.Select(problem => problem.Name), Is.EqualTo(new[] { "host/a:1 (windows/amd64 10.0.20348.1)" }));
            Assert.That(repaired.Repaired, Is.EqualTo(new[] { "removed host/a:1 (windows/amd64 10.0.20348.1) from the index: convert it again" }));
            Assert.That(store.Images().Select(image => image.Manifest.Platform!.OsVersion), Is.EqualTo(new[] { versions[0], versions[2] }));
            Assert.That(listed.ExitCode, Is.EqualTo(3));
            Assert.That(listed.Error, Does.StartWith("error: host/a:1 (windows/amd64 10.0.20348.1): its manifest cannot be read (").And.EndsWith("convert it again\n"));
            Assert.That(listed.Output, Does.Contain("10.0.17763.1").And.Contain("10.0.26100.1"));
        }
    }

    [Test]
    public async Task Verify_and_its_repair_say_what_they_found_and_did()
    {
        using var folder = new TempFolder();
        var store = StoredImages.Copy(s_folder["undisturbed"], folder["store"]);
        Apply(Damage.FlipMiddle, Find(store, "blobs/config"));
        var config = s_result.Image.Manifest.Config.Digest.Hex;

        var found = await CimConvertProgram.RunAsync("verify", store.Root, "--json");
        var repaired = await CimConvertProgram.JsonAsync("verify", store.Root, "--repair");
        var again = await CimConvertProgram.JsonAsync("verify", store.Root, "--repair");
        var usage = await CimConvertProgram.FailAsync(2, "verify", Find(store, Top + "/layer.vhd"), "--repair");

        using (Assert.EnterMultipleScope())
        {
            Assert.That(found.ExitCode, Is.EqualTo(1));
            Assert.That(found.Error, Does.Match($"^error: blob {config}: .*\n$"));
            Assert.That(repaired.GetProperty("ok").GetBoolean(), Is.True);
            Assert.That(repaired.GetProperty("problems").GetArrayLength(), Is.EqualTo(1));
            Assert.That(
                repaired.GetProperty("repaired").EnumerateArray().Select(line => line.GetString()),
                Is.EqualTo(new[] { $"removed blob {config}", $"removed {s_registry.Reference()} from the index: convert it again" }));
            Assert.That(again.GetProperty("problems").GetArrayLength() + again.GetProperty("repaired").GetArrayLength(), Is.Zero);
            Assert.That(usage, Does.Contain("--repair goes with a store's directory"));
        }
    }

    public enum Damage
    {
        FlipMiddle,
        FlipLast,
        Truncate,
        Overwrite,
        Remove,
    }

    private static void Apply(Damage damage, string path)
    {
        switch (damage)
        {
            case Damage.FlipMiddle:
                Corrupter.FlipByteAt(path, new FileInfo(path).Length / 2);
                break;
            case Damage.FlipLast:
                // In the footer: its own id, not what the footer's checksum leaves out.
                Corrupter.FlipByteAt(path, new FileInfo(path).Length - 512 + 70);
                break;
            case Damage.Truncate:
                using (var file = File.OpenWrite(path))
                {
                    file.SetLength(file.Length / 2);
                }

                break;
            case Damage.Overwrite:
                File.WriteAllText(path, "{");
                break;
            default:
                File.Delete(path);
                break;
        }
    }

    private static string Find(ConversionStore store, string part)
    {
        var parts = part.Split('/', 3);
        return (parts[0], parts.ElementAtOrDefault(1)) switch
        {
            ("blobs", "layer") => store.BlobPath(s_result.Layers[0].Layer.Record.Cim.Digest),
            ("blobs", "merged") => store.BlobPath(s_result.Top.Merged!.Digest),
            ("blobs", "config") => store.BlobPath(s_result.Image.Manifest.Config.Digest),
            ("blobs", "manifest") => store.BlobPath(s_result.Manifest.Digest),
            ("blobs", _) => store.BlobPath("foreign"),
            ("layers", "0") => Path.Combine(store.LayerFolder(s_result.Layers[0].Layer.ChainId), parts[2]),
            ("layers", _) => Path.Combine(store.LayerFolder(s_result.Top.ChainId), parts[2]),
            _ => Path.Combine(store.Root, part),
        };
    }

    private static IReadOnlyList<StoreProblem> Verify(ConversionStore store) => new StoreVerification(store, CancellationToken.None).Run();

    private static async Task<ConversionResult> ConvertAsync(string store)
    {
        var options = new ConversionOptions { Platform = Platform.Parse("windows/amd64"), Block = new BlockCimOptions(Integrity: true, VhdFooter: true) };
        using var client = FakeImage.Client();
        return await new ImageConversion(ConversionStore.Open(store), new ManagedBackend(), options, NullLogger.Instance)
            .RunAsync(new RegistrySource(client, s_registry.Reference()), CancellationToken.None);
    }
}
