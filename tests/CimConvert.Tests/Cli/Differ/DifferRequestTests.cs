using CimConvert.Cli.Commands;
using CimConvert.Cli.Differ;
using CimConvert.Containerd;
using CimConvert.Containerd.Api;
using CimConvert.Layers;
using CimConvert.Oci;
using CimConvert.Pipeline;
using CimConvert.TestKit;
using CimConvert.TestKit.Containerd;
using CimConvert.TestKit.Hives;
using CimConvert.TestKit.Images;
using CimConvert.TestKit.Layers;
using CimConvert.TestKit.Servers;
using CimConvert.Tests.Cli.Hostile;
using CimConvert.Tests.Containerd;
using CimConvert.Tests.Pipeline;
using Google.Protobuf;
using Grpc.Core;
using Grpc.Health.V1;
using Microsoft.Extensions.Logging.Abstractions;
using NUnit.Framework;

namespace CimConvert.Tests.Cli.Differ;

/// <summary>What calls of the Diff service end with, beside a daemon that does what the test wants.</summary>
[Platform(Exclude = "Win", Reason = "a Unix socket")]
public class DifferRequestTests
{
    private const int FooterLength = 512;

    private static readonly byte[] s_tar = new LayerBuilder().Directory("Files").File("Files/f", SeededContent.Bytes(1, 300_000))
        .BaseHives(_ => HiveImage.Build(new KeySpec("ROOT"))).ToArray();

    private TempFolder _folder = null!;
    private FakeDaemon _daemon = null!;
    private BreakableSocket _toDaemon = null!;
    private CancellationTokenSource _stop = null!;
    private Task _served = null!;
    private ContainerdClient _connection = null!;

    /// <summary>How many layers the daemon has sent half of.</summary>
    private int _sent;

    private Diff.DiffClient _differ = null!;

    [SetUp]
    public async Task StartAsync()
    {
        _folder = new TempFolder();
        _daemon = await FakeDaemon.StartAsync();
        _toDaemon = new BreakableSocket(_folder["daemon.sock"], _daemon.Address.Path);
        _stop = new CancellationTokenSource();
        _sent = 0;
        var address = ContainerdAddress.Parse(_folder["d.sock"]);
        _served = DifferHost.RunAsync(
            new DifferSettings
            {
                Listen = address,
                Containerd = ContainerdAddress.Parse(_folder["daemon.sock"]),
                Backend = new ContainerdBackend("managed", AllowsUnmountedFormat: true),
                Limits = new InputLimits { MaxLayerSize = 1 << 20 },
                Concurrency = 2,
                CimFsConcurrency = 1,
                Log = new LogSettings(Quiet: true, Verbose: false),
            },
            _stop.Token);
        _connection = ContainerdClient.Connect(address, "k8s.io", NullLogger.Instance);
        _differ = new Diff.DiffClient(_connection.Calls);
        while (!File.Exists(address.Path) && !_served.IsCompleted)
        {
            await Task.Delay(5);
        }
    }

    [TearDown]
    public async Task StopAsync()
    {
        await _stop.CancelAsync();
        await _served;
        Assert.That(File.Exists(_folder["d.sock"]), Is.False);
        _connection.Dispose();
        await _toDaemon.DisposeAsync();
        await _daemon.DisposeAsync();
        _stop.Dispose();
        _folder.Dispose();
    }

    [Test]
    public async Task A_layer_is_read_from_the_daemon_in_the_callers_namespace([Values(null, "moby")] string? name)
    {
        Send(s_tar);
        var answer = await _differ.ApplyAsync(Request(s_tar), name is null ? [] : new Metadata { { "containerd-namespace", name } });
        Assert.That(answer.Applied, Is.EqualTo(new BlobDescriptor { MediaType = MediaTypes.OciLayer, Digest = Digests.Of(s_tar), Size = s_tar.Length }));
        Assert.That(File.Exists(_folder["s", "cim-layers", "1.cim"]));
        Assert.That(_daemon.Headers!.GetValue("containerd-namespace"), Is.EqualTo(name ?? "k8s.io"));
    }

