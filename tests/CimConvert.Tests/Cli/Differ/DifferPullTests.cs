using CimConvert.Cims;
using CimConvert.Layers;
using CimConvert.Layers.Hives;
using CimConvert.Pipeline;
using CimConvert.TestKit;
using CimConvert.TestKit.Containerd;
using CimConvert.TestKit.Hives;
using CimConvert.TestKit.Images;
using CimConvert.TestKit.Layers;
using CimConvert.Tests.Pipeline;
using Microsoft.Extensions.Logging.Abstractions;
using NUnit.Framework;

namespace CimConvert.Tests.Cli.Differ;

/// <summary>Real daemons pull, with the program as their differ.</summary>
[Platform(Exclude = "Win", Reason = "containerd of Debian")]
[Category(Categories.Process)]
[Category(Categories.Tools)]
[Category(Categories.Slow)]
public class DifferPullTests
{
    private const int Layers = 4;

    /// <summary>More than the daemon sends before it falls silent: such an import has begun, and does not end by itself.</summary>
    private const int HeldSize = 1 << 20;

    private const int SentOfHeld = HeldSize / 4;

    private static readonly ContainerdVersion[] s_versions = [ContainerdVersion.V1_7, ContainerdVersion.V2_1];

    [Test]
    public async Task A_pull_ends_with_the_bytes_that_import_makes(
        [ValueSource(nameof(s_versions))] ContainerdVersion version, [Values] SnapshotterMode mode, [Values] bool isLocal)
    {
        await using var node = await DifferNode.StartAsync(version, mode);
        var layers = ForkedChain.Layers.Take(Layers).ToArray();
        var image = node.Serve("app", Image(layers));
        var pulled = await node.PullAsync("app", isLocal);
        Assert.That(pulled.ExitCode, Is.Zero, $"{pulled.Error}\n{node.Differ.Error}\n{node.Daemon.Log}");
        await AssertImportedAsync(node, image, layers);
    }

    [Test]
    public async Task Layers_that_the_snapshotter_wants_sealed_and_with_a_footer_are_what_import_makes_of_them()
    {
        await using var node = await DifferNode.StartAsync(
            ContainerdVersion.V2_1, new SnapshotterOptions { Mode = SnapshotterMode.Blockcim, LayerIntegrity = true, VhdFooter = true });
        LayerBuilder[] layers = [.. ForkedChain.Layers.Take(2)];
        var image = node.Serve("app", Image(layers));
        var pulled = await node.PullAsync("app", isLocal: false);
        Assert.That(pulled.ExitCode, Is.Zero, $"{pulled.Error}\n{node.Differ.Error}\n{node.Daemon.Log}");
        await AssertImportedAsync(node, image, layers);
    }

    [Test]
    public async Task Two_pulls_at_once_end_with_these_bytes_too([ValueSource(nameof(s_versions))] ContainerdVersion version)
    {
        await using var node = await DifferNode.StartAsync(version);
        LayerBuilder[] one = [.. ForkedChain.Layers.Take(Layers)];
        LayerBuilder[] other = [ForkedChain.Layers[0], .. Enumerable.Range(0, 2).Select(n => new LayerBuilder().Directory("Files").File($"Files/{n}", SeededContent.Bytes(n, 9_000)))];
        var (first, second) = (node.Serve("one", Image(one)), node.Serve("other", Image(other)));
        var pulls = await Task.WhenAll(node.PullAsync("one", isLocal: false), node.PullAsync("other", isLocal: true));
        Assert.That(pulls.Select(pull => pull.ExitCode), Is.All.Zero, $"{pulls[0].Error}\n{pulls[1].Error}\n{node.Differ.Error}");
        await AssertImportedAsync(node, first, one);
        await AssertImportedAsync(node, second, other);
    }

