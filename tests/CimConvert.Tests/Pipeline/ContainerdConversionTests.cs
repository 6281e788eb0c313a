using CimConvert.Cims;
using CimConvert.Cims.Managed;
using CimConvert.Layers;
using CimConvert.Layers.Hives;
using CimConvert.Pipeline;
using CimConvert.Storage;
using CimConvert.TestKit;
using CimConvert.TestKit.Containerd;
using CimConvert.TestKit.Layers;
using CimConvert.TestKit.Servers;
using CimConvert.Tests.Containerd;
using Grpc.Core;
using Microsoft.Extensions.Logging.Abstractions;
using NUnit.Framework;

namespace CimConvert.Tests.Pipeline;

/// <summary>Images are converted into real daemons; what came of it is asked by CRI, as kubelet does, by ctr, and of the files.</summary>
[Platform(Exclude = "Win", Reason = "containerd of Debian")]
[Category(Categories.Process)]
[Category(Categories.Tools)]
[Category(Categories.Slow)]
public class ContainerdConversionTests
{
    /// <summary>Hives in the base, changed once, above and below layers that do not change any.</summary>
    private static readonly LayerBuilder[] s_layers =
    [
        HiveImage.Base(), HiveImage.Without("a"), HiveImage.Changing("SOFTWARE_DELTA", HiveImage.BuildDelta(HiveImage.SoftwareDelta)), HiveImage.Without("b"),
    ];

    [Test]
    public async Task An_image_is_ready_for_kubelet_and_a_second_run_writes_nothing([Values] ContainerdVersion version, [Values] SnapshotterMode mode)
    {
        await using var node = await ConvertingNode.StartAsync(version, mode);
        var (index, image) = node.Serve("1", s_layers);
        var result = await node.ConvertAsync("1");
        Assert.That(result.Registered, Is.True);
        Assert.That(result.Reused, Is.Zero);
        await node.AssertOnlyAsync(image);
        await node.Node.Daemon.CollectGarbageAsync();
        string[] names = [node.Name("1"), $"{node.Registry.Host}/team/app@{index}", image.ConfigDigest];
        foreach (var name in names)
        {
            Assert.That((await node.Node.Cri.WaitForImageAsync(name))!.Id, Is.EqualTo(image.ConfigDigest), name);
        }

        Assert.That(await node.Node.LinesAsync("images", "ls", "-q"), Is.EquivalentTo(names));
        Assert.That(
            (await node.Node.LinesAsync("snapshots", "--snapshotter", node.StandIn.Name, "tree")).Select(line => line.TrimStart(' ', '\\', '_', '-', '|', '`')),
            Is.EqualTo(image.Layers.Select(layer => layer.ChainId)));

        // As a pod with the policy Always: nothing is downloaded but the manifest.
        var blobs = node.BlobRequests;
        await node.Node.Cri.PullImageAsync(node.Name("1"));
        Assert.That(node.BlobRequests, Is.EqualTo(blobs));

        // The pull has taken what only our own registration sets.
        Assert.That((await node.ConvertAsync("1")).Registered, Is.True);
        var (state, calls) = (await node.Node.StateAsync(), node.StandIn.Count("Prepare") + node.StandIn.Count("View") + node.StandIn.Count("Commit"));
        var again = await node.ConvertAsync("1");
        Assert.That(again.IsNew, Is.False);
        Assert.That(again.Reused, Is.EqualTo(4));
        Assert.That(await node.Node.StateAsync(), Is.EqualTo(state));
        Assert.That(node.StandIn.Count("Prepare") + node.StandIn.Count("View") + node.StandIn.Count("Commit"), Is.EqualTo(calls));
        await node.AssertOnlyAsync(image);

        await node.Node.Cri.RemoveImageAsync(node.Name("1"));
        await node.Node.Daemon.CollectGarbageAsync();
        await node.AssertOnlyAsync();
    }

    [Test]
    public async Task Forked_layers_are_those_that_an_import_makes_and_all_have_five_hives()
    {
        await using var node = await ConvertingNode.StartAsync(ContainerdVersion.V2_1, SnapshotterMode.Cimfs);
        var (_, image) = node.Serve("1", s_layers);
        await node.ConvertAsync("1");

        var imported = node.Folder["imported"];
        string? parent = null;
        var folders = new List<string>();
        foreach (var (layer, builder) in image.Layers.Zip(s_layers))
        {
            var id = node.SnapshotOf(layer).Id;
            var cim = Path.Combine(imported, "cim-layers", id + ".cim");
            var folder = Path.Combine(imported, id);
            await Importer().RunForkedAsync(TarOf(node.Folder, id, builder), cim, folder, parent, folders, default);
            parent = cim;
            folders.Insert(0, folder);
            Assert.That(HivesOf(Path.Combine(node.StandIn.Root, "snapshots", id)), Is.SupersetOf(RegistryHive.All.Select(hive => hive.BaseName)));
            AssertSameFiles(Path.Combine(folder, "Hives"), Path.Combine(node.StandIn.Root, "snapshots", id, "Hives"));
        }

        AssertSameFiles(Path.Combine(imported, "cim-layers"), Path.Combine(node.StandIn.Root, "snapshots", "cim-layers"));
        Assert.That(
            Directory.EnumerateFiles(Path.Combine(node.StandIn.Root, "snapshots", "cim-layers")).Count(),
            Is.EqualTo(Directory.EnumerateFiles(Path.Combine(imported, "cim-layers")).Count()));
    }

