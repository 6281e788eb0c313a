using System.Globalization;
using CimConvert.TestKit;
using CimConvert.TestKit.Registry;
using NUnit.Framework;

namespace CimConvert.Tests.Cli;

/// <summary>
/// Pre-warming killed again and again, at moments that a seed picks: what is there is whole, and the run that is let through
/// makes what a run never killed does. CIMCONVERT_KILL_ROUNDS asks for more rounds than a test run has time for.
/// </summary>
[Platform(Exclude = "Win", Reason = "kills as Unix does")]
[Category(Categories.Process)]
[Category(Categories.Slow)]
public class KilledPrewarmTests
{
    private const int DefaultRounds = 12;

    /// <summary>A whole run takes about as long where nothing else runs.</summary>
    private const int LongestLife = 1500;

    private static int Rounds => int.Parse(Environment.GetEnvironmentVariable("CIMCONVERT_KILL_ROUNDS") ?? DefaultRounds.ToString(CultureInfo.InvariantCulture), CultureInfo.InvariantCulture);

    [TestCase(1)]
    [TestCase(4)]
    public async Task Killed_over_and_over_and_then_let_through(int processes)
    {
        using var folder = new TempFolder();
        await using var registry = await FakeRegistry.StartAsync();
        var images = PrewarmTests.WriteSharing(folder["images"], 4, largest: 12 << 20);
        registry.AddLayout("win/app", folder["images"]);
        var names = images.Select(i => PrewarmTests.Name(registry, i)).ToArray();
        var random = new Random(42 + processes);

        for (var round = 0; round < Rounds / processes; round++)
        {
            // A store of its own now and then: the moments before anything is done come along, too.
            if (round % 5 == 0 && Directory.Exists(folder["store"]))
            {
                Directory.Delete(folder["store"], recursive: true);
            }

            await KillAsync(PrewarmTests.WriteList(folder, "store", names), processes, random);
            // Killed in its first moments, a run leaves what is no store yet.
            if (File.Exists(folder["store", "oci-layout"]) && round % 4 == 3)
            {
                var verified = await CimConvertProgram.RunAsync("verify", folder["store"]);
                Assert.That(verified.ExitCode, Is.Zero, $"round {round}: {verified.Error}");
            }
        }

        await CimConvertProgram.SucceedAsync("prewarm", PrewarmTests.WriteList(folder, "store", names), "--plain-http", "--quiet");
        await CimConvertProgram.SucceedAsync("prewarm", PrewarmTests.WriteList(folder, "undisturbed", names), "--plain-http", "--quiet");
        Assert.That(StoreFiles.Snapshot(folder["store"]), Is.EqualTo(StoreFiles.Snapshot(folder["undisturbed"])));
        Assert.That(StoreFiles.Names(folder["store"], "ingest"), Is.Empty);
        Assert.That((await CimConvertProgram.RunAsync("verify", folder["store"])).ExitCode, Is.Zero);
    }

    [Test]
    public async Task Four_processes_at_once_share_the_work()
    {
        using var folder = new TempFolder();
        await using var registry = await FakeRegistry.StartAsync();
        var images = PrewarmTests.WriteSharing(folder["images"], 4);
        registry.AddLayout("win/app", folder["images"]);
        var list = PrewarmTests.WriteList(folder, "store", images.Select(i => PrewarmTests.Name(registry, i)));

        var results = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => CimConvertProgram.RunAsync("prewarm", list, "--plain-http", "--quiet")));

        Assert.That(results.Select(r => r.ExitCode), Is.All.Zero, string.Join('\n', results.Select(r => r.Error)));
        var layers = images.SelectMany(i => i.Layers).Select(l => l.Digest).Distinct();
        Assert.That(layers.Select(l => registry.Requests.Count(r => r.Path.EndsWith(l, StringComparison.Ordinal))), Is.All.EqualTo(1), "each layer is fetched by one of them");
        Assert.That(StoreFiles.Names(folder["store"], "ingest"), Is.Empty);
        Assert.That((await CimConvertProgram.RunAsync("verify", folder["store"])).ExitCode, Is.Zero);
    }

    [Test]
    public async Task Collecting_beside_it_loses_nothing_that_it_reports_as_done()
    {
        using var folder = new TempFolder();
        await using var registry = await FakeRegistry.StartAsync();
        var images = PrewarmTests.WriteSharing(folder["images"], 8);
        registry.AddLayout("win/app", folder["images"]);
        var list = PrewarmTests.WriteList(folder, "store", images.Select(i => PrewarmTests.Name(registry, i)));
        await CimConvertProgram.SucceedAsync("convert", PrewarmTests.Name(registry, images[0]), "--plain-http", "--quiet", "--output", folder["store"]);

        var prewarm = CimConvertProgram.RunAsync("prewarm", list, "--plain-http", "--quiet");
        for (var collections = 0; collections == 0 || !prewarm.IsCompleted; collections++)
        {
            await CimConvertProgram.SucceedAsync("gc", folder["store"]);
        }

        (await prewarm).EnsureSuccess();
        await CimConvertProgram.SucceedAsync("gc", folder["store"]);
        Assert.That((await CimConvertProgram.RunAsync("verify", folder["store"])).ExitCode, Is.Zero);
        Assert.That(StoreFiles.Names(folder["store"], "layers"), Is.EquivalentTo(images.SelectMany(i => i.Layers).Select(l => StoreFiles.Hex(l.ChainId)).Distinct()));
        var again = await CimConvertProgram.JsonAsync("prewarm", list, "--plain-http", "--quiet");
        Assert.That(again.GetProperty("totals").GetProperty("ready").GetInt32(), Is.EqualTo(images.Count));
    }

    private static async Task KillAsync(string list, int processes, Random random)
    {
        var runs = Enumerable.Range(0, processes).Select(_ => CimConvertProgram.Start("prewarm", list, "--plain-http", "--quiet")).ToArray();
        foreach (var run in runs)
        {
            await Task.Delay(random.Next(LongestLife / processes));
            run.Kill();
        }

        foreach (var run in runs)
        {
            await run.WaitAsync(CimConvertProgram.Patience);
            await run.DisposeAsync();
        }
    }
}