    private static TestCaseData[] Refused =>
    [
        new(StatusCode.Unimplemented, "only layers of", Change(request => request.Mounts.Clear())),
        new(StatusCode.Unimplemented, "only layers of", Change(request => request.Mounts.Add(request.Mounts[0].Clone()))),
        new(StatusCode.Unimplemented, "only layers of", Change(request => request.Mounts[0].Type = "windows-layer")),
        new(StatusCode.Unimplemented, "tar+gzip+encrypted' are not", Change(request => request.Diff.MediaType = MediaTypes.OciLayerGzip + "+encrypted")),
        new(StatusCode.InvalidArgument, "has no layer", Change(request => request.Diff = null)),
        new(StatusCode.InvalidArgument, "negative size", Change(request => request.Diff.Size = -1)),
        new(StatusCode.InvalidArgument, "digest", Change(request => request.Diff.Digest = "sha256:../../\u001b[31m")),
        new(StatusCode.InvalidArgument, "not an absolute path", Change(request => request.Mounts[0].Source = "s/1")),
        new(StatusCode.InvalidArgument, "not an absolute path", Change(request => request.Mounts[0].Options[1] = "cimpath=../1.cim")),
        new(StatusCode.InvalidArgument, "read-only", Change(request => request.Mounts[0].Options[0] = "ro")),
        new(StatusCode.InvalidArgument, "of a container", Change(request => request.Mounts[0] = new Mount
        {
            Type = "BlockCIM", Source = "/s/3", Options = { """parentCimPaths=["/s/1/layer.vhd/layer.cim"]""", "blockCIMType=file" },
        })),
        new(StatusCode.FailedPrecondition, "not on this machine", Change(request => request.Mounts[0].Source = "/nowhere/1")),
    ];

    [TestCaseSource(nameof(Refused))]
    public async Task What_cannot_be_is_refused_in_one_line_and_touches_nothing(StatusCode code, string reason, object change)
    {
        Send(s_tar);
        var there = _folder.Write("s/cim-layers/1.cim", [1]);
        var request = Request(s_tar);
        ((Action<ApplyRequest>)change)(request);
        await AssertFailsAsync(request, code, reason);
        Assert.That(File.Exists(there));
    }

    [Test]
    public async Task A_block_layer_is_sealed_and_gets_a_footer_where_its_mount_asks_for_them([Values] bool integrity, [Values] bool footer)
    {
        Send(s_tar);
        var request = Request(s_tar);
        request.Mounts[0] = BlockMount(_folder["s"]);
        request.Mounts[0].Options.AddRange([.. integrity ? ["enable_layer_integrity"] : (string[])[], .. footer ? ["append_vhd_footer"] : (string[])[]]);
        await _differ.ApplyAsync(request);

        string[] options = [.. integrity ? ["--integrity"] : (string[])[], .. footer ? ["--vhd-footer"] : (string[])[]];
        var tar = _folder.Write("layer.tar", s_tar);
        Assert.That((await InProcess.RunAsync(["import", tar, "--block", _folder["expected", "1", "layer.vhd"], "--quiet", .. options])).ExitCode, Is.Zero);
        Assert.That(StoreFiles.Snapshot(_folder["s", "1"]), Is.EqualTo(StoreFiles.Snapshot(_folder["expected", "1"])));
        var made = await File.ReadAllBytesAsync(_folder["s", "1", "layer.vhd"]);
        Assert.That(made.AsSpan(^FooterLength..).StartsWith("conectix"u8), Is.EqualTo(footer));
    }

    [Test]
    [Category(Categories.Process)]
    [Category(Categories.Tools)]
    public async Task A_full_disk_is_a_status_of_its_own_and_the_same_call_goes_well_when_there_is_room([Values] SnapshotterMode mode)
    {
        await using var disk = await SmallDisk.MountAsync("256k");
        var mount = mode == SnapshotterMode.Cimfs ? ForkedMount(disk.Path) : BlockMount(disk.Path);
        Send(s_tar);
        var request = Request(s_tar);
        request.Mounts[0] = mount;
        await AssertFailsAsync(request, StatusCode.ResourceExhausted, "No space left on device");
        Assert.That(Directory.EnumerateFiles(disk.Path, "*", SearchOption.AllDirectories), Is.Empty);

        (await ExternalProcess.RunAsync(Tools.Require("mount"), ["-o", "remount,size=16m", disk.Path])).EnsureSuccess();
        await _differ.ApplyAsync(request);
        Assert.That(Directory.EnumerateFiles(disk.Path, "*", SearchOption.AllDirectories), Is.Not.Empty);
    }

