using CimConvert.Cims.Managed;
using CimConvert.Oci;
using CimConvert.Pipeline;
using CimConvert.Publishing;
using CimConvert.Sources;
using CimConvert.Store;
using CimConvert.TestKit;
using CimConvert.TestKit.Registry;
using CimConvert.Tests.Cli;
using CimConvert.Tests.Registry;
using Microsoft.Extensions.Logging.Abstractions;
using NUnit.Framework;

namespace CimConvert.Tests.Pipeline;

/// <summary>Converted images over bad networks: the store of a conversion, or one clear error and nothing half-done.</summary>
[Category(Categories.Slow)]
public class PullFaultTests
{
    private const string Tag = "converted";
    private const int LargeFile = 6 << 20;

    private static readonly TimeSpan s_patience = TimeSpan.FromMilliseconds(700);

    private TempFolder _folder = null!;
    private FakeRegistry _registry = null!;

    /// <summary>The store of the conversion that was pushed, without what only a push leaves.</summary>
    private IReadOnlyList<string> _right = null!;

    [SetUp]
    public async Task PushAsync()
    {
        _folder = new TempFolder();
        _registry = await FakeRegistry.StartAsync();
        _registry.Serve(_folder.Sub("image"), WindowsImage.SmallBase().File("Files/large", SeededContent.Bytes(1, LargeFile)), HiveImage.Without("app"));
        using var client = FakeImage.Client();
        var push = await PushSettings.Default.ToAsync(client, _registry.Reference(Tag), CancellationToken.None);
        var options = new ConversionOptions { Platform = Platform.Parse("windows/amd64"), WithSubject = true };
        await new ImageConversion(ConversionStore.Open(_folder["right"]), new ManagedBackend(), options, NullLogger.Instance, push)
            .RunAsync(new RegistrySource(client, _registry.Reference()), default);
        _right = Snapshot("right");
    }

    [TearDown]
    public async Task StopAsync()
    {
        await _registry.DisposeAsync();
        _folder.Dispose();
    }

    [TestCaseSource(typeof(FaultCatalogue), nameof(FaultCatalogue.Names))]
    public async Task Every_fault_alone(string name)
    {
        _registry.Faults.Add(FaultCatalogue.Of(name, LargeFile)(new Random(1)));
        await AssertRightOrOneErrorAsync(name);
    }

    [Test]
    public async Task Random_mixes([Range(1, 12)] int seed)
    {
        FaultCatalogue.AddMix(_registry, seed, LargeFile);
        await AssertRightOrOneErrorAsync($"mix-{seed}");
    }

    [Test]
    public async Task A_file_that_is_not_what_the_manifest_says_is_not_taken()
    {
        _registry.Faults.Add(Fault.Corrupt("blobs/", Fault.Always));
        Assert.That(() => PullAsync("damaged"), Throws.TypeOf<ConversionException>().With.Message.Contains("digest"));
        Assert.That(StoreFiles.Names(_folder["damaged"], "layers"), Is.Empty);
        Assert.That(StoreFiles.Names(_folder["damaged"], "ingest"), Is.Empty);
    }

    [Test]
    public async Task What_was_downloaded_is_not_downloaded_again_by_the_next_run()
    {
        const int cut = 5 << 20;
        var large = ImageManifest.Parse(_registry.FindManifest(FakeImage.Repository, Tag)!, MediaTypes.OciManifest).Layers.MaxBy(file => file.Size)!.Digest.ToString();
        _registry.Faults.Add(Fault.DropAfter(large, cut));
        _registry.Faults.Add(Fault.Status(large, 503, Fault.Always) with { Skip = 1 });
        Assert.That(() => PullAsync("resumed"), Throws.TypeOf<ConversionException>().With.Message.Contains("503"));
        _registry.Faults.Clear();

        await PullAsync("resumed");

        Assert.That(_registry.Requests.Last(request => request.Path.EndsWith(large, StringComparison.Ordinal)).Range, Does.Match(@"^bytes=[1-9]\d{6}-"));
        Assert.That(Snapshot("resumed"), Is.EqualTo(_right));
    }

    [Test]
    public async Task Where_a_converted_image_is_damaged_the_source_is_converted_if_that_is_allowed()
    {
        var manifest = ImageManifest.Parse(_registry.FindManifest(FakeImage.Repository, Tag)!, MediaTypes.OciManifest);
        _registry.Faults.Add(Fault.Corrupt(manifest.Layers[^1].Digest.ToString(), Fault.Always));

        await PullAsync("converted", mayConvert: true);

        Assert.That(Snapshot("converted").Where(IsOfLayer), Is.EqualTo(_right.Where(IsOfLayer)));
        Assert.That(StoreFiles.Names(_folder["converted"], "ingest"), Is.Empty);

        static bool IsOfLayer(string file) => file.StartsWith("layers/", StringComparison.Ordinal);
    }

    private async Task AssertRightOrOneErrorAsync(string store)
    {
        try
        {
            await PullAsync(store);
        }
        catch (ConversionException e)
        {
            Assert.That(e.Message, Does.StartWith(_registry.Reference().ToString()).And.Not.Contains("\n"));
        }

        // What a failed run left does no harm.
        _registry.Faults.Clear();
        await PullAsync(store);
        Assert.That(Snapshot(store), Is.EqualTo(_right));
    }

    private async Task PullAsync(string store, bool mayConvert = false)
    {
        using var client = FakeImage.Client(FakeImage.Options with { StallTimeout = s_patience, ResponseTimeout = s_patience });
        var options = new ConversionOptions { Platform = Platform.Parse("windows/amd64"), Concurrency = 2 };
        var finder = new ConversionFinder(client, new ConvertedForm("managed", false, false, false), options, pattern: null, verifySource: false, NullLogger.Instance);
        var into = ConversionStore.Open(_folder[store]);
        var otherwise = mayConvert ? new ImageConversion(into, new ManagedBackend(), options, NullLogger.Instance) : null;
        await new ImagePull(into, "managed", finder, options, NullLogger.Instance, otherwise)
            .RunAsync(new RegistrySource(client, _registry.Reference()), default);
    }

    private IReadOnlyList<string> Snapshot(string store) =>
        [.. StoreFiles.Snapshot(_folder[store]).Where(file => !file.Contains("/transport.json ", StringComparison.Ordinal))];
}
