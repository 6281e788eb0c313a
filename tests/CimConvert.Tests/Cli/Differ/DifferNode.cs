using CimConvert.TestKit;
using CimConvert.TestKit.Containerd;
using CimConvert.TestKit.Images;
using CimConvert.TestKit.Registry;
using CimConvert.TestKit.Servers;
using NUnit.Framework;

namespace CimConvert.Tests.Cli.Differ;

/// <summary>A real daemon whose layers the program makes, in the place of a stand-in for a Windows snapshotter.</summary>
internal sealed class DifferNode : IAsyncDisposable
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(30);

    private readonly TestCertificate _certificate;

    private DifferNode(TempFolder folder, TestCertificate certificate, FakeRegistry registry, StandInSnapshotter standIn, ContainerdDaemon daemon, BreakableSocket content, ExternalProcess differ)
    {
        Folder = folder;
        _certificate = certificate;
        Registry = registry;
        StandIn = standIn;
        Daemon = daemon;
        Content = content;
        Differ = differ;
    }

    public TempFolder Folder { get; }

    public FakeRegistry Registry { get; }

    public StandInSnapshotter StandIn { get; }

    public ContainerdDaemon Daemon { get; }

    /// <summary>By which the differ reads from the daemon.</summary>
    public BreakableSocket Content { get; }

    public ExternalProcess Differ { get; }

    /// <summary>Every file of every snapshot.</summary>
    public IEnumerable<string> LayerFiles => Directory.EnumerateFiles(Path.Combine(StandIn.Root, "snapshots"), "*", SearchOption.AllDirectories);

    public static Task<DifferNode> StartAsync(ContainerdVersion version, SnapshotterMode mode = SnapshotterMode.Cimfs) =>
        StartAsync(version, new SnapshotterOptions { Mode = mode });

    public static async Task<DifferNode> StartAsync(ContainerdVersion version, SnapshotterOptions options)
    {
        TempFolder folder = new();

        // The transfer service of 1.7 knows no registry without TLS.
        using TestAuthority authority = new(folder);
        var certificate = authority.Server("127.0.0.1");
        var registry = await FakeRegistry.StartAsync(certificate.Certificate);
        var standIn = await StandInSnapshotter.StartAsync(folder["snapshotter"], folder["snapshotter.sock"], options);
        try
        {
            var daemon = ContainerdDaemon.Prepare(new ContainerdSettings
            {
                Version = version,
                Snapshotter = (standIn.Name, standIn.Socket),
                Differ = ("cimconvert", folder["differ.sock"]),
                Authorities = authority.CertificatePath,
            });
            BreakableSocket content = new(folder["content.sock"], daemon.Socket);
            var differ = CimConvertProgram.Start(
                "differ", "--listen", $"unix://{folder["differ.sock"]}", "--containerd", $"unix://{folder["content.sock"]}", "--allow-unmounted-format", "--verbose");
            DifferNode node = new(folder, certificate, registry, standIn, daemon, content, differ);
            await node.UntilAsync(() => differ.Error.ToString().Contains("listening on", StringComparison.Ordinal));

            // A daemon that is there before its differ pauses before it tries to connect again.
            await daemon.RestartAsync();
            return node;
        }
        catch
        {
            await standIn.DisposeAsync();
            await registry.DisposeAsync();
            certificate.Dispose();
            folder.Dispose();
            throw;
        }
    }

    /// <summary>Puts an image of this system into the registry, which the daemon finds it fit for.</summary>
    public OciImage Serve(string name, ImageBuilder image)
    {
        var written = image.WriteTo(Folder["images", name], "1");
        Registry.AddLayout(name, Folder["images", name]);
        return written;
    }

    public static ImageBuilder NewImage() => new() { OperatingSystem = "linux", OsVersion = null };

    /// <summary>The name of what is served.</summary>
    public string NameOf(string repository) => $"{Registry.Host}/{repository}:1";

    /// <param name="repository">What is served.</param>
    /// <param name="isLocal">Whether the client unpacks, as all did before 2.0, and not the daemon's transfer service.</param>
    public string[] Pull(string repository, bool isLocal) =>
    [
        "images", "pull", $"--local={(isLocal ? "true" : "false")}", "--snapshotter", StandIn.Name, "--platform", "linux/amd64", NameOf(repository),
    ];

    public Task<ProcessResult> PullAsync(string repository, bool isLocal) => Daemon.TryCtrAsync(Pull(repository, isLocal));

    /// <summary>Waits for what comes soon, and fails with the logs.</summary>
    public async Task UntilAsync(Func<bool> condition)
    {
        var start = TimeProvider.System.GetTimestamp();
        while (!condition())
        {
            if (TimeProvider.System.GetElapsedTime(start) > s_patience || Differ.HasExited)
            {
                Assert.Fail($"it does not come\n{string.Join('\n', LayerFiles)}\n{Differ.Error}\n{Daemon.Log}");
            }

            await Task.Delay(5);
        }
    }

    /// <summary>Waits until nothing of a layer is there: neither a snapshot nor a file.</summary>
    public Task UntilNothingIsLeftAsync() => UntilAsync(() => StandIn.Snapshots.Count == 0 && !LayerFiles.Any());

    public async ValueTask DisposeAsync()
    {
        await Differ.DisposeAsync();
        await Content.DisposeAsync();
        await Daemon.DisposeAsync();
        await StandIn.DisposeAsync();
        await Registry.DisposeAsync();
        _certificate.Dispose();
        Folder.Dispose();
    }
}
