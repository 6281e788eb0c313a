using System.Text;
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
using CimConvert.TestKit.Containerd;
using CimConvert.TestKit.Images;
using CimConvert.TestKit.Layers;
using CimConvert.TestKit.Registry;
using CimConvert.Tests.Registry;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using NUnit.Framework;

namespace CimConvert.Tests.Containerd;

/// <summary>A node with a real daemon and a stand-in snapshotter, and a registry whose images are converted into it.</summary>
internal sealed class ConvertingNode : IAsyncDisposable
{
    private const string Repository = "team/app";

    private readonly TempFolder _folder = new();

    private ConvertingNode(FakeRegistry registry, PrewarmedNode node)
    {
        Registry = registry;
        Node = node;
    }

    public FakeRegistry Registry { get; }

    public PrewarmedNode Node { get; }

    public StandInSnapshotter StandIn => Node.StandIn;

    /// <summary>As <c>--state</c> takes it.</summary>
    public string State => _folder["state"];

    public TempFolder Folder => _folder;

    /// <summary>What the command line needs to reach all this from here, where nothing can be mounted.</summary>
    public IReadOnlyList<string> Arguments =>
    [
        "--into", "containerd", "--containerd", Node.Daemon.Address, "--state", State, "--allow-unmounted-format", "--plain-http",
    ];

    public int BlobRequests => Registry.Requests.Count(request => request.Path.Contains("/blobs/", StringComparison.Ordinal));

    public static Task<ConvertingNode> StartAsync(ContainerdVersion version, SnapshotterMode mode) =>
        StartAsync(version, new SnapshotterOptions { Mode = mode });

    public static async Task<ConvertingNode> StartAsync(ContainerdVersion version, SnapshotterOptions options)
    {
        var registry = await FakeRegistry.StartAsync();
        try
        {
            return new ConvertingNode(registry, await PrewarmedNode.StartAsync(version, options, registry.Host));
        }
        catch
        {
            await registry.DisposeAsync();
            throw;
        }
    }

    public string Name(string tag) => $"{Registry.Host}/{Repository}:{tag}";

    /// <summary>Serves an image of this system, so that the daemon finds it in its index.</summary>
    public (string IndexDigest, OciImage Image) Serve(string tag, params IEnumerable<LayerBuilder> layers) =>
        Serve(tag, builder => layers.Aggregate(builder, (image, layer) => image.Layer(layer)));

    public (string IndexDigest, OciImage Image) Serve(string tag, Func<ImageBuilder, ImageBuilder> addLayers)
    {
        var builder = addLayers(new ImageBuilder { OperatingSystem = "linux", OsVersion = null });
        var (index, images) = new IndexBuilder().Image(builder).WriteTo(_folder["images"], tag);
        Registry.AddLayout(Repository, _folder["images"]);
        return (index, images[0]);
    }

    /// <summary>Converts in this process.</summary>
    public Task<ContainerdResult> ConvertAsync(string tag, Func<IntoContainerd, IntoContainerd>? change = null, CancellationToken cancellationToken = default) =>
        RunAsync(tag, _ => null, NullLogger.Instance, change, cancellationToken);

    /// <summary>As <see cref="ConvertAsync"/>, with layers of what refers to the image.</summary>
    public Task<ContainerdResult> TakeAsync(
        string tag,
        bool isRequired = false,
        ILogger? logger = null,
        Func<IntoContainerd, IntoContainerd>? change = null,
        CancellationToken cancellationToken = default) =>
        RunAsync(tag, client => new TakingConverted(client, Pattern: null, isRequired), logger ?? NullLogger.Instance, change, cancellationToken);

    /// <summary>Converts an image elsewhere, in the form that the snapshotter wants, and pushes it.</summary>
    /// <returns>What was pushed.</returns>
    public async Task<ConvertedContent> PushConvertedAsync(string tag, string to, Func<ConversionOptions, ConversionOptions>? change = null)
    {
        using var client = FakeImage.Client();
        using var store = new TempFolder();
        var options = new ConversionOptions
        {
            Platform = Platform.Parse("linux/amd64"),
            Forked = StandIn.Options.Mode == SnapshotterMode.Cimfs,
            Block = new BlockCimOptions(StandIn.Options.LayerIntegrity, StandIn.Options.VhdFooter),
            WithSubject = true,
        };
        var target = ImageReference.Parse(to);
        var push = await PushSettings.Default.ToAsync(client, target, default);
        await new ImageConversion(ConversionStore.Open(store.Path), new ManagedBackend(), change?.Invoke(options) ?? options, NullLogger.Instance, push)
            .RunAsync(new RegistrySource(client, ImageReference.Parse(Name(tag))), default);
        return ConvertedContent.Read(await new RegistrySource(client, target).GetManifestAsync(expected: null, default));
    }

