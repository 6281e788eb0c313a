using CimConvert.Cims;
using CimConvert.Containerd.Api;
using CimConvert.Oci;
using CimConvert.Pipeline;
using CimConvert.Prewarming;
using CimConvert.Sources;
using CimConvert.TestKit;
using CimConvert.TestKit.Registry;
using CimConvert.Tests.Containerd;
using CimConvert.Tests.Registry;
using Grpc.Core;
using Microsoft.Extensions.Logging.Abstractions;
using NUnit.Framework;

namespace CimConvert.Tests.Pipeline;

/// <summary>Conversions into a daemon that is slow, restarting or broken.</summary>
[Platform(Exclude = "Win", Reason = "a Unix socket")]
public class UnwillingDaemonTests
{
    private TempFolder _folder = null!;
    private FakeDaemon _daemon = null!;
    private FakeRegistry _registry = null!;

    [SetUp]
    public async Task StartAsync()
    {
        _folder = new TempFolder();
        _daemon = await FakeDaemon.StartAsync();
        _daemon.Plugins.Add(new Plugin { Type = "io.containerd.snapshotter.v1", Id = "cimfs" });
        _registry = await FakeRegistry.StartAsync();
        _registry.AddImage();
    }

    [TearDown]
    public async Task StopAsync()
    {
        await _registry.DisposeAsync();
        await _daemon.DisposeAsync();
        _folder.Dispose();
    }

    [TestCase(StatusCode.DeadlineExceeded, true)]
    [TestCase(StatusCode.Unavailable, true)]
    [TestCase(StatusCode.FailedPrecondition, false)]
    public async Task What_is_done_is_kept_for_the_next_run_unless_it_fails_for_good(StatusCode code, bool isKept)
    {
        Answer("Prepare key", code);
        var result = await PrewarmAsync(retries: 2);
        Assert.That(_daemon.Leases.Count, Is.EqualTo(isKept ? 1 : 0), "leases");
        Assert.That(Directory.EnumerateFiles(_folder["state", "ingest"], "*.blob").Count(), Is.EqualTo(isKept ? 1 : 0), "downloads");
        Assert.That(result.Attempts, Is.EqualTo(isKept ? 3 : 1));
    }

    [TestCase(StatusCode.Unavailable)]
    [TestCase(StatusCode.Unknown)]
    public async Task A_CRI_plugin_that_does_not_answer_is_a_warning(StatusCode code)
    {
        _daemon.Cri = () => code;
        using var log = new LogLines();
        using var target = await Into.OpenAsync(CimBackends.Managed, log, default);
        Assert.That(log.Lines, Has.Some.Contains("could not be checked: containerd at"));
    }

    [TestCase("state")]
    [TestCase("state/ingest")]
    public void A_state_folder_that_leads_elsewhere_is_refused_and_nothing_is_deleted_there(string link)
    {
        var elsewhere = Directory.CreateDirectory(_folder["elsewhere", "of somebody else"]).Parent!.FullName;
        Directory.CreateDirectory(Path.GetDirectoryName(_folder[link])!);
        Directory.CreateSymbolicLink(_folder[link], elsewhere);
        Assert.That(
            async () => await Into.OpenAsync(CimBackends.Managed, NullLogger.Instance, default),
            Throws.TypeOf<ConversionException>().With.Message.StartsWith($"'{_folder[link]}' leads to '{elsewhere}'"));
        Assert.That(Directory.EnumerateFileSystemEntries(elsewhere).Select(Path.GetFileName), Is.EqualTo(new[] { "of somebody else" }));
    }

    private IntoContainerd Into => new() { Address = _daemon.Address, State = _folder["state"], AllowsUnmountedFormat = true };

    private void Answer(string call, StatusCode code) =>
        _daemon.Snapshots = made => made == call ? code : made == "Stat layer" ? StatusCode.NotFound : StatusCode.OK;

    private async Task<PrewarmResult> PrewarmAsync(int retries)
    {
        var image = new PrewarmImage { Location = ImageLocation.Parse(_registry.Reference().ToString()), Platform = Platform.Parse("windows/amd64"), Backend = CimBackends.Managed };
        var list = new PrewarmList { Into = Into, Images = [image], RetryBudget = retries };
        using var registry = FakeImage.Client();
        using var destination = await PrewarmDestinations.OpenAsync(list, registry, NullLogger.Instance, default);
        using var run = new PrewarmRun(list, registry, destination, FakeImage.Options, NullLogger.Instance);
        return (await run.RunAsync(default)).Images.Single();
    }
}
