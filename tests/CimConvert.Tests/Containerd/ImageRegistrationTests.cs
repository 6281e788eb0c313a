using CimConvert.Containerd;
using CimConvert.Oci;
using CimConvert.TestKit.Containerd;
using CimConvert.TestKit.Servers;
using CimConvert.Tests.Cli;
using NUnit.Framework;

namespace CimConvert.Tests.Containerd;

/// <summary>Images are registered with real daemons; what came of it is asked by CRI, as kubelet does, and by ctr.</summary>
[Platform(Exclude = "Win", Reason = "containerd of Debian")]
[Category(Categories.Process)]
[Category(Categories.Tools)]
[Category(Categories.Slow)]
public class ImageRegistrationTests
{
    private const string App = "registry.test/team/app:1";
    private const string App2 = "registry.test/team/app:2";
    private const string Other = "registry.test/team/other:1";

    [Test]
    public async Task An_image_is_there_for_kubelet_also_after_garbage_collection_and_a_restart([Values] ContainerdVersion version, [Values] SnapshotterMode mode)
    {
        await using var node = await PrewarmedNode.StartAsync(version, mode);
        var (index, image) = node.Build("app", "one", "two", "three");
        Assert.That(await node.PrewarmAsync(App, index, image), Is.True);

        string[] names = [App, $"registry.test/team/app@{index}", image.ConfigDigest];
        await node.Daemon.CollectGarbageAsync();
        foreach (var name in names)
        {
            Assert.That((await node.Cri.WaitForImageAsync(name))!.Id, Is.EqualTo(image.ConfigDigest), name);
        }

        Assert.That(await node.LinesAsync("images", "ls", "-q"), Is.EquivalentTo(names));
        Assert.That(await node.LinesAsync("leases", "ls", "-q"), Is.Empty);
        Assert.That(
            node.StandIn.Snapshots.Select(snapshot => (ChainOf(snapshot), snapshot.Kind)),
            Is.EquivalentTo(image.Layers.Select(layer => (layer.ChainId, StandInKind.Committed))));
        var prepared = node.StandIn.Calls.Where(call => call.Method == "Prepare").ToArray();
        Assert.That(prepared.Select(call => call.Key.Split('/', 3)[2]), Is.EqualTo(image.Layers.Select(layer => $"extract-cimconvert {layer.ChainId}")));

        // The daemon passes on only labels that are made to be.
        Assert.That(
            prepared.SelectMany(call => call.Labels.Keys).Distinct(),
            Is.EquivalentTo(new[] { "containerd.io/snapshot.ref", "containerd.io/snapshot/diff-id", "containerd.io/snapshot/parent-chain-id" }));

        await node.Daemon.RestartAsync();
        Assert.That(await node.Cri.ImageStatusAsync(App), Is.Not.Null);
    }

    [Test]
    public async Task Registering_again_changes_nothing_and_other_images_share_layers([Values] ContainerdVersion version)
    {
        await using var node = await PrewarmedNode.StartAsync(version);
        var (index, image) = node.Build("app", "one", "two");
        var (otherIndex, other) = node.Build("other", "one", "three");
        await node.PrewarmAsync(App, index, image);
        await node.PrewarmAsync(Other, otherIndex, other);
        Assert.That(node.StandIn.Count("Prepare"), Is.EqualTo(3));

        var before = await node.StateAsync();
        Assert.That(await node.PrewarmAsync(App, index, image), Is.False);
        Assert.That(await node.PrewarmAsync(Other, otherIndex, other), Is.False);
        Assert.That(await node.StateAsync(), Is.EqualTo(before));
        Assert.That(node.StandIn.Count("Prepare"), Is.EqualTo(3));
    }

