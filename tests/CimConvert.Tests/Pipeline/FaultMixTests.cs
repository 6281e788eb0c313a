using CimConvert.Cims.Managed;
using CimConvert.Oci;
using CimConvert.Pipeline;
using CimConvert.Sources;
using CimConvert.Store;
using CimConvert.TestKit;
using CimConvert.TestKit.Images;
using CimConvert.TestKit.Layers;
using CimConvert.TestKit.Registry;
using CimConvert.Tests.Cli;
using CimConvert.Tests.Registry;
using Microsoft.Extensions.Logging.Abstractions;
using NUnit.Framework;

namespace CimConvert.Tests.Pipeline;

/// <summary>Whole conversions over bad networks: the right bytes, or one clear error, and never more of the network than it takes.</summary>
[Category(Categories.Slow)]
public class FaultMixTests
{
    private const int LayerSize = 6 << 20;

    /// <summary>A server that says nothing is given up on so soon, before its headers and amid a body.</summary>
    private static readonly TimeSpan s_patience = TimeSpan.FromMilliseconds(700);

    private static TempFolder s_folder = null!;
    private static OciImage s_image = null!;

    private FakeRegistry _registry = null!;

    [OneTimeSetUp]
    public static void WriteImage()
    {
        s_folder = new TempFolder();
        s_image = new ImageBuilder()
            .Layer(WindowsImage.SmallBase().File("Files/large", LayerSize, () => SeededContent.Stream(1, LayerSize)), CimConvert.TestKit.Images.LayerCompression.None)
            .Layer(new LayerBuilder().Directory("Files").File("Files/top", SeededContent.Bytes(2, 200_000)))
            .WriteTo(s_folder["image"], FakeImage.Tag);
    }

    [OneTimeTearDown]
    public static void RemoveImage() => s_folder.Dispose();

    [SetUp]
    public async Task ServeAsync()
    {
        _registry = await FakeRegistry.StartAsync();
        _registry.AddLayout(FakeImage.Repository, s_folder["image"]);
    }

    [TearDown]
    public async Task StopAsync() => await _registry.DisposeAsync();

    [TestCaseSource(typeof(FaultCatalogue), nameof(FaultCatalogue.Names))]
    public async Task Every_fault_alone(string name)
    {
        var make = FaultCatalogue.Of(name, LayerSize);
        for (var seed = 0; seed < 3; seed++)
        {
            _registry.Faults.Add(make(new Random(seed)));
            await AssertRightOrOneErrorAsync(FormattableString.Invariant($"alone-{name}-{seed}"));
        }
    }

    [Test]
    public async Task Random_mixes([Range(1, 24)] int seed)
    {
        FaultCatalogue.AddMix(_registry, seed, LayerSize);
        await AssertRightOrOneErrorAsync(FormattableString.Invariant($"mix-{seed}"));
    }

    [TestCase(0.1)]
    [TestCase(0.9)]
    public async Task A_connection_cut_on_the_way_costs_next_to_nothing(double at)
    {
        var layer = s_image.Layers[0];
        _registry.Faults.Add(Fault.DropAfter(layer.Digest, (long)(layer.Size * at)));
        var result = await ConvertAsync(FormattableString.Invariant($"cut-{at}"));
        Assert.That(result.Bytes.Downloaded, Is.LessThan(s_image.Layers.Sum(l => l.Size) * 1.03));
        Assert.That((await ConvertAsync(FormattableString.Invariant($"whole-{at}"))).Manifest, Is.EqualTo(result.Manifest));
    }

    private async Task AssertRightOrOneErrorAsync(string store)
    {
        Descriptor? made = null;
        try
        {
            made = (await ConvertAsync(store)).Manifest;
        }
        catch (ConversionException e)
        {
            Assert.That(e.Message, Does.StartWith(_registry.Reference().ToString()).And.Not.Contains("\n"));
            Assert.That(StoreFiles.Names(s_folder[store], "layers"), Is.SubsetOf(s_image.Layers.Select(l => StoreFiles.Hex(l.ChainId))));
        }

        // What a failed run left does no harm.
        _registry.Faults.Clear();
        var right = await ConvertAsync(store + "-undisturbed");
        Assert.That(made ?? (await ConvertAsync(store)).Manifest, Is.EqualTo(right.Manifest));
        Assert.That(StoreFiles.Snapshot(s_folder[store]), Is.EqualTo(StoreFiles.Snapshot(s_folder[store + "-undisturbed"])));
        Directory.Delete(s_folder[store], recursive: true);
        Directory.Delete(s_folder[store + "-undisturbed"], recursive: true);
    }

    private async Task<ConversionResult> ConvertAsync(string store)
    {
        using var client = FakeImage.Client(FakeImage.Options with { StallTimeout = s_patience, ResponseTimeout = s_patience });
        var options = new ConversionOptions { Platform = Platform.Parse("windows/amd64"), Concurrency = 2 };
        return await new ImageConversion(ConversionStore.Open(s_folder[store]), new ManagedBackend(), options, NullLogger.Instance)
            .RunAsync(new RegistrySource(client, _registry.Reference()), default);
    }
}