    [Test]
    public async Task Block_layers_are_those_that_an_import_makes_and_are_merged_for_containers([Values] bool integrity, [Values] bool footer)
    {
        await using var node = await ConvertingNode.StartAsync(
            ContainerdVersion.V2_1, new SnapshotterOptions { Mode = SnapshotterMode.Blockcim, LayerIntegrity = integrity, VhdFooter = footer });
        var (_, image) = node.Serve("1", s_layers);
        await node.ConvertAsync("1");

        var options = new BlockCimOptions(integrity, footer);
        var made = new List<string>();
        foreach (var (layer, builder) in image.Layers.Zip(s_layers))
        {
            var id = node.SnapshotOf(layer).Id;
            var file = node.Folder["imported", id, "layer.vhd"];
            await Importer(options).RunAsync(TarOf(node.Folder, id, builder), file, "layer.cim", [.. made.Select(parent => parent + "::layer.cim")], default);
            made.Insert(0, file);
        }

        var merged = node.Folder["imported", node.SnapshotOf(image.Layers[^1]).Id, "merged.vhd"];
        new ManagedBackend().Merge(merged, "merged.cim", [.. made.Select(file => new BlockCim(file, "layer.cim"))], options, default);
        AssertSameFiles(node.Folder["imported"], Path.Combine(node.StandIn.Root, "snapshots"));

        await node.Node.Daemon.CtrAsync("snapshots", "--snapshotter", "blockcim", "prepare", "container", image.Layers[^1].ChainId);
        Assert.That(node.StandIn.Merges.Select(merge => merge.WasThere), Is.EqualTo(new[] { true }));
    }

    [Test]
    public async Task Images_that_share_layers_make_each_once_also_at_the_same_time([Values] SnapshotterMode mode)
    {
        await using var node = await ConvertingNode.StartAsync(ContainerdVersion.V2_1, mode);
        var (_, one) = node.Serve("1", s_layers);
        var (_, two) = node.Serve("2", [.. s_layers[..3], HiveImage.Without("c")]);
        node.Serve("3", s_layers);
        node.Serve("4", s_layers);
        var results = await Task.WhenAll(node.ConvertAsync("1"), node.ConvertAsync("2"), node.ConvertAsync("3"), node.ConvertAsync("4"));
        Assert.That(results.Sum(result => result.Layers.Count - result.Reused), Is.EqualTo(5));
        Assert.That(node.StandIn.Count("Prepare"), Is.EqualTo(5));
        await node.AssertOnlyAsync(one, two);
        await node.Node.Daemon.CollectGarbageAsync();
        await node.AssertOnlyAsync(one, two);
        foreach (var tag in (string[])["1", "3", "4"])
        {
            Assert.That((await node.Node.Cri.WaitForImageAsync(node.Name(tag)))!.Id, Is.EqualTo(one.ConfigDigest));
        }

        await node.Node.Cri.WaitForImageAsync(node.Name("2"));
        await node.Node.Cri.RemoveImageAsync(node.Name("2"));
        await node.Node.Daemon.CollectGarbageAsync();
        await node.AssertOnlyAsync(one);

        if (mode == SnapshotterMode.Cimfs)
        {
            return;
        }

        // While a process with another state folder merges, this one waits, and takes what that has made.
        var (_, five) = node.Serve("5", s_layers[0], HiveImage.Without("d"));
        var (atMerge, go) = (new TaskCompletionSource(), new TaskCompletionSource());
        node.StandIn.Before = (call, _) =>
        {
            if (call.Method != "View")
            {
                return Task.CompletedTask;
            }

            atMerge.TrySetResult();
            return go.Task;
        };
        var converting = node.ConvertAsync("5");
        await atMerge.Task;
        var merged = Path.Combine(node.StandIn.Root, "snapshots", node.SnapshotOf(five.Layers[1]).Id, "merged.vhd");
        using (FileLock.TryTake(merged + FileLock.Suffix))
        {
            go.SetResult();
            await Task.Delay(TimeSpan.FromMilliseconds(300));
            Assert.That(File.Exists(merged), Is.False);
            await File.WriteAllTextAsync(merged, "made by the other");
        }

        await converting;
        Assert.That(await File.ReadAllTextAsync(merged), Is.EqualTo("made by the other"));
        await node.AssertOnlyAsync(one, five);
    }