    [Test]
    public async Task Layers_of_other_snapshotters_are_left_to_the_next_differ([ValueSource(nameof(s_versions))] ContainerdVersion version)
    {
        await using var node = await DifferNode.StartAsync(version);
        node.Serve("app", DifferNode.NewImage().Layer(new LayerBuilder().File("file", "content")));
        await node.Daemon.CtrAsync(
            "images", "pull", "--local=true", "--snapshotter", "native", "--platform", "linux/amd64", node.NameOf("app"));
        Assert.That(node.Differ.Error.ToString(), Does.Contain("only layers of the snapshotters cimfs and blockcim are made here"));
        Assert.That(Directory.EnumerateFiles(node.Daemon.Root, "file", SearchOption.AllDirectories), Has.One.Items);
    }

    [Test]
    [Pairwise]
    public async Task A_damaged_blob_ends_the_pull_with_its_name_and_leaves_nothing(
        [ValueSource(nameof(s_versions))] ContainerdVersion version, [Values] SnapshotterMode mode, [Values] bool isLocal)
    {
        await using var node = await DifferNode.StartAsync(version, mode);
        var image = node.Serve("app", Image(ForkedChain.Layers.Take(1)));
        await node.Daemon.CtrAsync("content", "fetch", "--platform", "linux/amd64", node.NameOf("app"));
        Corrupter.FlipByteAt(node.Daemon.BlobPath(image.Layers[0].Digest), image.Layers[0].Size / 2);

        var pulled = await node.PullAsync("app", isLocal);
        Assert.That(pulled.ExitCode, Is.Not.Zero);
        Assert.That(pulled.Error, Does.Contain($"layer {image.Layers[0].Digest}: its blob has other content than it should"));
        Assert.That(pulled.Error, Does.Not.Contain("   at "));
        await node.UntilNothingIsLeftAsync();
    }

    [Test]
    [Pairwise]
    public async Task A_wrong_diff_ID_ends_the_pull_and_leaves_nothing(
        [ValueSource(nameof(s_versions))] ContainerdVersion version, [Values] SnapshotterMode mode, [Values] bool isLocal)
    {
        await using var node = await DifferNode.StartAsync(version, mode);
        node.Serve("app", DifferNode.NewImage().Layer(ForkedChain.Layers[0], fault: LayerFault.WrongDiffId));
        var pulled = await node.PullAsync("app", isLocal);
        Assert.That(pulled.ExitCode, Is.Not.Zero);
        Assert.That(pulled.Error, Does.Contain("wrong diff id"));
        await node.UntilNothingIsLeftAsync();
    }

    [Test]
    [Pairwise]
    public async Task A_cancelled_pull_leaves_nothing([ValueSource(nameof(s_versions))] ContainerdVersion version, [Values] SnapshotterMode mode, [Values] bool isLocal)
    {
        await using var node = await DifferNode.StartAsync(version, mode);
        node.Serve("app", Held());
        node.Content.FallSilentAfter(SentOfHeld);
        await using (var pull = node.Daemon.StartCtr(node.Pull("app", isLocal)))
        {
            await node.UntilAsync(() => node.LayerFiles.Any());
            await pull.InterruptAsync();

            // The daemon may have removed the snapshot before the end of the call has come.
            await node.UntilAsync(() => node.Differ.Error.ToString() is var log
                && (log.Contains("cancelled; nothing of it is left", StringComparison.Ordinal) || log.Contains("was removed while", StringComparison.Ordinal)));
        }

        Assert.That(node.LayerFiles, Is.Empty);

        // A client that unpacks by itself leaves what it prepared to its lease.
        if (isLocal)
        {
            Assert.That(node.StandIn.Snapshots.Select(snapshot => snapshot.Kind), Is.All.EqualTo(StandInKind.Active));
        }
        else
        {
            await node.UntilNothingIsLeftAsync();
        }
    }