    /// <summary>How often a layer of the source was asked for.</summary>
    public int LayerRequests(OciImage image) =>
        Registry.Requests.Count(request => image.Layers.Any(layer => request.Path.EndsWith(layer.Digest, StringComparison.Ordinal)));

    /// <summary>
    /// Every file of an image's snapshots, with its digest. The layer's number stands for what differs from run to run: what the snapshotter
    /// counts, and the ID in the names of a forked CIM's regions, which depends on the CIM's name.
    /// </summary>
    public IReadOnlyList<string> FilesOf(OciImage image)
    {
        var snapshots = Path.Combine(StandIn.Root, "snapshots");
        var layers = image.Layers.Index().ToDictionary(layer => SnapshotOf(layer.Item).Id, layer => $"layer{layer.Index}");
        var regions = StandIn.Options.Mode == SnapshotterMode.Blockcim ? [] : layers.ToDictionary(
            layer => StandardCim.Open(Path.Combine(snapshots, "cim-layers", layer.Key + ".cim")).Header.Own.Id, layer => layer.Value);
        return [.. Directory.EnumerateFiles(snapshots, "*", SearchOption.AllDirectories).Select(Describe).Order(StringComparer.Ordinal)];

        string Describe(string file)
        {
            var name = string.Join('/', Path.GetRelativePath(snapshots, file).Split('/').Select(NameOf));
            var content = Convert.ToHexStringLower(File.ReadAllBytes(file));
            foreach (var (id, layer) in regions)
            {
                name = name.Replace(id.ToString(), layer, StringComparison.Ordinal);
                content = content.Replace(Convert.ToHexStringLower(id.ToByteArray()), layer, StringComparison.Ordinal);
            }

            return $"{name} {Digest.Compute(Encoding.UTF8.GetBytes(content))}";
        }

        string NameOf(string part) => layers.TryGetValue(Path.GetFileNameWithoutExtension(part), out var layer) ? layer + Path.GetExtension(part) : part;
    }

    /// <summary>Where a finished layer is.</summary>
    public StandInSnapshot SnapshotOf(OciLayer layer) => StandIn.Snapshots.Single(snapshot => snapshot.Key.EndsWith(layer.ChainId, StringComparison.Ordinal));

    /// <summary>Nothing is there but these layers: no lease, no layer half made, no file of any but the layers.</summary>
    public async Task AssertOnlyAsync(params IEnumerable<OciImage> images)
    {
        Assert.That(await Node.LinesAsync("leases", "ls", "-q"), Is.Empty, "leases");
        Assert.That(
            StandIn.Snapshots.Select(snapshot => (snapshot.Key[snapshot.Key.IndexOf("sha256:", StringComparison.Ordinal)..], snapshot.Kind)),
            Is.EquivalentTo(images.SelectMany(image => image.Layers).Select(layer => (layer.ChainId, StandInKind.Committed)).Distinct()));
        var files = Directory.EnumerateFiles(StandIn.Root, "*", SearchOption.AllDirectories).Select(file => Path.GetRelativePath(StandIn.Root, file)).ToArray();
        Assert.That(files.Where(IsUnfinished), Is.Empty, "unfinished files");
        Assert.That(
            Directory.EnumerateDirectories(Path.Combine(StandIn.Root, "snapshots")).Select(Path.GetFileName),
            Is.EquivalentTo(StandIn.Snapshots.Select(snapshot => snapshot.Id).Concat(StandIn.Options.Mode == SnapshotterMode.Cimfs ? ["cim-layers"] : [])));
        Assert.That(Directory.EnumerateFileSystemEntries(Path.Combine(State, "ingest")), Is.Empty, "claims and partial downloads");
    }

    public async ValueTask DisposeAsync()
    {
        await Node.DisposeAsync();
        await Registry.DisposeAsync();
        _folder.Dispose();
    }

    private async Task<ContainerdResult> RunAsync(
        string tag, Func<RegistryClient, TakingConverted?> taking, ILogger logger, Func<IntoContainerd, IntoContainerd>? change, CancellationToken cancellationToken)
    {
        var into = new IntoContainerd { Address = ContainerdAddress.Parse(Node.Daemon.Address), State = State, AllowsUnmountedFormat = true };
        using var target = await (change?.Invoke(into) ?? into).OpenAsync(CimBackends.Managed, logger, cancellationToken);
        using var client = FakeImage.Client();
        var options = new ConversionOptions { Platform = Platform.Parse("linux/amd64") };
        return await new ContainerdConversion(target, options, logger) { Taking = taking(client) }
            .RunAsync(new RegistrySource(client, ImageReference.Parse(Name(tag))), cancellationToken);
    }

    private static bool IsUnfinished(string file) =>
        file.Contains(".partial", StringComparison.Ordinal) || file.Contains(".claim", StringComparison.Ordinal) || file.Contains(".staging", StringComparison.Ordinal);
}
