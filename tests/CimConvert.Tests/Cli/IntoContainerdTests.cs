using System.Text.Json;
using CimConvert.TestKit.Containerd;
using CimConvert.TestKit.Layers;
using CimConvert.Tests.Containerd;
using CimConvert.Tests.Pipeline;
using NUnit.Framework;

namespace CimConvert.Tests.Cli;

/// <summary><c>convert</c> and <c>prewarm</c> with <c>--into containerd</c>, as scripts and batch jobs call them.</summary>
[Platform(Exclude = "Win", Reason = "containerd of Debian")]
[Category(Categories.Process)]
[Category(Categories.Tools)]
public class IntoContainerdTests
{
    private const int ImageCount = 50;

    [Test]
    public async Task One_image_is_converted_and_told_in_JSON_and_in_text()
    {
        await using var node = await ConvertingNode.StartAsync(ContainerdVersion.V2_1, SnapshotterMode.Cimfs);
        var (index, image) = node.Serve("1", Layer("base"), Layer("top"));
        string[] convert = ["convert", node.Name("1"), "--platform", "linux/amd64", .. node.Arguments];
        var json = await CimConvertProgram.JsonAsync(convert);
        var place = json.GetProperty("containerd");
        Assert.That(place.GetProperty("address").GetString(), Is.EqualTo(node.Node.Daemon.Address));
        Assert.That(place.GetProperty("namespace").GetString(), Is.EqualTo("k8s.io"));
        Assert.That(place.GetProperty("snapshotter").GetString(), Is.EqualTo("cimfs"));
        Assert.That(place.GetProperty("registered").GetBoolean(), Is.True);
        Assert.That(
            place.GetProperty("names").EnumerateArray().Select(name => name.GetString()),
            Is.EqualTo(new[] { node.Name("1"), $"{node.Registry.Host}/team/app@{index}", image.ConfigDigest }));
        foreach (var (layer, told) in image.Layers.Zip(json.GetProperty("layers").EnumerateArray()))
        {
            Assert.That(told.GetProperty("chainId").GetString(), Is.EqualTo(layer.ChainId));
            Assert.That(told.GetProperty("path").GetString(), Is.EqualTo(node.StandIn.LayerFileOf(node.SnapshotOf(layer))));
            Assert.That(told.GetProperty("reused").GetBoolean(), Is.False);
        }

        var text = (await CimConvertProgram.SucceedAsync(convert)).Output;
        Assert.That(text, Does.Contain("there already").And.Contain($"name   {node.Name("1")}").And.Contain("already in containerd (cimfs, k8s.io)"));
        Assert.That((await node.Node.Cri.WaitForImageAsync(node.Name("1")))!.Pinned, Is.True);
        await node.AssertOnlyAsync(image);
    }

    [Test]
    public async Task Layers_that_somebody_converted_are_taken_and_told_by_origin()
    {
        await using var node = await ConvertingNode.StartAsync(ContainerdVersion.V2_1, SnapshotterMode.Cimfs);
        node.Serve("1", Layer("base"), Layer("top"));
        node.Serve("2", Layer("base"), Layer("other"));
        await node.PushConvertedAsync("1", $"{node.Registry.Host}/converted/team/app:1", options => options with { WithSubject = false });
        var list = node.Folder["list.yaml"];
        await File.WriteAllLinesAsync(list,
        [
            $"into: {{containerd: {{address: '{node.Node.Daemon.Address}', state: {node.State}}}}}",
            "defaults:",
            "  platform: linux/amd64",
            "  backend: managed",
            "  only: converted",
            $"  from: {node.Registry.Host}/converted/{{repository}}:{{tag}}",
            "images:",
            $"  - {node.Name("1")}",
            $"  - {node.Name("2")}",
        ]);
        var report = await CimConvertProgram.RunAsync("prewarm", list, "--plain-http", "--quiet", "--allow-unmounted-format", "--json");
        Assert.That(report.ExitCode, Is.EqualTo(3), report.Error);
        using var parsed = JsonDocument.Parse(report.Output);
        var images = parsed.RootElement.GetProperty("images");
        Assert.That(images[0].GetProperty("outcome").GetString(), Is.EqualTo("pulled"));
        var conversion = images[0].GetProperty("conversion");
        Assert.That(conversion.GetProperty("from").GetProperty("foundBy").GetString(), Is.EqualTo("pattern"));
        Assert.That(OriginsOf(conversion), Is.EqualTo(new[] { "converted", "converted" }));
        Assert.That(images[1].GetProperty("error").GetString(), Does.Contain("no converted image was found").And.Contains($"{node.Registry.Host}/converted/team/app:2"));

        string[] convert = ["convert", node.Name("2"), "--platform", "linux/amd64", "--prefer-converted", "--from", $"{node.Registry.Host}/converted/{{repository}}:{{tag}}", .. node.Arguments];
        Assert.That(OriginsOf(await CimConvertProgram.JsonAsync(convert)), Is.EqualTo(new[] { "containerd", "source" }));
        await node.PushConvertedAsync("2", node.Name("2-cim"));
        await node.Node.Cri.WaitForImageAsync(node.Name("2"));
        await node.Node.Cri.RemoveImageAsync(node.Name("2"));
        await node.Node.Daemon.CollectGarbageAsync();
        var text = (await CimConvertProgram.SucceedAsync(convert)).Output;
        Assert.That(text, Does.Contain("there already").And.Contain("pulled").And.Contain($"taken from {node.Registry.Host}/team/app@sha256:"));
    }