    [Test]
    public async Task A_daemon_that_dies_leaves_nothing_and_the_next_pull_goes_well([ValueSource(nameof(s_versions))] ContainerdVersion version, [Values] bool isLocal)
    {
        await using var node = await DifferNode.StartAsync(version);
        var image = node.Serve("app", Held());
        node.Content.FallSilentAfter(SentOfHeld);
        await using (node.Daemon.StartCtr(node.Pull("app", isLocal)))
        {
            await node.UntilAsync(() => node.LayerFiles.Any());
            await node.Daemon.KillAsync();
            await node.UntilAsync(() => !node.LayerFiles.Any());
        }

        await node.Daemon.RestartAsync();
        node.Content.Speak();
        var pulled = await node.PullAsync("app", isLocal);
        Assert.That(pulled.ExitCode, Is.Zero, $"{pulled.Error}\n{node.Differ.Error}");
        var committed = node.StandIn.Snapshots.Where(snapshot => snapshot.Kind == StandInKind.Committed);
        Assert.That(committed.Select(snapshot => snapshot.Key), Has.One.Items.And.One.EndsWith(image.Layers[0].ChainId));
    }

    private static ImageBuilder Image(IEnumerable<LayerBuilder> layers)
    {
        var image = DifferNode.NewImage();
        foreach (var (index, layer) in layers.Index())
        {
            _ = index switch
            {
                1 => image.Layer(layer, LayerCompression.None),
                2 => image.ZstdLayer(layer),
                _ => image.Layer(layer),
            };
        }

        return image;
    }

    private static ImageBuilder Held() => DifferNode.NewImage().Layer(
        new LayerBuilder().Directory("Files").File("Files/large", SeededContent.Bytes(1, HeldSize))
            .BaseHives(_ => HiveImage.Build(new KeySpec("ROOT"))),
        LayerCompression.None);

    /// <summary>Imports the same tars by name, and compares all files: those of the CIMs, and the hives.</summary>
    private static async Task AssertImportedAsync(DifferNode node, OciImage image, LayerBuilder[] layers)
    {
        using TempFolder folder = new();
        var asked = node.StandIn.Options;
        var isForked = asked.Mode == SnapshotterMode.Cimfs;
        BlockCimOptions options = new(Integrity: asked.LayerIntegrity, VhdFooter: asked.VhdFooter);
        var backend = isForked ? CimBackends.SelectForking(CimBackends.Managed) : CimBackends.Select(CimBackends.Managed, options);
        FileImport import = new(backend, HiveMergers.For(backend), options, new InputLimits(), NullLogger.Instance);
        List<string> parents = [];
        var cims = folder["cim-layers"];
        Directory.CreateDirectory(cims);
        string? parentCim = null;
        foreach (var (layer, tar) in image.Layers.Zip(layers))
        {
            var snapshot = node.StandIn.Snapshots.Single(made => made.Kind == StandInKind.Committed && made.Key.EndsWith(layer.ChainId, StringComparison.Ordinal));
            var own = folder[snapshot.Id];
            var file = tar.WriteFile(folder["tar"]);
            if (isForked)
            {
                var cim = Path.Combine(cims, snapshot.Id + ".cim");
                await import.RunForkedAsync(file, cim, own, parentCim, parents, default);
                parents.Insert(0, own);
                parentCim = cim;
            }
            else
            {
                var block = Path.Combine(own, "layer.vhd");
                await import.RunAsync(file, block, "layer.cim", parents, default);
                parents.Insert(0, block);
            }

            File.Delete(file);
        }

        var expected = Directory.GetFiles(folder.Path, "*", SearchOption.AllDirectories);
        Assert.That(expected, Has.Length.GreaterThan(layers.Length));
        foreach (var path in expected)
        {
            var actual = Path.Combine(node.StandIn.Root, "snapshots", Path.GetRelativePath(folder.Path, path));
            Assert.That(File.Exists(actual), actual);
            Assert.That(Digests.OfFile(actual), Is.EqualTo(Digests.OfFile(path)), actual);
        }
    }
}
