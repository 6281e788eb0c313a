using System.Globalization;
using System.Net.Sockets;
using CimConvert.Containerd;
using CimConvert.Containerd.Api;
using CimConvert.Oci;
using CimConvert.TestKit;
using Google.Protobuf;
using Grpc.Core;
using Microsoft.Extensions.Logging.Abstractions;
using NUnit.Framework;

namespace CimConvert.Tests.Containerd;

[Platform(Exclude = "Win", Reason = "Unix sockets")]
public class ContainerdClientTests
{
    private static readonly DiffId s_diff = new(Digest.Compute("a"u8));
    private static readonly ChainId s_base = ChainId.Of(null, s_diff);
    private static readonly ChainId s_top = ChainId.Of(s_base, s_diff);

    [Test]
    public void No_daemon_is_said_in_one_line_with_its_address()
    {
        using TempFolder folder = new();
        using var client = ContainerdClient.Connect(ContainerdAddress.Parse(folder["d.sock"]), "k8s.io", NullLogger.Instance);
        Assert.That(
            async () => await client.VersionAsync(default),
            Throws.TypeOf<ConversionException>().With.Message.StartsWith($"no containerd answers at unix://{folder["d.sock"]} (").And.Message.Contains("--containerd"));
    }

    [Test]
    public void A_socket_that_nobody_listens_at_any_more_is_no_daemon()
    {
        using TempFolder folder = new();
        using (Socket socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified))
        {
            socket.Bind(new UnixDomainSocketEndPoint(folder["other.sock"]));
            File.Move(folder["other.sock"], folder["d.sock"]);
        }

