using CimConvert.TestKit.Containerd;
using CimConvert.TestKit.Images;
using CimConvert.Tests.Containerd;
using CimConvert.Tests.Layers;
using CimConvert.Tests.Pipeline;
using NUnit.Framework;

namespace CimConvert.Tests.Windows;

/// <summary>
/// The Windows program converts into a real containerd, which it reaches by a named pipe, and which has a stand-in for the snapshotter of
/// Windows: it makes the calls that Microsoft's own importer made on the same layers, at the places that the snapshotter's mounts name.
/// What may differ is what <see cref="TraceParityTests"/> and <see cref="ForkedNativeTests"/> name.
/// </summary>
[Category(Categories.Process)]
[Category(Categories.Tools)]
public class ContainerdTraceTests
{
    private const string Tag = "v1";

    [Test]
    public async Task Block_layers_and_their_merge_make_the_recorded_calls([Values] bool integrity, [Values] bool footer)
    {
        await using var node = await StartAsync(new SnapshotterOptions { Mode = SnapshotterMode.Blockcim, LayerIntegrity = integrity, VhdFooter = footer });
        var (_, image) = node.Serve(Tag, AddLayers);
        var traces = await ConvertAsync(node);

        var ids = image.Layers.Select(layer => node.SnapshotOf(layer).Id).ToArray();
        var snapshots = Path.Combine(node.StandIn.Root, "snapshots");
        var images = traces.Images().Select(lines => lines.Select(Canonical).ToArray()).ToArray();
        RecordedImport.AssertCalls(images, RecordedImport.Calls(integrity ? "integrity-vhd" : "plain"));
        using (Assert.EnterMultipleScope())
        {
            Assert.That(RecordedImport.FilesOf(snapshots), Is.EqualTo(RecordedImport.Files(ids[0], ids[1], ids[1], "vhd", integrity)));
            foreach (var file in (string[])[$"{ids[0]}/layer.vhd", $"{ids[1]}/layer.vhd", $"{ids[1]}/merged.vhd"])
            {
                RecordedImport.AssertFooter(Path.Combine(snapshots, file), footer, integrity);
            }
        }

        await AssertRegisteredAsync(node, image);
        await node.Node.Daemon.CtrAsync("snapshots", "--snapshotter", "blockcim", "prepare", "container", image.Layers[^1].ChainId);
        Assert.That(node.StandIn.Merges.Select(merge => merge.WasThere), Is.EqualTo(new[] { true }), "a container takes the merged CIM");

        string Canonical(string line)
        {
            line = line.Replace(In(ids[1], "merged.vhd"), @"<out>\\merged\\merged.bcim", StringComparison.Ordinal);
            foreach (var (i, id) in ids.Index())
            {
                line = line.Replace(In(id, "layer.vhd"), $@"<out>\\{i}\\layer.bcim", StringComparison.Ordinal);
            }

            return line.Replace(RecordedImport.Partial, "", StringComparison.Ordinal);
        }

        string In(string id, string file) => RecordedImport.Json(WinePrefix.PathOf(Path.Combine(snapshots, id, file)));
    }

    /// <summary>The third layer has no hives: it gets those of the layer below, as an import upon it looks for them there.</summary>
    [Test]
    public async Task Forked_layers_make_the_recorded_calls_but_for_links_and_whiteouts()
    {
        await using var node = await StartAsync(new SnapshotterOptions { Mode = SnapshotterMode.Cimfs });
        var (_, image) = node.Serve(Tag, builder => AddLayers(builder).Layer(HiveImage.Without()));
        var images = (await ConvertAsync(node)).Images();

        var ids = image.Layers.Select(layer => node.SnapshotOf(layer).Id).ToArray();
        var snapshots = Path.Combine(node.StandIn.Root, "snapshots");
        Assert.That(images, Has.Count.EqualTo(3));
        RecordedImport.AssertForkedCalls(images);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(images.Select(lines => lines[0]), Is.EqualTo(ids.Select((_, i) => Created(i))));
            Assert.That(RecordedImport.FilesOf(snapshots), Is.EqualTo(Expected().Order(StringComparer.Ordinal)));
            foreach (var hive in RecordedImport.Hives(ids[2], withDeltas: false))
            {
                var below = Path.Combine(snapshots, ids[1], "Hives", Path.GetFileName(hive));
                Assert.That(File.ReadAllBytes(Path.Combine(snapshots, hive)), Is.EqualTo(File.ReadAllBytes(below)), hive);
            }
        }

        await AssertRegisteredAsync(node, image);

        string Created(int layer)
        {
            var folder = RecordedImport.Json(WinePrefix.PathOf(Path.Combine(snapshots, ids[layer], "layer" + RecordedImport.Partial)));
            var old = layer == 0 ? "null" : $"\"{ids[layer - 1]}.cim\"";
            return $$"""{"op":"CreateImage","path":"{{folder}}","old":{{old}},"new":"{{ids[layer]}}.cim"}""";
        }

        IEnumerable<string> Expected() =>
        [
            .. RecordedImport.Hives(ids[0], withDeltas: false),
            .. RecordedImport.Hives(ids[1], withDeltas: true),
            .. RecordedImport.Hives(ids[2], withDeltas: false),

            // Each CIM with the region that the recorder makes for it.
            .. ids.SelectMany((id, i) => (string[])[$"cim-layers/{id}.cim", $"cim-layers/region_0000000{i}-0000-0000-0000-000000000000_0"]),
        ];
    }

    private static ImageBuilder AddLayers(ImageBuilder builder) => builder.Layer(ParityData.Tar(ParityData.Base)).Layer(ParityData.Tar(ParityData.Delta));

    private static Task<ConvertingNode> StartAsync(SnapshotterOptions options) =>
        ConvertingNode.StartAsync(ContainerdVersion.V2_1, options with { PathInMounts = WinePrefix.PathOf });

    private static async Task<Traces> ConvertAsync(ConvertingNode node)
    {
        var traces = new Traces(node.Folder["traces"]);
        await using var bridge = await PipeBridge.StartAsync(WindowsProgram.WithWriter, node.Node.Daemon.Socket);
        var json = await WindowsProgram.WithWriter.JsonAsync(
            [
                "convert", node.Name(Tag), "--into", "containerd", "--containerd", bridge.Address, "--namespace", "k8s.io",
                "--state", WinePrefix.PathOf(node.State), "--backend", "native", "--plain-http", "--platform", "linux/amd64", "--quiet",
            ],
            traces.Environment());
        Assert.That(json.GetProperty("backend").GetString(), Is.EqualTo("native"));
        Assert.That(json.GetProperty("hives").GetString(), Is.EqualTo("offreg"));
        return traces;
    }

    /// <summary>Kubelet finds the image, and nothing but its layers is left.</summary>
    private static async Task AssertRegisteredAsync(ConvertingNode node, OciImage image)
    {
        await node.AssertOnlyAsync(image);
        await node.Node.Daemon.CollectGarbageAsync();
        Assert.That((await node.Node.Cri.WaitForImageAsync(node.Name(Tag)))!.Id, Is.EqualTo(image.ConfigDigest));
        await node.AssertOnlyAsync(image);
    }
}
