using CimConvert.Cims;
using CimConvert.Pipeline;
using CimConvert.Publishing;
using CimConvert.TestKit.Containerd;
using CimConvert.TestKit.Layers;
using CimConvert.TestKit.Registry;
using CimConvert.Tests.Containerd;
using CimConvert.Tests.Registry;
using NUnit.Framework;

namespace CimConvert.Tests.Pipeline;

/// <summary>Layers that somebody else has converted are put into real daemons' snapshots, as imports would have made them.</summary>
[Platform(Exclude = "Win", Reason = "containerd of Debian")]
[Category(Categories.Process)]
[Category(Categories.Tools)]
[Category(Categories.Slow)]
public class TakenLayersTests
{
    private const LayerOrigin There = LayerOrigin.Containerd;
    private const LayerOrigin Taken = LayerOrigin.Converted;
    private const LayerOrigin Imported = LayerOrigin.Source;

    private static readonly LayerBuilder[] s_layers =
    [
        HiveImage.Base(), HiveImage.Without("a"), HiveImage.Changing("SOFTWARE_DELTA", HiveImage.BuildDelta(HiveImage.SoftwareDelta)), HiveImage.Without("b"),
    ];

    [TestCase(SnapshotterMode.Cimfs, false, false)]
    [TestCase(SnapshotterMode.Blockcim, false, false)]
    [TestCase(SnapshotterMode.Blockcim, true, true)]
    public async Task They_are_byte_for_byte_what_an_import_makes_and_no_layer_of_the_source_is_asked_for(SnapshotterMode mode, bool integrity, bool footer)
    {
        await using var node = await ConvertingNode.StartAsync(ContainerdVersion.V2_1, new SnapshotterOptions { Mode = mode, LayerIntegrity = integrity, VhdFooter = footer });
        var (_, image) = node.Serve("1", s_layers);
        var converted = await node.PushConvertedAsync("1", node.Name("1-cim"));
        await node.ConvertAsync("1");
        var imported = node.FilesOf(image);
        await node.Node.Cri.WaitForImageAsync(node.Name("1"));
        await node.Node.Cri.RemoveImageAsync(node.Name("1"));
        await node.Node.Daemon.CollectGarbageAsync();
        await node.AssertOnlyAsync();

        var requests = node.LayerRequests(image);
        var result = await node.TakeAsync("1", isRequired: true);
        Assert.That(node.LayerRequests(image), Is.EqualTo(requests));
        Assert.That(OriginsOf(result), Is.EqualTo(new[] { Taken, Taken, Taken, Taken }));
        Assert.That(result.From, Is.EqualTo(new PulledFrom($"{node.Registry.Host}/team/app@{converted.Manifest.Digest}", converted.Manifest.Digest, FoundBy.Referrers)));
        Assert.That(node.FilesOf(image), Is.EqualTo(imported));
        await node.AssertOnlyAsync(image);
        Assert.That((await node.TakeAsync("1", isRequired: true)).IsNew, Is.False);
    }

    [Test]
    public async Task A_base_that_was_imported_here_has_other_regions_so_the_layers_above_are_imported()
    {
        await using var node = await ConvertingNode.StartAsync(ContainerdVersion.V2_1, SnapshotterMode.Cimfs);
        node.Serve("base", s_layers[0]);
        var (_, image) = node.Serve("1", s_layers);
        await node.PushConvertedAsync("1", node.Name("1-cim"));
        await node.ConvertAsync("base");

        await Assert.ThatAsync(() => node.TakeAsync("1", isRequired: true), Throws.TypeOf<ConversionException>().With.Message.Contains("no converted image was found whose layer can be taken: it needs 'region_"));
        var log = new LogLines();
        Assert.That(OriginsOf(await node.TakeAsync("1", logger: log)), Is.EqualTo(new[] { There, Imported, Imported, Imported }));
        Assert.That(log.Lines.Count(line => line.Contains("not taken from a converted image, but imported: it needs 'region_", StringComparison.Ordinal)), Is.EqualTo(1));
        Assert.That(log.Lines.Count(line => line.Contains("but imported: a layer below it was imported here", StringComparison.Ordinal)), Is.EqualTo(2));
        await node.AssertOnlyAsync(image);
    }