    [Test]
    public async Task What_a_killed_import_left_is_replaced()
    {
        Send(s_tar);
        var cim = _folder.Write("s/cim-layers/1.cim", [1]);
        _folder.Write("s/1/Hives/SYSTEM_BASE", [1]);
        await _differ.ApplyAsync(Request(s_tar));
        Assert.That(new FileInfo(cim).Length, Is.GreaterThan(1));
        Assert.That(new FileInfo(_folder["s", "1", "Hives", "SYSTEM_BASE"]).Length, Is.GreaterThan(1));
    }

    [Test]
    public async Task A_size_that_the_daemon_does_not_confirm_is_refused()
    {
        Send(s_tar);
        var request = Request(s_tar);
        request.Diff.Size = long.MaxValue;
        await AssertFailsAsync(request, StatusCode.FailedPrecondition, $"has {s_tar.Length} bytes of");
        AssertNothingIsLeft();
    }

    [Test]
    public async Task Content_that_is_not_what_it_should_be_is_named()
    {
        Send(s_tar);
        var request = Request(s_tar);
        request.Diff.Digest = Digests.OfText("other");
        await AssertFailsAsync(request, StatusCode.FailedPrecondition, $"layer {request.Diff.Digest}: its blob has other content than it should");
        AssertNothingIsLeft();
    }

    [Test]
    public async Task A_bad_entry_is_named_with_its_offset()
    {
        var tar = new LayerBuilder().Directory("Files").File("Files/../\u001b[31m", "x").ToArray();
        Send(tar);
        await AssertFailsAsync(Request(tar), StatusCode.FailedPrecondition, @"entry 'Files\..\?[31m' at offset ");
        AssertNothingIsLeft();
    }

    [Test]
    public async Task A_layer_over_its_limit_is_refused()
    {
        var tar = new LayerBuilder().File("f", 2 << 20, () => SeededContent.Stream(1, 2 << 20)).ToArray();
        Send(tar);
        await AssertFailsAsync(Request(tar), StatusCode.FailedPrecondition, "--max-layer-size");
        AssertNothingIsLeft();
    }

    [Test]
    public async Task A_daemon_that_is_gone_is_a_status_of_its_own()
    {
        var reached = SendHalf();
        var call = _differ.ApplyAsync(Request(s_tar)).ResponseAsync;
        await reached;
        await _toDaemon.DisposeAsync();
        Assert.That(async () => await call, Throws.TypeOf<RpcException>().With.Property(nameof(RpcException.StatusCode)).EqualTo(StatusCode.Unavailable));
        AssertNothingIsLeft();
        await AssertFailsAsync(Request(s_tar), StatusCode.Unavailable, "no containerd answers");
        Assert.That((await HealthAsync()).Status, Is.EqualTo(HealthCheckResponse.Types.ServingStatus.NotServing));
    }

    [Test]
    public async Task A_cancelled_call_and_one_that_waits_for_it_leave_nothing()
    {
        var reached = SendHalf();
        using CancellationTokenSource first = new();
        using CancellationTokenSource second = new();
        var running = _differ.ApplyAsync(Request(s_tar), cancellationToken: first.Token).ResponseAsync;
        await reached;
        var waiting = _differ.ApplyAsync(Request(s_tar), cancellationToken: second.Token).ResponseAsync;
        await Task.Delay(TimeSpan.FromMilliseconds(200));
        Assert.That(_sent, Is.EqualTo(1), "layers read");
        await second.CancelAsync();
        Assert.That(async () => await waiting, Throws.TypeOf<RpcException>());
        Assert.That(running.IsCompleted, Is.False);
        await first.CancelAsync();
        Assert.That(async () => await running, Throws.TypeOf<RpcException>());

        // The only slot is free again.
        _daemon.Sent = _ => Task.CompletedTask;
        Send(s_tar);
        await _differ.ApplyAsync(Request(s_tar));
    }