    [Test]
    public async Task A_store_s_list_says_which_images_are_there()
    {
        await using var node = await ConvertingNode.StartAsync(ContainerdVersion.V2_1, SnapshotterMode.Cimfs);
        node.Serve("1", Layer("base"));
        node.Serve("2", Layer("base"), Layer("top"));
        await CimConvertProgram.SucceedAsync(["convert", node.Name("1"), "--platform", "linux/amd64", .. node.Arguments]);
        var store = node.Folder["of-its-own"];
        foreach (var tag in new[] { "1", "2" })
        {
            await CimConvertProgram.ConvertAsync(node.Name(tag), store, "--platform", "linux/amd64");
        }

        string[] images = ["images", store, "--containerd", node.Node.Daemon.Address];
        var json = (await CimConvertProgram.JsonAsync(images)).GetProperty("images").EnumerateArray();

        Assert.That(json.Select(image => (image.GetProperty("reference").GetString(), image.GetProperty("registered").GetBoolean())), Is.EqualTo(new[] { (node.Name("1"), true), (node.Name("2"), false) }));
        Assert.That(await CimConvertProgram.FailAsync(1, [.. images, "--namespace", "other"]), Does.Contain("has no namespace 'other'"));
        Assert.That((await CimConvertProgram.SucceedAsync(images)).Output, Does.Contain("in containerd").And.Contain("yes").And.Contain("no"));
        Assert.That(await CimConvertProgram.FailAsync(2, "images", store, "--namespace", "other"), Does.Contain("--namespace goes with --containerd"));
    }

    [Test]
    public async Task Kubelet_may_remove_what_is_not_pinned()
    {
        await using var node = await ConvertingNode.StartAsync(ContainerdVersion.V2_1, SnapshotterMode.Blockcim);
        node.Serve("1", Layer("base"));
        await CimConvertProgram.SucceedAsync(["convert", node.Name("1"), "--platform", "linux/amd64", "--snapshotter", "blockcim", "--no-pin", .. node.Arguments]);
        Assert.That((await node.Node.Cri.WaitForImageAsync(node.Name("1")))!.Pinned, Is.False);
    }