    [Test]
    public async Task The_form_that_the_snapshotter_wants_is_taken_and_no_other()
    {
        await using var node = await ConvertingNode.StartAsync(ContainerdVersion.V2_1, new SnapshotterOptions { Mode = SnapshotterMode.Blockcim, LayerIntegrity = true });
        node.Serve("1", s_layers[..2]);
        var (_, two) = node.Serve("2", HiveImage.Base().File("Files/two", "two"), HiveImage.Without("c"));
        foreach (var tag in (string[])["1", "2"])
        {
            await node.PushConvertedAsync(tag, node.Name($"{tag}-plain"), options => options with { Block = new BlockCimOptions() });
        }

        await node.PushConvertedAsync("2", node.Name("2-sealed"));
        var log = new LogLines();
        Assert.That(OriginsOf(await node.TakeAsync("1", logger: log)), Is.EqualTo(new[] { Imported, Imported }));
        Assert.That(log.Lines, Has.Some.Contains("the snapshotter wants managed block CIMs, sealed, and there are managed block CIMs"));

        var requests = node.LayerRequests(two);
        Assert.That(OriginsOf(await node.TakeAsync("2")), Is.EqualTo(new[] { Taken, Taken }));
        Assert.That(node.LayerRequests(two), Is.EqualTo(requests));
    }

    [Test]
    public async Task Where_a_file_is_damaged_or_missing_its_layer_is_imported_or_nothing_is_left([Values] SnapshotterMode mode)
    {
        await using var node = await ConvertingNode.StartAsync(ContainerdVersion.V2_1, mode);
        var (_, image) = node.Serve("1", s_layers);
        var converted = await node.PushConvertedAsync("1", node.Name("1-cim"));
        node.Registry.Faults.Add(Fault.Corrupt($"blobs/{converted.Layers[1].Files[^1].Blob.Digest}", Fault.Always));
        node.Registry.Faults.Add(Fault.Status($"blobs/{converted.Layers[2].Files.MaxBy(file => file.Blob.Size)!.Blob.Digest}", 404, Fault.Always));

        await Assert.ThatAsync(() => node.TakeAsync("1", isRequired: true), Throws.TypeOf<ConversionException>().With.Message.Contains("layer 2 of 4").Or.Message.Contains("layer 3 of 4"));
        await node.Node.Daemon.CollectGarbageAsync();
        await node.AssertOnlyAsync();

        var top = mode == SnapshotterMode.Cimfs ? Imported : Taken;
        Assert.That(OriginsOf(await node.TakeAsync("1")), Is.EqualTo(new[] { Taken, Imported, Imported, top }));
        await node.AssertOnlyAsync(image);
    }

    [Test]
    public async Task A_run_that_is_cancelled_or_loses_the_registry_goes_on_in_the_next([Values] SnapshotterMode mode)
    {
        await using var node = await ConvertingNode.StartAsync(ContainerdVersion.V2_1, mode);
        var (_, image) = node.Serve("1", s_layers);
        var converted = await node.PushConvertedAsync("1", node.Name("1-cim"));
        using var stop = new CancellationTokenSource();
        node.StandIn.After = async (call, _) =>
        {
            if (call.Method == "Prepare" && call.IsOf(image.Layers[1].ChainId))
            {
                await stop.CancelAsync();
            }
        };
        Assert.That(async () => await node.TakeAsync("1", cancellationToken: stop.Token), Throws.InstanceOf<OperationCanceledException>());
        node.StandIn.After = null;

        const int patience = 3;
        node.Registry.Faults.Add(Fault.Status($"blobs/{converted.Layers[2].Files.MaxBy(file => file.Blob.Size)!.Blob.Digest}", 503, patience));
        await Assert.ThatAsync(() => node.TakeAsync("1"), Throws.TypeOf<ConversionException>());
        node.Registry.Faults.Clear();
        Assert.That(OriginsOf(await node.TakeAsync("1")), Is.EqualTo(new[] { There, There, Taken, Taken }));
        await node.AssertOnlyAsync(image);
    }

    [Test]
    public async Task Blobs_of_the_source_are_there_too_where_they_are_asked_for()
    {
        await using var node = await ConvertingNode.StartAsync(ContainerdVersion.V2_1, SnapshotterMode.Cimfs);
        var (_, image) = node.Serve("1", s_layers);
        await node.PushConvertedAsync("1", node.Name("1-cim"));
        var result = await node.TakeAsync("1", change: into => into with { LayerBlobs = true });
        Assert.That(OriginsOf(result), Is.EqualTo(new[] { Taken, Taken, Taken, Taken }));
        Assert.That(await node.Node.LinesAsync("content", "ls", "-q"), Is.SupersetOf(image.Layers.Select(layer => layer.Digest)));
        await node.AssertOnlyAsync(image);
    }

    private static IEnumerable<LayerOrigin> OriginsOf(ContainerdResult result) => result.Layers.Select(layer => layer.Origin);
}