    [Test]
    public async Task An_image_without_its_snapshots_is_refused()
    {
        await using var node = await PrewarmedNode.StartAsync(ContainerdVersion.V2_1);
        var (index, image) = node.Build("app", "one");
        var snapshotter = await node.Client.SnapshotterAsync("cimfs", default);
        Assert.That(
            async () => await new ImageRegistration(node.Client).RegisterAsync(PrewarmedNode.ToRegister(App, index, image, snapshotter, pin: true), default),
            Throws.TypeOf<ConversionException>().With.Message.Contains($"{image.Layers[0].ChainId} is missing"));
    }

    [Test]
    public async Task Pins_are_seen_by_kubelet_and_taken_off_by_the_command([Values(ContainerdVersion.V1_7, ContainerdVersion.V2_1)] ContainerdVersion version)
    {
        await using var node = await PrewarmedNode.StartAsync(version);
        var (index, image) = node.Build("app", "one");
        await node.PrewarmAsync(App, index, image);
        Assert.That((await node.Cri.WaitForImageAsync(App))!.Pinned, Is.True);

        var unpinned = await CimConvertProgram.SucceedAsync("containerd", "unpin", App, "--containerd", node.Daemon.Address);
        Assert.That(unpinned.Output, Does.Contain($"unpinned {App}").And.Contain($"unpinned {image.ConfigDigest}"));
        await node.Daemon.RestartAsync();
        Assert.That((await node.Cri.ImageStatusAsync(App))!.Pinned, Is.False);
        var listed = await CimConvertProgram.SucceedAsync("containerd", "list", "--json", "--containerd", node.Daemon.Address);
        Assert.That(listed.Output, Does.Contain("\"pinned\": false").And.Contain(App));
    }

    [Test]
    public async Task A_tag_that_moves_takes_our_pins_along()
    {
        await using var node = await PrewarmedNode.StartAsync(ContainerdVersion.V2_1);
        var records = new ImageRecords(node.Client);
        var versions = Enumerable.Range(0, 4).Select(i => node.Build($"app{i}", "base", $"{i}")).ToArray();
        await node.PrewarmAsync(App, versions[0].IndexDigest, versions[0].Image);
        await node.PrewarmAsync($"registry.test/team/app@{versions[1].IndexDigest}", versions[1].IndexDigest, versions[1].Image);
        await node.PrewarmAsync(App, versions[2].IndexDigest, versions[2].Image);
        Assert.That(await PinnedAsync(), Is.EquivalentTo(NamesOf(1).Concat(NamesOf(2)).Append(App)));

        // A pull that moved it has set the tag's labels anew: nothing says any more what it meant.
        await records.DeleteAsync(App, sync: false, default);
        await node.PrewarmAsync(App, versions[3].IndexDigest, versions[3].Image);
        Assert.That(await PinnedAsync(), Is.EquivalentTo(NamesOf(1).Concat(NamesOf(3)).Append(App)));

        Assert.That(await node.PrewarmAsync(App, versions[3].IndexDigest, versions[3].Image, pin: false), Is.True);
        Assert.That(await PinnedAsync(), Is.EquivalentTo(NamesOf(1)));
        Assert.That(await node.PrewarmAsync(App, versions[3].IndexDigest, versions[3].Image, pin: false), Is.False);

        IEnumerable<string> NamesOf(int version) => [$"registry.test/team/app@{versions[version].IndexDigest}", versions[version].Image.ConfigDigest];
        async Task<IEnumerable<string>> PinnedAsync() =>
            (await records.ListAsync(default)).Where(record => record.Labels.ContainsKey(ContainerdLabels.Pinned)).Select(record => record.Name);
    }

