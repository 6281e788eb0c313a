using System.Text.Json.Nodes;
using CimConvert.TestKit;
using CimConvert.TestKit.Containerd;
using CimConvert.TestKit.Images;
using CimConvert.TestKit.Layers;
using CimConvert.TestKit.Servers;
using Grpc.Core;
using NUnit.Framework;

namespace CimConvert.Tests.TestKit;

/// <summary>The daemons that other tests register images with, and what stands in for the snapshotters of Windows.</summary>
[Platform(Exclude = "Win", Reason = "containerd of Debian")]
[Category(Categories.Process)]
[Category(Categories.Tools)]
[Category(Categories.Slow)]
public class ContainerdTests
{
    private static readonly string[] s_forked =
    [
        "rw",
        "cimpath=ROOT/cim-layers/2.cim",
        "parentLayerPaths=[\"ROOT/1\"]",
        "parentCimPaths=[\"ROOT/cim-layers/1.cim\"]",
    ];

    private static readonly string[] s_block = ["parentCimPaths=[\"ROOT/1/layer.vhd/layer.cim\"]", "blockCIMType=file", "append_vhd_footer"];

    [Test]
    public async Task A_daemon_starts_with_the_stand_in_and_CRI_answers_before_and_after_it_is_killed([Values] ContainerdVersion version)
    {
        using TempFolder folder = new();
        await using StandInSnapshotter snapshotter = await StartSnapshotter(folder, SnapshotterMode.Cimfs);
        await using ContainerdDaemon daemon = await StartDaemon(version, snapshotter);
        using CriClient cri = daemon.OpenCri();

        string plugins = await daemon.CtrAsync("plugins", "ls");
        Assert.That(Line(plugins, "cimfs"), Does.StartWith("io.containerd.snapshotter.v1").And.EndWith("ok"));
        Assert.That(await cri.ListImagesAsync(), Is.Empty);

        await daemon.KillAsync();
        Assert.That(async () => await cri.ListImagesAsync(), Throws.TypeOf<RpcException>());
        await daemon.RestartAsync();
        Assert.That(await cri.ListImagesAsync(), Is.Empty);
        await daemon.StopAsync();
    }

    /// <summary>A daemon that called while nobody listened fails all calls until it calls again, a second later.</summary>
    private static async Task<string> TreeOnceConnected(ContainerdDaemon daemon, StandInSnapshotter snapshotter)
    {
        const int attempts = 100;
        for (int attempt = 1; ; attempt++)
        {
            ProcessResult tree = await daemon.TryCtrAsync("snapshots", "--snapshotter", snapshotter.Name, "tree");
            if (attempt == attempts || !tree.Error.Contains("connection refused", StringComparison.Ordinal))
            {
                return tree.EnsureSuccess().Output;
            }

            await Task.Delay(TimeSpan.FromMilliseconds(100));
        }
    }

    [Test]
    public async Task Layers_are_committed_through_the_daemon_with_the_mounts_of_Windows(
        [Values] ContainerdVersion version, [Values] SnapshotterMode mode)
    {
        using TempFolder folder = new();
        StandInSnapshotter snapshotter = await StartSnapshotter(folder, mode);
        try
        {
            await using ContainerdDaemon daemon = await StartDaemon(version, snapshotter);
            string snapshots = Path.Combine(snapshotter.Root, "snapshots");

            await Snapshots(daemon, snapshotter, "prepare", "extract-1 base");
            await Snapshots(daemon, snapshotter, "commit", "base", "extract-1 base");
            string mount = await Snapshots(daemon, snapshotter, "prepare", "--mounts", "extract-2 top", "base");
            await Snapshots(daemon, snapshotter, "commit", "top", "extract-2 top");

            JsonNode answered = JsonNode.Parse(mount)!.AsArray().Single()!;
            bool forked = mode == SnapshotterMode.Cimfs;
            Assert.That((string?)answered["Type"], Is.EqualTo(forked ? "CimFS" : "BlockCIM"));
            Assert.That((string?)answered["Source"], Is.EqualTo(Path.Combine(snapshots, forked ? "2" : "2/layer.vhd/layer.cim")));
            Assert.That(
                answered["Options"]!.AsArray().Select(option => (string?)option),
                Is.EqualTo((forked ? s_forked : s_block).Select(option => option.Replace("ROOT", snapshots, StringComparison.Ordinal))));

            // The stand-in dies and comes back; the daemon does not notice.
            await snapshotter.DisposeAsync();
            snapshotter = await StartSnapshotter(folder, mode);
            Assert.That(snapshotter.Snapshots.Select(snapshot => snapshot.Key), Is.EqualTo(new[] { "k8s.io/2/base", "k8s.io/4/top" }));
            Assert.That(await TreeOnceConnected(daemon, snapshotter), Does.Contain("base").And.Contain("top"));

            // A container's snapshot merges, once.
            if (mode == SnapshotterMode.Blockcim)
            {
                foreach (StandInSnapshot layer in snapshotter.Snapshots)
                {
                    await File.WriteAllTextAsync(snapshotter.LayerFileOf(layer), "a block file");
                }
            }

            await Snapshots(daemon, snapshotter, "prepare", "container1", "top");
            await Snapshots(daemon, snapshotter, "view", "container2", "top");
            bool[] merges = mode == SnapshotterMode.Blockcim ? [false, true] : [];
            Assert.That(snapshotter.Merges.Select(merge => merge.WasThere), Is.EqualTo(merges));

            // ctr of 1.6 lets the daemon's collection take a view at any time; all else stays until it is removed, from the top.
            await daemon.TryCtrAsync("snapshots", "--snapshotter", snapshotter.Name, "rm", "container2");
            foreach (string key in new[] { "container1", "top", "base" })
            {
                await Snapshots(daemon, snapshotter, "rm", key);
            }

            await daemon.CollectGarbageAsync();
            await WaitUntil(() => snapshotter.Snapshots.Count == 0);
            Assert.That(Directory.EnumerateDirectories(snapshots).Select(Path.GetFileName).Where(name => name != "cim-layers"), Is.Empty);
        }
        finally
        {
            await snapshotter.DisposeAsync();
        }
    }

