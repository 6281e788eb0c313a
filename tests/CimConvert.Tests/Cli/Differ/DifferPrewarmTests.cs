using CimConvert.TestKit.Containerd;
using CimConvert.TestKit.Images;
using CimConvert.Tests.Pipeline;
using NUnit.Framework;

namespace CimConvert.Tests.Cli.Differ;

/// <summary>Pulls of the node and conversions into its containerd share layers, whoever comes first.</summary>
[Platform(Exclude = "Win", Reason = "containerd of Debian")]
[Category(Categories.Process)]
[Category(Categories.Tools)]
[Category(Categories.Slow)]
public class DifferPrewarmTests
{
    private const int Layers = 4;

    private static readonly ContainerdVersion[] s_versions = [ContainerdVersion.V1_7, ContainerdVersion.V2_1];

    [Test]
    public async Task What_was_pulled_is_taken([ValueSource(nameof(s_versions))] ContainerdVersion version)
    {
        await using var node = await DifferNode.StartAsync(version);
        var image = Serve(node);
        Assert.That((await node.PullAsync("app", isLocal: true)).ExitCode, Is.Zero, node.Differ.Error.ToString());
        var before = Describe(node);
        var result = await CimConvertProgram.JsonAsync(Convert(node));
        Assert.That(result.GetProperty("layers").EnumerateArray().Select(layer => layer.GetProperty("reused").GetBoolean()), Is.All.True);
        Assert.That(Describe(node), Is.EqualTo(before));

        // What the pull made stays when the prewarmed image goes.
        await CimConvertProgram.SucceedAsync("containerd", "remove", image.ConfigDigest, "--containerd", node.Daemon.Address);
        await node.Daemon.CollectGarbageAsync();
        Assert.That(Describe(node), Is.EqualTo(before));
        Assert.That(await node.Daemon.CtrAsync("images", "ls", "-q"), Does.Contain(node.NameOf("app")));
    }

    [Test]
    public async Task What_was_converted_is_not_pulled_again(
        [ValueSource(nameof(s_versions))] ContainerdVersion version, [Values] bool isLocal)
    {
        await using var node = await DifferNode.StartAsync(version);
        Serve(node);
        await CimConvertProgram.SucceedAsync(Convert(node));
        var before = Describe(node);
        Assert.That((await node.PullAsync("app", isLocal)).ExitCode, Is.Zero);
        Assert.That(Describe(node), Is.EqualTo(before));
        Assert.That(node.Differ.Error.ToString(), Does.Not.Contain("imported"));
    }

    private static OciImage Serve(DifferNode node)
    {
        var image = DifferNode.NewImage();
        foreach (var layer in ForkedChain.Layers.Take(Layers))
        {
            image.Layer(layer);
        }

        return node.Serve("app", image);
    }

    private static string[] Convert(DifferNode node) =>
    [
        "convert", node.NameOf("app"), "--platform", "linux/amd64", "--quiet", "--cert-dir", node.Folder.Path,
        "--into", "containerd", "--containerd", node.Daemon.Address, "--state", node.Folder["state"], "--allow-unmounted-format",
    ];

    /// <summary>The finished layers, by what the daemon knows them by, and where their files are.</summary>
    private static (string Key, string Id)[] Describe(DifferNode node) =>
        [.. node.StandIn.Snapshots.Where(snapshot => snapshot.Kind == StandInKind.Committed).Select(snapshot => (snapshot.Key, snapshot.Id))];
}