    [Test]
    public async Task Removing_frees_what_no_other_image_needs([Values] ContainerdVersion version)
    {
        await using var node = await PrewarmedNode.StartAsync(version);
        var (index, image) = node.Build("app", "one", "two");
        var (otherIndex, other) = node.Build("other", "one", "three");
        await node.PrewarmAsync(App, index, image);
        await node.PrewarmAsync(App2, index, image);
        await node.PrewarmAsync(Other, otherIndex, other);

        // The other tag keeps what both are.
        var removed = await CimConvertProgram.SucceedAsync("containerd", "remove", App, "--containerd", node.Daemon.Address);
        Assert.That(removed.Output.Trim(), Is.EqualTo($"removed {App}"));
        Assert.That(await node.Cri.WaitForImageAsync(App, present: false), Is.Null);
        Assert.That(await node.Cri.ImageStatusAsync(App2), Is.Not.Null);
        Assert.That(node.StandIn.Snapshots, Has.Count.EqualTo(3));

        var images = new PrewarmedImages(node.Client);
        Assert.That(await images.RemoveAsync(App2, default), Is.EqualTo(new[] { App2, $"registry.test/team/app@{index}", image.ConfigDigest }));
        await PrewarmedNode.WaitUntilAsync(() => node.StandIn.Snapshots.Count == 2);
        Assert.That(node.StandIn.Snapshots.Select(ChainOf), Is.EquivalentTo(other.Layers.Select(layer => layer.ChainId)));
        Assert.That((await images.ListAsync(default)).Select(entry => entry.Names[0]), Is.EqualTo(new[] { Other }));
        Assert.That(async () => await images.RemoveAsync(App2, default), Throws.TypeOf<ConversionException>().With.Message.Contains($"no image '{App2}' was prewarmed"));

        // As kubelet's own collection does, which knows nothing of marks.
        await node.Cri.RemoveImageAsync(Other);
        await node.Daemon.CollectGarbageAsync();
        await PrewarmedNode.WaitUntilAsync(() => node.StandIn.Snapshots.Count == 0);
        Assert.That(await node.LinesAsync("content", "ls", "-q"), Is.Empty);
    }

    [Test]
    public async Task A_pull_asks_for_no_blob_and_records_of_pulls_stay([Values] ContainerdVersion version, [Values] bool pulledFirst)
    {
        await using var registry = await DockerRegistry.StartAsync();
        await using var node = await PrewarmedNode.StartAsync(version, SnapshotterMode.Cimfs, registry.Host);
        var (_, image) = node.Build("app", "one", "two");
        await registry.PutAsync("app", image);
        var reference = registry.Reference("app", image.RefName);

        if (pulledFirst)
        {
            await node.Daemon.CtrAsync("content", "fetch", "--plain-http", "--platform", "linux/amd64", reference);
            await node.Cri.WaitForImageAsync(reference);
        }

        var snapshotter = await node.Client.SnapshotterAsync("auto", default);
        var lease = await node.Client.LeaseAsync(PrewarmedNode.Lease, TimeSpan.FromHours(1), default);
        await PrewarmedNode.ImportAsync(image, snapshotter);
        var single = PrewarmedNode.ToRegister(reference, image.ManifestDigest, image, snapshotter, pin: true) with { Indexes = [] };
        Assert.That(await new ImageRegistration(node.Client).RegisterAsync(single, default), Is.True);
        await lease.DropAsync(default);
        await node.Cri.WaitForImageAsync(reference);
        var blobs = Blobs();
        Assert.That(await node.Cri.PullImageAsync(reference), Is.EqualTo(image.ConfigDigest));
        Assert.That(Blobs(), Is.EqualTo(blobs));

        // The pull has set the tag's labels anew.
        var images = new PrewarmedImages(node.Client);
        Assert.That((await images.ListAsync(default)).Single().Shared, Is.EqualTo(pulledFirst));
        Assert.That(await images.RemoveAsync(reference, default), pulledFirst ? Does.Not.Contain(reference) : Does.Contain(reference));
        Assert.That(await node.LinesAsync("images", "ls", "-q"), pulledFirst ? Does.Contain(reference) : Is.Empty);
        Assert.That(await images.ListAsync(default), Is.Empty);

        int Blobs() => image.Layers.Sum(layer => registry.CountRequests("GET", layer.Digest));
    }