    [Test]
    public async Task CRI_pulls_from_a_registry_into_the_stand_in_as_far_as_this_system_can([Values] ContainerdVersion version)
    {
        using TempFolder folder = new();
        await using StandInSnapshotter snapshotter = await StartSnapshotter(folder, SnapshotterMode.Cimfs);
        await using DockerRegistry registry = await DockerRegistry.StartAsync();
        OciImage image = new ImageBuilder { OperatingSystem = "linux", OsVersion = null }
            .Layer(new LayerBuilder().File("one", "1"))
            .Layer(new LayerBuilder().File("two", "2"))
            .WriteTo(folder["layout"]);
        await registry.PutAsync("small", image);
        await using ContainerdDaemon daemon = await StartDaemon(version, snapshotter, registry.Host);
        using CriClient cri = daemon.OpenCri();
        string reference = registry.Reference("small");

        // Only Windows can mount what the stand-in names; the daemon's own differ finds that out after it has asked for it.
        Assert.That(async () => await cri.PullImageAsync(reference), Throws.TypeOf<RpcException>().With.Message.Contains("mount"));
        Assert.That(snapshotter.Count("Prepare", image.Layers[0].ChainId), Is.Not.Zero, daemon.Log);
        Assert.That(snapshotter.Count("Commit"), Is.Zero);
        Assert.That(registry.CountRequests("GET", image.Layers[0].Digest), Is.Not.Zero);

        // What ctr only fetches CRI sees, and frees again.
        await daemon.CtrAsync("content", "fetch", "--plain-http", "--platform", "linux/amd64", reference);
        CriImage? seen = await cri.WaitForImageAsync(reference);
        Assert.That(seen!.Id, Is.EqualTo(image.ConfigDigest));
        Assert.That(await cri.ListImagesAsync(), Has.Count.EqualTo(1));
        await cri.RemoveImageAsync(reference);
        Assert.That(await cri.WaitForImageAsync(reference, present: false), Is.Null);
        await daemon.CollectGarbageAsync();
        await WaitUntil(() => snapshotter.Snapshots.Count == 0);
    }

    [Test]
    public async Task A_call_that_a_test_wants_to_fail_fails_before_or_after_its_work([Values] bool done)
    {
        using TempFolder folder = new();
        await using StandInSnapshotter snapshotter = await StartSnapshotter(folder, SnapshotterMode.Cimfs);
        await using ContainerdDaemon daemon = await StartDaemon(ContainerdVersion.V2_1, snapshotter);
        await Snapshots(daemon, snapshotter, "prepare", "extract-1 base");

        snapshotter.FailAt(snapshotter.Calls.Count + 1, done: done);
        ProcessResult failed = await daemon.TryCtrAsync("snapshots", "--snapshotter", snapshotter.Name, "commit", "base", "extract-1 base");

        Assert.That(failed.ExitCode, Is.Not.Zero);
        Assert.That(failed.Error, Does.Contain("the test wants call"));
        Assert.That(snapshotter.Snapshots.Single().Kind, Is.EqualTo(done ? StandInKind.Committed : StandInKind.Active));
    }

    private static Task<StandInSnapshotter> StartSnapshotter(TempFolder folder, SnapshotterMode mode) => StandInSnapshotter.StartAsync(
        folder["snapshotter"], folder["snapshotter.sock"], new SnapshotterOptions { Mode = mode, VhdFooter = true });

    private static Task<ContainerdDaemon> StartDaemon(ContainerdVersion version, StandInSnapshotter snapshotter, params string[] registries) =>
        ContainerdDaemon.StartAsync(new ContainerdSettings
        {
            Version = version,
            Snapshotter = (snapshotter.Name, snapshotter.Socket),
            PlainHttpRegistries = registries,
        });

    private static Task<string> Snapshots(ContainerdDaemon daemon, StandInSnapshotter snapshotter, params string[] arguments) =>
        daemon.CtrAsync(["snapshots", "--snapshotter", snapshotter.Name, .. arguments]);

    private static string Line(string text, string part) =>
        text.Split('\n').Single(line => line.Contains(part, StringComparison.Ordinal)).Trim();

    private static async Task WaitUntil(Func<bool> reached)
    {
        using CancellationTokenSource late = new(TimeSpan.FromSeconds(30));
        while (!reached())
        {
            await Task.Delay(20, late.Token);
        }
    }
}
