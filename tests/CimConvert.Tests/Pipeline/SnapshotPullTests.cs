using CimConvert.Cims;
using CimConvert.Cims.Managed;
using CimConvert.Containerd;
using CimConvert.Oci;
using CimConvert.Pipeline;
using CimConvert.Publishing;
using CimConvert.Registry.Pull;
using CimConvert.Sources;
using CimConvert.Store;
using CimConvert.TestKit;
using CimConvert.TestKit.Registry;
using CimConvert.Tests.Cli;
using CimConvert.Tests.Registry;
using Microsoft.Extensions.Logging.Abstractions;
using NUnit.Framework;

namespace CimConvert.Tests.Pipeline;

/// <summary>A forked layer is put into a folder that other layers and killed runs have files in.</summary>
public class SnapshotPullTests
{
    private TempFolder _folder = null!;
    private FakeRegistry _registry = null!;
    private RegistryClient _client = null!;

    private string Cims => _folder["snapshots", "cim-layers"];

    private SnapshotMount Mount => new()
    {
        Kind = MountKind.CimFs,
        Folder = _folder["snapshots", "7"],
        CimPath = Path.Combine(Cims, "7.cim"),
        CimName = "7.cim",
        ParentFolders = [],
        ParentCims = [],
    };

    private string WorkFolder => SnapshotPlace.WorkFolderOf(Mount);

    [SetUp]
    public async Task PushAsync()
    {
        _folder = new TempFolder();
        _registry = await FakeRegistry.StartAsync();
        _registry.Serve(_folder.Sub("image"), WindowsImage.SmallBase());
        _client = FakeImage.Client();
        var push = await PushSettings.Default.ToAsync(_client, _registry.Reference("converted"), default);
        await new ImageConversion(ConversionStore.Open(_folder["store"]), new ManagedBackend(), Options() with { Forked = true, WithSubject = true }, NullLogger.Instance, push)
            .RunAsync(new RegistrySource(_client, _registry.Reference()), default);
        Directory.CreateDirectory(Mount.Folder);
        Directory.CreateDirectory(Cims);
    }

    [TearDown]
    public async Task StopAsync()
    {
        _client.Dispose();
        await _registry.DisposeAsync();
        _folder.Dispose();
    }

    [Test]
    public async Task What_a_run_left_that_was_killed_before_or_after_the_last_move_is_replaced()
    {
        Assert.That((await RunAsync()).WhyNot, Is.Null);
        var files = Files();
        Assert.That(files, Has.Some.EndsWith("Hives/SOFTWARE_BASE").And.Some.EndsWith("7.cim").And.Some.Contains("cim-layers/region_"));

        Directory.CreateDirectory(WorkFolder);
        File.Move(Mount.CimPath!, Path.Combine(WorkFolder, "7.cim"));
        Assert.That((await RunAsync()).WhyNot, Is.Null);
        Assert.That(Files(), Is.EqualTo(files));

        Assert.That((await RunAsync()).WhyNot, Is.Null);
        Assert.That(Files(), Is.EqualTo(files));
    }

    [Test]
    public async Task A_file_of_another_layer_is_not_replaced()
    {
        await RunAsync();
        var region = Path.GetFileName(Directory.EnumerateFiles(Cims, "region_*").Order().First());
        Directory.Delete(Mount.Folder, recursive: true);
        Directory.Delete(Cims, recursive: true);
        Directory.CreateDirectory(Mount.Folder);
        Directory.CreateDirectory(Cims);
        await File.WriteAllTextAsync(Path.Combine(Cims, region), "another layer's");

        Assert.That((await RunAsync()).WhyNot, Does.Contain($"its '{region}' would replace a file of another layer"));
        Assert.That(Files(), Is.EqualTo(new[] { $"snapshots/cim-layers/{region}" }));
        Assert.That(await File.ReadAllTextAsync(Path.Combine(Cims, region)), Is.EqualTo("another layer's"));
    }

    private static ConversionOptions Options() => new() { Platform = Platform.Parse("windows/amd64") };

    private async Task<(CommittedCim? Cim, string? WhyNot)> RunAsync()
    {
        var source = new RegistrySource(_client, _registry.Reference());
        var image = await new ImageResolver(source).ResolveAsync(Platform.Parse("windows/amd64"), null, default);
        var conversions = await SnapshotConversions.FindAsync(
            SnapshotterChoice.CimFs, new TakingConverted(_client, Pattern: null, IsRequired: true), image, source.Reference, "managed", NullLogger.Instance, default);
        var conversion = conversions.Expected(LayerPlan.Make(image)[0])!;
        using var pull = new SnapshotPull(conversion, IngestArea.In(_folder["state"]).Open(), Options(), NullLogger.Instance);
        return await pull.RunAsync(Mount, default);
    }

    private IReadOnlyList<string> Files() =>
    [
        .. Directory.EnumerateFiles(_folder["snapshots"], "*", SearchOption.AllDirectories)
            .Select(file => Path.GetRelativePath(_folder.Path, file)).Order(StringComparer.Ordinal),
    ];
}
