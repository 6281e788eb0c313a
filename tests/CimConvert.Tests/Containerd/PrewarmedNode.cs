using CimConvert.Containerd;
using CimConvert.Containerd.Api;
using CimConvert.Oci;
using CimConvert.TestKit;
using CimConvert.TestKit.Containerd;
using CimConvert.TestKit.Images;
using CimConvert.TestKit.Layers;
using Microsoft.Extensions.Logging.Abstractions;

namespace CimConvert.Tests.Containerd;

/// <summary>A real daemon with a stand-in snapshotter, and images that are put into it as prewarming does, without their content.</summary>
internal sealed class PrewarmedNode : IAsyncDisposable
{
    public const string Lease = "cimconvert-test";

    private readonly TempFolder _folder;

    private PrewarmedNode(TempFolder folder, StandInSnapshotter standIn, ContainerdDaemon daemon)
    {
        _folder = folder;
        StandIn = standIn;
        Daemon = daemon;
        Client = ContainerdClient.Connect(ContainerdAddress.Parse(daemon.Address), ContainerdClient.KubernetesNamespace, NullLogger.Instance);
        Cri = daemon.OpenCri();
    }

    public StandInSnapshotter StandIn { get; }

    public ContainerdDaemon Daemon { get; }

    public ContainerdClient Client { get; }

    public CriClient Cri { get; }

    public static async Task<PrewarmedNode> StartAsync(ContainerdVersion version, SnapshotterMode mode = SnapshotterMode.Cimfs, params string[] registries) =>
        await StartAsync(version, new SnapshotterOptions { Mode = mode }, registries);

    public static async Task<PrewarmedNode> StartAsync(ContainerdVersion version, SnapshotterOptions options, params string[] registries)
    {
        TempFolder folder = new();
        var standIn = await StandInSnapshotter.StartAsync(folder["snapshotter"], folder["snapshotter.sock"], options);
        try
        {
            var daemon = await ContainerdDaemon.StartAsync(new ContainerdSettings
            {
                Version = version,
                Snapshotter = (standIn.Name, standIn.Socket),
                PlainHttpRegistries = registries,
            });
            return new PrewarmedNode(folder, standIn, daemon);
        }
        catch
        {
            await standIn.DisposeAsync();
            folder.Dispose();
            throw;
        }
    }

    /// <summary>An image of this system, so that the daemon finds it in its index.</summary>
    public (string IndexDigest, OciImage Image) Build(string name, params string[] layers)
    {
        var builder = new ImageBuilder { OperatingSystem = "linux", OsVersion = null };
        foreach (var layer in layers)
        {
            builder.Layer(new LayerBuilder().File(layer, layer));
        }

        var (index, images) = new IndexBuilder().Image(builder).WriteTo(_folder[name]);
        return (index, images[0]);
    }

    /// <summary>Imports the layers that are missing, as far as the daemon is concerned: their place has a file.</summary>
    public static async Task<int> ImportAsync(OciImage image, Snapshotter snapshotter)
    {
        var made = 0;
        ChainId? parent = null;
        foreach (var layer in image.Layers)
        {
            var (chain, diff) = (new ChainId(Digest.Parse(layer.ChainId)), new DiffId(Digest.Parse(layer.DiffId)));
            if (await snapshotter.PrepareAsync(chain, parent, diff, default) is { } mount)
            {
                await File.WriteAllTextAsync(mount.CimPath!, layer.ChainId);
                made += await snapshotter.CommitAsync(chain, parent, diff, default) ? 1 : 0;
            }

            parent = chain;
        }

        return made;
    }

    /// <summary>As prewarming does all: with a lease, layers, registration, and the lease's end.</summary>
    /// <returns>Whether anything was written to register it.</returns>
    public async Task<bool> PrewarmAsync(string reference, string indexDigest, OciImage image, bool pin = true)
    {
        var snapshotter = await Client.SnapshotterAsync("auto", default);
        var lease = await Client.LeaseAsync(Lease, TimeSpan.FromHours(1), default);
        await ImportAsync(image, snapshotter);
        var written = await new ImageRegistration(Client).RegisterAsync(ToRegister(reference, indexDigest, image, snapshotter, pin), default);
        await lease.DropAsync(default);
        return written;
    }

    public static ImageToRegister ToRegister(string reference, string indexDigest, OciImage image, Snapshotter snapshotter, bool pin)
    {
        var name = ImageReference.Parse(reference);
        return new ImageToRegister
        {
            Host = name.Registry,
            Repository = name.Repository,
            Names = ImageToRegister.NamesOf(name, Digest.Parse(indexDigest), Digest.Parse(image.ConfigDigest)),
            Indexes = [Document(image, MediaTypes.OciIndex, indexDigest)],
            Manifest = Document(image, MediaTypes.OciManifest, image.ManifestDigest),
            Config = Document(image, MediaTypes.OciConfig, image.ConfigDigest),
            Top = new ChainId(Digest.Parse(image.Layers[^1].ChainId)),
            Snapshotter = snapshotter,
            Pin = pin,
        };
    }

    /// <summary>What ctr says, by lines.</summary>
    public async Task<string[]> LinesAsync(params string[] arguments) =>
        (await Daemon.CtrAsync(arguments)).Split('\n', StringSplitOptions.RemoveEmptyEntries);

    /// <summary>All images and content with their labels, and when they were changed last.</summary>
    public async Task<string> StateAsync()
    {
        var records = await new ImageRecords(Client).ListAsync(default);
        var lines = records.Select(record => $"{record.Name} {record.Target.Digest} {record.UpdatedAt} {Sorted(record.Labels)}").ToList();
        using var content = new Content.ContentClient(Client.Calls).List(new ListContentRequest(), Client.Options(deadline: null, default));
        while (await content.ResponseStream.MoveNext(default))
        {
            lines.AddRange(content.ResponseStream.Current.Info.Select(info => $"{info.Digest} {info.UpdatedAt} {Sorted(info.Labels)}"));
        }

        return string.Join('\n', lines.Order(StringComparer.Ordinal));

        static string Sorted(IDictionary<string, string> labels) =>
            string.Join(',', labels.Select(label => $"{label.Key}={label.Value}").Order(StringComparer.Ordinal));
    }

    public static async Task WaitUntilAsync(Func<bool> reached)
    {
        using CancellationTokenSource late = new(TimeSpan.FromSeconds(30));
        while (!reached())
        {
            await Task.Delay(20, late.Token);
        }
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        Cri.Dispose();
        await Daemon.DisposeAsync();
        await StandIn.DisposeAsync();
        _folder.Dispose();
    }

    private static RegisteredDocument Document(OciImage image, string mediaType, string digest)
    {
        var bytes = File.ReadAllBytes(image.BlobPath(digest));
        return new RegisteredDocument(Descriptor.Of(mediaType, bytes), bytes);
    }
}