    [Test]
    public async Task A_damaged_layer_is_named_and_nothing_is_left([Values] SnapshotterMode mode)
    {
        await using var node = await ConvertingNode.StartAsync(ContainerdVersion.V2_1, mode);
        node.Serve("1", [.. s_layers[..2], new LayerBuilder().Directory("Files").File("Files/NUL/x", "a reserved name").HardLink("Files/l", "Files/none")]);
        var error = (await Assert.ThrowsAsync<ConversionException>(() => node.ConvertAsync("1")))!;
        Assert.That(error.Message, Does.StartWith($"{node.Name("1")}: layer 3 of 3 (sha256:"));
        await node.Node.Daemon.CollectGarbageAsync();
        await node.AssertOnlyAsync();
        Assert.That(await node.Node.LinesAsync("images", "ls", "-q"), Is.Empty);
        Assert.That(await node.Node.LinesAsync("content", "ls", "-q"), Is.Empty);
    }

    [Test]
    public async Task A_cancelled_run_keeps_what_is_finished_for_the_next([Values] SnapshotterMode mode)
    {
        await using var node = await ConvertingNode.StartAsync(ContainerdVersion.V2_1, mode);
        var (_, image) = node.Serve("1", s_layers);
        string[] tags = ["1", "2", "3"];
        foreach (var tag in tags[1..])
        {
            node.Serve(tag, s_layers);
        }

        using var stop = new CancellationTokenSource();
        node.StandIn.Before = async (call, _) =>
        {
            if (call.Method == "Prepare" && call.IsOf(image.Layers[2].ChainId))
            {
                while ((await node.Node.LinesAsync("leases", "ls", "-q")).Length < tags.Length)
                {
                }

                await stop.CancelAsync();
            }
        };
        var cancelled = tags.Select(tag => node.ConvertAsync(tag, cancellationToken: stop.Token)).ToArray();
        foreach (var run in cancelled)
        {
            Assert.That(async () => await run, Throws.InstanceOf<OperationCanceledException>());
        }

        await node.Node.Daemon.CollectGarbageAsync();
        Assert.That(node.StandIn.Snapshots.Count(snapshot => snapshot.Kind == StandInKind.Committed), Is.EqualTo(2));

        // Each then looks for what a killed daemon left. A merge of block CIMs needs what a look needs, and may not fail.
        var views = 0;
        node.StandIn.Before = async (call, token) =>
        {
            if (call.Method == "View")
            {
                await Task.Delay(TimeSpan.FromMilliseconds(300), token);
                if (Interlocked.Increment(ref views) == 1 && mode == SnapshotterMode.Cimfs)
                {
                    throw new RpcException(new Status(StatusCode.Unavailable, "the test wants it"));
                }
            }
        };
        var results = await Task.WhenAll(tags.Select(tag => node.ConvertAsync(tag)));
        Assert.That(results.Sum(result => result.Layers.Count - result.Reused), Is.EqualTo(2));
        Assert.That(views, Is.GreaterThan(1));
        await node.AssertOnlyAsync(image);
    }

    [Test]
    public async Task A_layer_that_somebody_else_made_is_taken([Values] ContainerdVersion version)
    {
        await using var node = await ConvertingNode.StartAsync(version, SnapshotterMode.Cimfs);
        var (_, image) = node.Serve("1", s_layers);
        var lease = await node.Node.Client.LeaseAsync("somebody", TimeSpan.FromHours(1), default);
        await PrewarmedNode.ImportAsync(image, await node.Node.Client.SnapshotterAsync("cimfs", default));
        var before = node.StandIn.Snapshots.Select(snapshot => (snapshot.Key, snapshot.Id)).ToArray();
        var requests = node.BlobRequests;
        var result = await node.ConvertAsync("1");
        Assert.That((result.Registered, result.Reused, node.BlobRequests - requests), Is.EqualTo((true, 4, 1)));
        await lease.DropAsync(default);
        Assert.That(node.StandIn.Snapshots.Select(snapshot => (snapshot.Key, snapshot.Id)), Is.EqualTo(before));
        await node.AssertOnlyAsync(image);
    }