    [Test]
    public async Task Stopping_ends_a_running_call()
    {
        var reached = SendHalf();
        var call = _differ.ApplyAsync(Request(s_tar)).ResponseAsync;
        await reached;
        await _stop.CancelAsync();
        await _served;
        Assert.That(async () => await call, Throws.TypeOf<RpcException>().With.Property(nameof(RpcException.StatusCode)).EqualTo(StatusCode.Unavailable));
        AssertNothingIsLeft();
    }

    [Test]
    public void Differences_are_not_made() => Assert.That(
        async () => await _differ.DiffAsync(new DiffRequest()),
        Throws.TypeOf<RpcException>().With.Property(nameof(RpcException.StatusCode)).EqualTo(StatusCode.Unimplemented));

    [Test]
    public async Task It_is_healthy_while_the_daemon_answers() =>
        Assert.That((await HealthAsync()).Status, Is.EqualTo(HealthCheckResponse.Types.ServingStatus.Serving));

    /// <summary>A test's parameters must be public types.</summary>
    private static object Change(Action<ApplyRequest> change) => change;

    private async Task<HealthCheckResponse> HealthAsync() => await new Health.HealthClient(_connection.Calls).CheckAsync(new HealthCheckRequest());

    /// <summary>What the daemon has as content: all of it, or as it begins.</summary>
    private void Send(byte[] blob, int? length = null)
    {
        const int Part = 100_000;
        _daemon.Content.Clear();
        for (var at = 0; at < (length ?? blob.Length); at += Part)
        {
            _daemon.Content.Add(new ReadContentResponse { Offset = at, Data = ByteString.CopyFrom(blob.AsSpan(at, Math.Min(Part, blob.Length - at))) });
        }

        _daemon.Size = blob.Length;
    }

    /// <summary>The daemon sends half of the layer, and then nothing more.</summary>
    /// <returns>Ends when it has.</returns>
    private Task SendHalf()
    {
        var reached = new TaskCompletionSource();
        _daemon.Sent = token =>
        {
            Interlocked.Increment(ref _sent);
            reached.TrySetResult();
            return Task.Delay(Timeout.Infinite, token);
        };
        Send(s_tar, s_tar.Length / 2);
        return reached.Task;
    }

    private ApplyRequest Request(byte[] tar) => new()
    {
        Diff = new BlobDescriptor { MediaType = MediaTypes.OciLayer, Digest = Digests.Of(tar), Size = tar.Length },
        Mounts = { ForkedMount(_folder["s"]) },
    };

    /// <summary>As the snapshotter cimfs answers for a base layer.</summary>
    private static Mount ForkedMount(string root)
    {
        var cims = Path.Combine(root, "cim-layers");
        Directory.CreateDirectory(cims);
        return new Mount { Type = "CimFS", Source = FolderOfLayer(root), Options = { "rw", $"cimpath={Path.Combine(cims, "1.cim")}" } };
    }

    /// <summary>As the snapshotter blockcim answers for a base layer.</summary>
    private static Mount BlockMount(string root) => new()
    {
        Type = "BlockCIM",
        Source = Path.Combine(FolderOfLayer(root), "layer.vhd", "layer.cim"),
        Options = { "parentCimPaths=[]", "blockCIMType=file" },
    };

    /// <summary>The folder of a layer, which the snapshotter makes.</summary>
    private static string FolderOfLayer(string root) => Directory.CreateDirectory(Path.Combine(root, "1")).FullName;

    private async Task AssertFailsAsync(ApplyRequest request, StatusCode code, string reason)
    {
        var failure = await Assert.ThrowsAsync<RpcException>(async () => await _differ.ApplyAsync(request));
        Assert.That(failure!.StatusCode, Is.EqualTo(code), failure.Status.Detail);
        Assert.That(failure.Status.Detail, Does.Contain(reason).And.Not.Contains("\n").And.Not.Contains("\u001b"));
    }

    private void AssertNothingIsLeft() => Assert.That(Directory.EnumerateFiles(_folder["s"], "*", SearchOption.AllDirectories), Is.Empty);
}