    [Test]
    public async Task A_layers_blob_is_ingested_once_and_from_where_a_killed_run_stopped([Values] ContainerdVersion version)
    {
        await using var node = await PrewarmedNode.StartAsync(version);
        var bytes = new byte[(3 << 20) + 17];
        new Random(7).NextBytes(bytes);
        var blob = Descriptor.Of(MediaTypes.OciLayerGzip, bytes);
        Dictionary<string, string> labels = new(StringComparer.Ordinal) { [ContainerdLabels.Uncompressed] = blob.Digest.ToString() };
        var lease = await node.Client.LeaseAsync(PrewarmedNode.Lease, TimeSpan.FromHours(1), default);

        // Cut off, as by a lost registry.
        Assert.That(async () => await IngestAsync(blob, new BrokenStream(bytes, 2 << 20)), Throws.TypeOf<IOException>());
        Assert.That(await node.LinesAsync("content", "active"), Has.Some.Contains("cimconvert-"));

        // The second one waits for the first, and finds the blob there.
        var offsets = new List<long>();
        var first = new TaskCompletionSource();
        var writing = node.Client.Content.IngestBlobAsync(
            async (offset, _) =>
            {
                offsets.Add(offset);
                await first.Task;
                return new MemoryStream(bytes[(int)offset..]);
            },
            blob,
            labels,
            default);
        await PrewarmedNode.WaitUntilAsync(() => offsets.Count == 1);
        var waiting = node.Client.Content.IngestBlobAsync((_, _) => throw new InvalidOperationException("it is there"), blob, labels, default);
        await Task.Delay(TimeSpan.FromSeconds(1));
        first.SetResult();
        Assert.That((await writing, await waiting), Is.EqualTo((true, false)));
        Assert.That(offsets, Is.EqualTo(new[] { 2L << 20 }));

        await using var stream = await node.Client.Content.ReadAsync(blob.Digest, blob.Size, default);
        Assert.That(await Digest.ComputeAsync(stream), Is.EqualTo(blob.Digest));
        Assert.That((await node.Client.Content.InfoAsync(blob.Digest, default))!.Labels, Is.SupersetOf(labels));

        // Other bytes than the digest says are refused, and nothing of them stays.
        var wrong = Descriptor.Of(MediaTypes.OciLayerGzip, "right"u8);
        Assert.That(async () => await IngestAsync(wrong, new MemoryStream("wrong"u8.ToArray())), Throws.TypeOf<ConversionException>());
        Assert.That(await IngestAsync(wrong, new MemoryStream("right"u8.ToArray())), Is.True);

        // The lease of whoever finds it there keeps it, too.
        using var other = node.Client.ForNamespace(node.Client.Namespace);
        var kept = await other.LeaseAsync("other", TimeSpan.FromHours(1), default);
        Assert.That(await other.Content.IngestBlobAsync((_, _) => throw new InvalidOperationException("it is there"), blob, labels, default), Is.False);
        await lease.DropAsync(default);
        Assert.That(await node.Client.Content.InfoAsync(wrong.Digest, default), Is.Null, "nothing refers to it");
        Assert.That(await node.Client.Content.InfoAsync(blob.Digest, default), Is.Not.Null);
        await kept.DropAsync(default);
        Assert.That(await node.Client.Content.InfoAsync(blob.Digest, default), Is.Null);

        Task<bool> IngestAsync(Descriptor descriptor, Stream whole) =>
            node.Client.Content.IngestBlobAsync((_, _) => Task.FromResult(whole), descriptor, labels, default);
    }