    [Test]
    public async Task Finished_block_layers_of_a_store_are_linked()
    {
        await using var node = await ConvertingNode.StartAsync(ContainerdVersion.V2_1, new SnapshotterOptions { Mode = SnapshotterMode.Blockcim, LayerIntegrity = true });
        var (_, image) = node.Serve("1", s_layers);
        await CimConvert.Tests.Cli.CimConvertProgram.SucceedAsync(
            "convert", node.Name("1"), "--output", node.State, "--integrity", "--platform", "linux/amd64", "--backend", "managed", "--plain-http");
        var requests = node.BlobRequests;

        // While the store decides what to remove, nothing is linked.
        var collecting = await CimConvert.Store.ConversionStore.OpenExisting(node.State).LockAsync(default);
        var converting = node.ConvertAsync("1");
        await PrewarmedNode.WaitUntilAsync(() => node.StandIn.Count("Prepare") == 1);
        await Task.Delay(TimeSpan.FromMilliseconds(200));
        Assert.That(node.StandIn.Count("Commit"), Is.Zero);
        collecting.Dispose();
        var result = await converting;
        Assert.That(node.BlobRequests, Is.EqualTo(requests + 1), "the config only");
        foreach (var layer in image.Layers)
        {
            var stored = Path.Combine(node.State, "layers", layer.ChainId["sha256:".Length..]);
            Assert.That(HardLink.Count(Path.Combine(stored, "layer.bcim")), Is.EqualTo(3), "in the store, among its blobs, and in the snapshot");
            Assert.That(HivesOf(Path.Combine(node.StandIn.Root, "snapshots", node.SnapshotOf(layer).Id)), Is.SupersetOf(RegistryHive.All.Select(hive => hive.BaseName)));
        }

        Assert.That(result.Layers.Count - result.Reused, Is.EqualTo(4));
        await node.AssertOnlyAsync(image);
    }

    [Test]
    public async Task Blobs_go_along_where_they_are_asked_for([Values] ContainerdVersion version)
    {
        await using var node = await ConvertingNode.StartAsync(version, SnapshotterMode.Cimfs);
        var (index, image) = node.Serve("1", s_layers);
        node.Serve("2", s_layers);
        await node.ConvertAsync("1");
        var requests = node.BlobRequests;
        await Task.WhenAll(((string[])["1", "2"]).Select(tag => node.ConvertAsync(tag, into => into with { LayerBlobs = true })));
        Assert.That(node.BlobRequests - requests, Is.EqualTo(2 + image.Layers.Count), "a config each, and each layer once");
        string[] all = [index, image.ManifestDigest, image.ConfigDigest, .. image.Layers.Select(layer => layer.Digest)];
        Assert.That(await node.Node.LinesAsync("content", "ls", "-q"), Is.EquivalentTo(all));
        await node.Node.Daemon.CollectGarbageAsync();
        Assert.That(await node.Node.LinesAsync("content", "ls", "-q"), Is.EquivalentTo(all));
        var exported = node.Folder["exported.tar"];
        await node.Node.Daemon.CtrAsync("images", "export", exported, node.Name("1"));
        Assert.That((await ExternalProcess.RunAsync("tar", ["tf", exported])).Output, Does.Contain(image.Layers[^1].Digest["sha256:".Length..]));
    }

    [Test]
    public async Task Back_ends_that_Windows_cannot_mount_are_refused_with_the_reason()
    {
        await using var node = await ConvertingNode.StartAsync(ContainerdVersion.V2_1, SnapshotterMode.Cimfs);
        node.Serve("1", s_layers);
        var error = (await Assert.ThrowsAsync<ConversionException>(() => node.ConvertAsync("1", into => into with { AllowsUnmountedFormat = false })))!;
        Assert.That(error.Message, Does.Contain("Windows is not known to mount").And.Contain("--allow-unmounted-format"));
        Assert.That(node.StandIn.Calls.Where(call => call.Method is "Prepare" or "View"), Is.Empty);
    }

    private static FileImport Importer(BlockCimOptions? options = null) =>
        new(new ManagedBackend(), new ManagedHiveMerger(), options ?? new BlockCimOptions(), new InputLimits(), NullLogger.Instance);

    private static string TarOf(TempFolder folder, string id, LayerBuilder layer)
    {
        var path = folder[$"{id}.tar"];
        using var file = File.Create(path);
        layer.WriteTo(file);
        return path;
    }

    private static IEnumerable<string?> HivesOf(string layerFolder) => Directory.EnumerateFiles(Path.Combine(layerFolder, "Hives")).Select(Path.GetFileName);

    /// <summary>Every file of one folder is in the other, byte for byte.</summary>
    private static void AssertSameFiles(string expected, string actual)
    {
        if (!Directory.Exists(expected))
        {
            return;
        }

        foreach (var file in Directory.EnumerateFiles(expected, "*", SearchOption.AllDirectories))
        {
            var name = Path.GetRelativePath(expected, file);
            Assert.That(File.ReadAllBytes(Path.Combine(actual, name)).AsSpan().SequenceEqual(File.ReadAllBytes(file)), Is.True, name);
        }
    }
}