    [Test]
    [Category(Categories.Slow)]
    public async Task Fifty_images_make_each_layer_once_and_a_second_run_writes_nothing([Values] SnapshotterMode mode)
    {
        await using var node = await ConvertingNode.StartAsync(ContainerdVersion.V2_1, mode);
        var images = Enumerable.Range(0, ImageCount)
            .Select(i => node.Serve($"{i}", Layer("base"), Layer($"middle{i % 3}"), Layer($"top{i}")).Image)
            .ToArray();
        var list = node.Folder["list.yaml"];
        await File.WriteAllLinesAsync(list,
        [
            "into:",
            "  containerd:",
            $"    address: {node.Node.Daemon.Address}",
            $"    snapshotter: {node.StandIn.Name}",
            $"    state: {node.State}",
            "defaults: {platform: linux/amd64, backend: managed}",
            "concurrency: {images: 4, downloads: 4, imports: 1}",
            "images:",
            .. Enumerable.Range(0, ImageCount).Select(i => $"  - {node.Name($"{i}")}"),
        ]);
        string[] prewarm = ["prewarm", list, "--plain-http", "--quiet", "--allow-unmounted-format"];
        var planned = await CimConvertProgram.JsonAsync([.. prewarm, "--dry-run"]);
        var layers = images.SelectMany(image => image.Layers).DistinctBy(layer => layer.ChainId).ToArray();
        Assert.That(planned.GetProperty("images").EnumerateArray().Sum(image => image.GetProperty("toConvert").GetInt32()), Is.EqualTo(layers.Length));

        var first = await CimConvertProgram.JsonAsync(prewarm);
        Assert.That(Total(first, "converted"), Is.EqualTo(ImageCount));
        Assert.That(layers.Select(layer => node.StandIn.Count("Prepare", layer.ChainId)), Is.All.EqualTo(1));
        Assert.That(layers.Select(layer => node.StandIn.Count("Commit", layer.ChainId)), Is.All.EqualTo(1));
        Assert.That(layers.Select(layer => layer.Digest).Distinct().Select(blob => node.Registry.Requests.Count(request => request.Path.EndsWith(blob, StringComparison.Ordinal))), Is.All.GreaterThan(0));
        await node.AssertOnlyAsync(images);

        var (state, calls) = (await node.Node.StateAsync(), Writes(node));
        var second = await CimConvertProgram.JsonAsync(prewarm);
        Assert.That(Total(second, "ready"), Is.EqualTo(ImageCount));
        Assert.That(await node.Node.StateAsync(), Is.EqualTo(state));
        Assert.That(Writes(node), Is.EqualTo(calls));
    }

    [Test]
    public async Task Wrong_usage_is_told_before_anything_is_done()
    {
        await AssertUsageAsync("Option '--output' is required", "convert", "team/app:1");
        await AssertUsageAsync("--prefer-converted goes with --into", "convert", "team/app:1", "--output", "store", "--prefer-converted");
        await AssertUsageAsync("--from goes with --prefer-converted", "convert", "team/app:1", "--into", "containerd", "--from", "a/{repository}:{tag}");
        await AssertUsageAsync("--state goes with --into", "convert", "team/app:1", "--output", "store", "--state", "x");
        foreach (var (option, value) in new[] { ("--output", "store"), ("--format", "forked"), ("--integrity", null), ("--vhd-footer", null), ("--push", "a/b:1"), ("--subject", null) })
        {
            await AssertUsageAsync($"{option} is for a store", ["convert", "team/app:1", "--into", "containerd", option, .. value is null ? [] : new[] { value }]);
        }
    }

    [Test]
    public async Task A_daemon_that_does_not_answer_is_named()
    {
        var error = await CimConvertProgram.FailAsync(1, "convert", "team/app:1", "--into", "containerd", "--containerd", "unix:///nonexistent/containerd.sock");
        Assert.That(error, Does.Contain("/nonexistent/containerd.sock"));
    }

    [Test]
    public async Task Images_that_no_registry_names_are_refused()
    {
        await using var node = await ConvertingNode.StartAsync(ContainerdVersion.V2_1, SnapshotterMode.Cimfs);
        node.Serve("1", Layer("base"));
        var error = await CimConvertProgram.FailAsync(1, ["convert", $"oci:{node.Folder["images"]}:1", "--platform", "linux/amd64", "--quiet", .. node.Arguments]);
        Assert.That(error, Does.Contain("only images of registries go into containerd"));
    }

    private static IEnumerable<string?> OriginsOf(JsonElement conversion) =>
        conversion.GetProperty("layers").EnumerateArray().Select(layer => layer.GetProperty("origin").GetString());

    private static LayerBuilder Layer(string name) => name == "base" ? HiveImage.Base() : HiveImage.Without(name);

    private static int Total(JsonElement report, string name) => report.GetProperty("totals").GetProperty(name).GetInt32();

    /// <summary>Calls that change something; the daemon itself looks at snapshots now and then.</summary>
    private static int Writes(ConvertingNode node) => node.StandIn.Calls.Count(call => call.Method is "Prepare" or "View" or "Commit" or "Remove" or "Update");

    private static async Task AssertUsageAsync(string message, params IEnumerable<string> arguments)
    {
        var result = await CimConvertProgram.RunAsync(arguments);
        Assert.That(result.ExitCode, Is.EqualTo(2));
        Assert.That(result.Error, Does.Contain(message));
    }
}
