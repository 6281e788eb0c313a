using System.Globalization;
using CimConvert.Oci;
using CimConvert.TestKit;
using CimConvert.TestKit.Containerd;
using CimConvert.TestKit.Images;
using CimConvert.TestKit.Layers;
using CimConvert.TestKit.Servers;
using CimConvert.Tests.Containerd;
using CimConvert.Tests.Pipeline;
using NUnit.Framework;

namespace CimConvert.Tests.Cli;

/// <summary>
/// Conversions into containerd, in which the program or the daemon is killed, at every call and at moments that a seed picks: the next run
/// ends ready and leaves nothing half made. CIMCONVERT_KILL_ROUNDS asks for more rounds than a test run has time for.
/// </summary>
[Platform(Exclude = "Win", Reason = "kills as Unix does")]
[Category(Categories.Process)]
[Category(Categories.Tools)]
[Category(Categories.Slow)]
public class KilledContainerdTests
{
    private const int DefaultRounds = 5;

    /// <summary>A whole run takes about as long where nothing else runs.</summary>
    private const int LongestLife = 1200;

    private static int Rounds => int.Parse(Environment.GetEnvironmentVariable("CIMCONVERT_KILL_ROUNDS") ?? DefaultRounds.ToString(CultureInfo.InvariantCulture), CultureInfo.InvariantCulture);

    [Test]
    public async Task The_program_killed_at_any_moment([Values] SnapshotterMode mode)
    {
        await using var node = await ConvertingNode.StartAsync(ContainerdVersion.V2_1, mode);
        var image = Serve(node);
        var random = new Random(7);
        for (var round = 0; round < Rounds; round++)
        {
            await using var run = Start(node);
            var call = random.Next(2) == 0 ? random.Next(1, 10) : 0;
            KillAtCall(node, call, after: random.Next(2) == 0, () =>
            {
                run.Kill();
                return Task.CompletedTask;
            });
            if (call == 0)
            {
                await Task.Delay(random.Next(LongestLife));
                run.Kill();
            }

            await run.WaitAsync(CimConvertProgram.Patience);
            await FinishAsync(node, image, round);
        }
    }

    [Test]
    public async Task The_daemon_killed_at_any_moment([Values] SnapshotterMode mode)
    {
        await using var node = await ConvertingNode.StartAsync(ContainerdVersion.V2_1, mode);
        var image = Serve(node);
        var random = new Random(11);
        for (var round = 0; round < Rounds; round++)
        {
            await using var run = Start(node);
            var call = random.Next(2) == 0 ? random.Next(1, 10) : 0;
            KillAtCall(node, call, after: random.Next(2) == 0, node.Node.Daemon.KillAsync);
            if (call == 0)
            {
                await Task.Delay(random.Next(LongestLife));
                await node.Node.Daemon.KillAsync();
            }

            var result = await run.WaitAsync(CimConvertProgram.Patience);
            Assert.That(result.ExitCode, Is.Zero.Or.EqualTo(1), result.Error);
            Assert.That(result.Error, Does.Not.Contain("internal error").And.Not.Contain("   at "));
            node.StandIn.Before = null;
            node.StandIn.After = null;
            await node.Node.Daemon.RestartAsync();
            await FinishAsync(node, image, round);
        }
    }

    private static OciImage Serve(ConvertingNode node) => node.Serve(
        "1",
        HiveImage.Base(),
        HiveImage.Without("a"),
        HiveImage.Changing("SOFTWARE_DELTA", HiveImage.BuildDelta(HiveImage.SoftwareDelta)),
        new LayerBuilder().Directory("Files").File("Files/large", SeededContent.Bytes(5, 6 << 20))).Image;

    private static ExternalProcess Start(ConvertingNode node) =>
        CimConvertProgram.Start(["convert", node.Name("1"), "--platform", "linux/amd64", "--quiet", .. node.Arguments]);

    /// <summary>Kills at the Nth call from now on; 0 for none.</summary>
    private static void KillAtCall(ConvertingNode node, int number, bool after, Func<Task> kill)
    {
        var first = node.StandIn.Calls.Count;
        Func<SnapshotterCall, CancellationToken, Task>? hook = number == 0 ? null : (call, _) => call.Number == first + number ? kill() : Task.CompletedTask;
        node.StandIn.Before = after ? null : hook;
        node.StandIn.After = after ? hook : null;
    }

    /// <summary>The run that is let through, and then all is removed for the next round.</summary>
    private static async Task FinishAsync(ConvertingNode node, OciImage image, int round)
    {
        node.StandIn.Before = null;
        node.StandIn.After = null;
        var last = await CimConvertProgram.RunAsync(["convert", node.Name("1"), "--platform", "linux/amd64", "--quiet", .. node.Arguments]);
        Assert.That(last.ExitCode, Is.Zero, $"round {round}: {last.Error}");
        await node.Node.Daemon.CollectGarbageAsync();
        await node.AssertOnlyAsync(image);
        Assert.That((await node.Node.Cri.WaitForImageAsync(node.Name("1")))!.Id, Is.EqualTo(image.ConfigDigest));
        foreach (var layer in image.Layers.Where(_ => node.StandIn.Options.Mode == SnapshotterMode.Cimfs))
        {
            var verified = await CimConvertProgram.RunAsync("verify", node.StandIn.LayerFileOf(node.SnapshotOf(layer)));
            Assert.That(verified.ExitCode, Is.Zero, $"round {round}: {verified.Error}");
        }

        await CimConvertProgram.SucceedAsync("containerd", "remove", Digest.Parse(image.ConfigDigest).ToString(), "--containerd", node.Node.Daemon.Address);
        await node.Node.Cri.WaitForImageAsync(node.Name("1"), present: false);
        await node.AssertOnlyAsync();
    }
}