        using var client = ContainerdClient.Connect(ContainerdAddress.Parse(folder["d.sock"]), "k8s.io", NullLogger.Instance);
        Assert.That(async () => await client.VersionAsync(default), Throws.TypeOf<ConversionException>().With.Message.Contains("Connection refused"));
    }

    [Test]
    public async Task A_daemon_that_is_not_reached_may_be_later_and_a_registry_is_no_daemon()
    {
        using TempFolder folder = new();
        using var client = ContainerdClient.Connect(ContainerdAddress.Parse(folder["d.sock"]), "k8s.io", NullLogger.Instance);
        var gone = await Assert.ThrowsAsync<ConversionException>(() => client.VersionAsync(default));
        SocketException refused = new((int)SocketError.ConnectionRefused);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(ContainerdFailures.IsUnreachable(Failures.Of("an image", gone!)), Is.True);
            Assert.That(ContainerdFailures.IsUnreachable(new ConversionException("no right", new SocketException((int)SocketError.AccessDenied))), Is.False);
            Assert.That(ContainerdFailures.IsUnreachable(new ConversionException("a registry", new HttpRequestException("refused", refused))), Is.False);
        }
    }

    [Test]
    public void A_pipe_is_only_on_Windows()
    {
        using var client = ContainerdClient.Connect(ContainerdAddress.Parse("npipe:////./pipe/containerd-containerd"), "k8s.io", NullLogger.Instance);
        Assert.That(async () => await client.VersionAsync(default), Throws.TypeOf<ConversionException>().With.Message.Contains("only Windows has"));
    }

    [TestCase("")]
    [TestCase("a b")]
    [TestCase("k8s.io\r\nx")]
    [TestCase("-a")]
    public void A_namespace_is_one_word(string name) => Assert.That(
        () => ContainerdClient.Connect(ContainerdAddress.Default, name, NullLogger.Instance),
        Throws.TypeOf<InvalidDataException>().With.Message.Contains("is not a namespace").And.Message.Not.Contains("\n"));

    [Test]
    public void A_namespace_has_76_characters_at_most()
    {
        Assert.That(() => ContainerdClient.Connect(ContainerdAddress.Default, new string('a', 76), NullLogger.Instance).Dispose(), Throws.Nothing);
        Assert.That(() => ContainerdClient.Connect(ContainerdAddress.Default, new string('a', 77), NullLogger.Instance), Throws.TypeOf<InvalidDataException>());
    }

    [Test]
    public async Task Every_call_names_the_namespace()
    {
        await using var daemon = await FakeDaemon.StartAsync();
        using var client = daemon.Connect("moby");
        Assert.That(await client.VersionAsync(default), Is.EqualTo("v2.1.9"));
        Assert.That(daemon.Headers!.GetValue("containerd-namespace"), Is.EqualTo("moby"));
        Assert.That(daemon.Headers.GetValue("containerd-lease"), Is.Null);
        Assert.That(daemon.Deadline, Is.Not.EqualTo(DateTime.MaxValue));
    }

    [Test]
    public async Task A_daemon_without_a_service_is_called_too_old()
    {
        await using var daemon = await FakeDaemon.StartAsync(hasServices: false);
        using var client = daemon.Connect();
        Assert.That(async () => await client.VersionAsync(default), Throws.TypeOf<ConversionException>().With.Message.Contains("too old").And.Message.Contains("1.6"));
    }

    [TestCase("v1.5.18", true)]
    [TestCase("0.9", true)]
    [TestCase("1.6.20~ds1", false)]
    [TestCase("v2.0.0-rc.1", false)]
    [TestCase("of my own", false)]
    public async Task Versions_before_1_6_are_refused(string version, bool refused)
    {
        await using var daemon = await FakeDaemon.StartAsync();
        daemon.Version = () => version;
        daemon.Plugins.Add(Snapshotter("cimfs"));
        using var client = daemon.Connect();
        Assert.That(
            async () => await client.SnapshotterAsync("auto", default),
            refused ? Throws.TypeOf<ConversionException>().With.Message.Contains($"version {version}, which is too old") : Throws.Nothing);
    }

    [TestCase(StatusCode.PermissionDenied, "no right to use containerd")]
    [TestCase(StatusCode.Unauthenticated, "no right to use containerd")]
    [TestCase(StatusCode.DeadlineExceeded, "did not tell its version in time")]
    [TestCase(StatusCode.Internal, "could not tell its version: it?broke")]
    public async Task Failures_of_the_daemon_are_one_line(StatusCode code, string message)
    {
        await using var daemon = await FakeDaemon.StartAsync();
        daemon.Version = () => throw new RpcException(new Status(code, "it\nbroke"));
        using var client = daemon.Connect();
        Assert.That(
            async () => await client.VersionAsync(default), Throws.TypeOf<ConversionException>().With.Message.Contains(message).And.Message.Not.Contains("\n"));
    }

    [Test]
    public async Task A_cancelled_call_is_a_cancellation()
    {
        await using var daemon = await FakeDaemon.StartAsync();
        using var client = daemon.Connect();
        Assert.That(async () => await client.VersionAsync(new CancellationToken(canceled: true)), Throws.InstanceOf<OperationCanceledException>());
    }

    [Test]
    public async Task A_namespace_that_is_not_there_is_refused_with_those_that_are()
    {
        await using var daemon = await FakeDaemon.StartAsync();
        daemon.Plugins.Add(Snapshotter("cimfs"));
        using var client = daemon.Connect("k8s");
        Assert.That(
            async () => await client.SnapshotterAsync("auto", default),
            Throws.TypeOf<ConversionException>().With.Message.Contains("no namespace 'k8s'; it has default, moby, and pods use k8s.io"));
        Assert.That(async () => await daemon.Connect("moby").SnapshotterAsync("auto", default), Throws.Nothing);
    }

    [TestCase("auto", "cimfs", "cimfs", "blockcim")]
    [TestCase("auto", "blockcim", "blockcim", "overlayfs")]
    [TestCase("blockcim", "blockcim", "cimfs", "blockcim")]
    public async Task A_snapshotter_is_chosen_of_those_that_are_loaded(string wanted, string chosen, params string[] loaded)
    {
        await using var daemon = await FakeDaemon.StartAsync();
        daemon.Plugins.AddRange(loaded.Select(name => Snapshotter(name)));
        using var client = daemon.Connect();
        Assert.That((await client.SnapshotterAsync(wanted, default)).Name, Is.EqualTo(chosen));
    }

    [Test]
    public async Task One_that_did_not_load_is_refused_with_its_reason()
    {
        await using var daemon = await FakeDaemon.StartAsync();
        daemon.Plugins.AddRange([Snapshotter("cimfs", "not\nsupported"), Snapshotter("overlayfs"), new Plugin { Type = "io.containerd.differ.v1", Id = "blockcim" }]);
        using var client = daemon.Connect();
        Assert.That(
            async () => await client.SnapshotterAsync("auto", default),
            Throws.TypeOf<ConversionException>().With.Message.EndsWith("cimfs did not load: not?supported; it has no blockcim; loaded are overlayfs"));
    }

    [TestCase("", "Prepare key")]
    [TestCase("Prepare key", "Prepare key, Stat layer, Stat key, Remove key", false)]
    [TestCase("Prepare key, Stat layer", "Prepare key, Stat layer, Mounts key")]
    public async Task A_layer_is_prepared_found_or_gone_on_with(string failing, string calls, bool prepared = true)
    {
        await using var daemon = await FakeDaemon.StartAsync();
        daemon.Snapshots = call => !failing.Split(", ").Contains(call) ? StatusCode.OK : call == "Stat layer" ? StatusCode.NotFound : StatusCode.AlreadyExists;
        using var client = daemon.Connect();
        var mount = await new Snapshotter(client, "cimfs").PrepareAsync(s_top, s_base, s_diff, default);
        Assert.That(mount is not null, Is.EqualTo(prepared));
        Assert.That(string.Join(", ", daemon.Calls), Is.EqualTo(calls));
    }

    [Test]
    public async Task A_key_that_is_there_and_is_not_ends_after_some_tries()
    {
        await using var daemon = await FakeDaemon.StartAsync();
        daemon.Snapshots = call => call == "Prepare key" ? StatusCode.AlreadyExists : StatusCode.NotFound;
        using var client = daemon.Connect();
        Assert.That(
            async () => await new Snapshotter(client, "cimfs").PrepareAsync(s_top, s_base, s_diff, default),
            Throws.TypeOf<ConversionException>().With.Message.Contains("exists, and that it does not"));
        Assert.That(daemon.Calls.Count(call => call == "Prepare key"), Is.EqualTo(4));
    }

    [Test]
    public async Task A_layer_that_somebody_else_committed_is_theirs()
    {
        await using var daemon = await FakeDaemon.StartAsync();
        daemon.Snapshots = call => call == "Commit key" ? StatusCode.AlreadyExists : StatusCode.OK;
        using var client = daemon.Connect();
        Assert.That(await new Snapshotter(client, "cimfs").CommitAsync(s_top, s_base, s_diff, default), Is.False);
        Assert.That(daemon.Calls, Is.EqualTo(new[] { "Commit key", "Remove key" }));
    }

    [TestCase(20, 1, "a.next", TestName = "A_lease_that_a_killed_run_was_taking_over_gives_all_it_held_to_the_newer_one")]
    [TestCase(2, 1, "a", TestName = "Two_old_leases_of_killed_runs_give_all_they_held_to_a_new_one")]
    [TestCase(1, 20, "a", TestName = "The_newer_lease_may_have_either_name")]
    public async Task Leases_of_killed_runs_become_one(int hoursOfNext, int hoursOfFirst, string taken)
    {
        await using var daemon = await FakeDaemon.StartAsync();
        foreach (var (id, hours) in (ReadOnlySpan<(string, int)>)[("a", hoursOfFirst), ("a.next", hoursOfNext)])
        {
            var end = TimeProvider.System.GetUtcNow().AddHours(hours).ToString("O", CultureInfo.InvariantCulture);
            daemon.Leases[id] = new Lease { Id = id, Labels = { [ContainerdLabels.Expire] = end } };
            daemon.Held[(id, "content", $"of {id}")] = new Resource { Type = "content", Id = $"of {id}" };
        }

        using var client = daemon.Connect();
        var lease = await client.LeaseAsync("a", TimeSpan.FromHours(24), default);
        Assert.That((lease.Id, lease.IsInherited), Is.EqualTo((taken, true)));
        Assert.That(daemon.Leases.Keys, Is.EqualTo(new[] { taken }));
        Assert.That(daemon.Held.Keys.Where(held => held.Lease == taken).Select(held => held.Id), Is.EquivalentTo(new[] { "of a", "of a.next" }));
    }

    [TestCase("ab,c", null)]
    [TestCase("ab", "sent 2 of the 3 bytes")]
    [TestCase("ab,cd", "sent other bytes")]
    public async Task Content_is_read_to_its_size(string parts, string? problem)
    {
        await using var daemon = await FakeDaemon.StartAsync();
        var offset = 0;
        foreach (var part in parts.Split(','))
        {
            daemon.Content.Add(new ReadContentResponse { Offset = offset, Data = ByteString.CopyFromUtf8(part) });
            offset += part.Length;
        }

        using var client = daemon.Connect();
        foreach (var synchronous in (bool[])[true, false])
        {
            await using var stream = client.Content.Read(s_diff.Digest, 3, default);
            using MemoryStream copy = new();
            if (problem is not null)
            {
                Assert.That(async () => await CopyAsync(), Throws.TypeOf<ConversionException>().With.Message.Contains(problem));
                continue;
            }

            await CopyAsync();
            Assert.That(copy.ToArray(), Is.EqualTo("abc"u8.ToArray()));

            async Task CopyAsync()
            {
                if (synchronous)
                {
                    stream.CopyTo(copy);
                    return;
                }

                await stream.CopyToAsync(copy);
            }
        }
    }

    [Test]
    public async Task Content_at_another_place_is_refused()
    {
        await using var daemon = await FakeDaemon.StartAsync();
        daemon.Content.Add(new ReadContentResponse { Offset = 1, Data = ByteString.CopyFromUtf8("a") });
        using var client = daemon.Connect();
        await using var stream = client.Content.Read(s_diff.Digest, 3, default);
        Assert.That(async () => await stream.ReadAsync(new byte[1]), Throws.TypeOf<ConversionException>().With.Message.Contains("other bytes"));
    }

    private static Plugin Snapshotter(string name, string? error = null) => new()
    {
        Type = "io.containerd.snapshotter.v1",
        Id = name,
        InitErr = error is null ? null : new PluginError { Message = error },
    };
}