    [Test]
    public async Task A_killed_runs_place_is_given_out_again_with_what_lies_in_it([Values] ContainerdVersion version)
    {
        await using var node = await PrewarmedNode.StartAsync(version);
        var (_, image) = node.Build("app", "one");
        var (chain, diff) = (new ChainId(Digest.Parse(image.Layers[0].ChainId)), new DiffId(Digest.Parse(image.Layers[0].DiffId)));
        var snapshotter = await node.Client.SnapshotterAsync("auto", default);
        var lease = await node.Client.LeaseAsync(PrewarmedNode.Lease, TimeSpan.FromHours(1), default);
        var mount = await snapshotter.PrepareAsync(chain, null, diff, default);

        // Another process, which is not told of the first one's lease.
        using var next = ContainerdClient.Connect(node.Client.Address, node.Client.Namespace, Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance);
        var again = await next.LeaseAsync(PrewarmedNode.Lease, TimeSpan.FromHours(1), default);
        Assert.That(again.Id, Is.EqualTo(lease.Id));
        var taken = await next.SnapshotterAsync("auto", default);
        Assert.That((await taken.PrepareAsync(chain, null, diff, default))!.CimPath, Is.EqualTo(mount!.CimPath));
        Assert.That(await taken.HasAsync(chain, default), Is.False);

        // A run for another image, whose lease then holds the place, too.
        using var other = node.Client.ForNamespace(node.Client.Namespace);
        var kept = await other.LeaseAsync("other", TimeSpan.FromHours(1), default);
        Assert.That((await (await other.SnapshotterAsync("auto", default)).PrepareAsync(chain, null, diff, default))!.CimPath, Is.EqualTo(mount.CimPath));

        // One that has little time left is replaced, and keeps what it held.
        var late = await node.Client.ForNamespace("k8s.io").LeaseAsync(PrewarmedNode.Lease, TimeSpan.FromHours(3), default);
        Assert.That(late.Id, Is.EqualTo(PrewarmedNode.Lease + ".next"));
        await node.Daemon.CollectGarbageAsync();
        Assert.That(node.StandIn.Snapshots, Has.Count.EqualTo(1));
        Assert.That(await node.LinesAsync("leases", "ls", "-q"), Is.EquivalentTo(new[] { late.Id, kept.Id }));
        await late.DropAsync(default);
        await node.Daemon.CollectGarbageAsync();
        Assert.That(node.StandIn.Snapshots, Has.Count.EqualTo(1));

        await snapshotter.AbandonAsync(chain, default);
        await snapshotter.AbandonAsync(chain, default);
        await kept.DropAsync(default);
        await PrewarmedNode.WaitUntilAsync(() => node.StandIn.Snapshots.Count == 0);
    }

    [Test]
    public async Task The_files_of_finished_layers_are_found()
    {
        await using var node = await PrewarmedNode.StartAsync(ContainerdVersion.V2_1, SnapshotterMode.Blockcim);
        var (index, image) = node.Build("app", "one", "two");
        await node.PrewarmAsync(App, index, image);
        var snapshotter = await node.Client.SnapshotterAsync("auto", default);
        Assert.That(snapshotter.Name, Is.EqualTo("blockcim"));
        var top = new ChainId(Digest.Parse(image.Layers[^1].ChainId));
        var files = new List<string>();
        for (var i = 0; i < 2; i++)
        {
            await snapshotter.LocateAsync(
                top,
                above =>
                {
                    files.AddRange(above.ParentCims.Select(cim => cim.Path));
                    return Task.CompletedTask;
                },
                default);
        }

        string[] expected =
        [
            .. image.Layers.Reverse().Select(layer => node.StandIn.LayerFileOf(
                node.StandIn.Snapshots.Single(snapshot => snapshot.Kind == StandInKind.Committed && ChainOf(snapshot) == layer.ChainId))),
        ];
        Assert.That(files, Is.EqualTo(expected.Concat(expected)));
        await node.Daemon.CollectGarbageAsync();
        await PrewarmedNode.WaitUntilAsync(() => node.StandIn.Snapshots.Count == 2);
    }

    private static string ChainOf(StandInSnapshot snapshot) => snapshot.Key[snapshot.Key.IndexOf("sha256:", StringComparison.Ordinal)..];

    /// <summary>Fails after some bytes.</summary>
    private sealed class BrokenStream(byte[] bytes, int whole) : MemoryStream(bytes)
    {
        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            Position >= whole ? throw new IOException("the test breaks it") : base.ReadAsync(buffer[..(int)Math.Min(buffer.Length, whole - Position)], cancellationToken);
    }
}
