using Grpc.Core;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace CimConvert.TestKit.Containerd;

/// <summary>
/// A proxy snapshotter that answers as containerd's cimfs or blockcim does on Windows, with paths of this system. It mounts nothing,
/// and looks into no layer. Started again on the same folder it goes on where it was.
/// </summary>
public sealed class StandInSnapshotter : IAsyncDisposable
{
    private readonly SemaphoreSlim one = new(1);
    private readonly Lock gate = new();
    private readonly List<SnapshotterCall> calls = [];
    private readonly List<SnapshotterMerge> merges = [];
    private readonly SnapshotStore store;
    private readonly SnapshotFolders folders;
    private readonly WebApplication app;

    private StandInSnapshotter(string root, string socket, SnapshotterOptions options)
    {
        Root = root;
        Socket = socket;
        Options = options;
        store = new SnapshotStore(Path.Combine(root, "metadata.json"));
        folders = new SnapshotFolders(root, options);

        // What a killed one left.
        File.Delete(socket);
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => kestrel.ListenUnixSocket(socket, listen => listen.Protocols = HttpProtocols.Http2));
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = TimeSpan.FromSeconds(1));
        builder.Services.AddGrpc();
        builder.Services.AddSingleton(new SnapshotService(this, store, folders));
        app = builder.Build();
        app.MapGrpcService<SnapshotService>();
    }

    public SnapshotterOptions Options { get; }

    /// <summary>Its name as a plugin, which registration names.</summary>
    public string Name => Options.Name;

    public string Root { get; }

    public string Socket { get; }

    /// <summary>All calls since it started, in the order they came.</summary>
    public IReadOnlyList<SnapshotterCall> Calls
    {
        get
        {
            lock (gate)
            {
                return [.. calls];
            }
        }
    }

    /// <summary>Each container's snapshot over more than one layer, blockcim only.</summary>
    public IReadOnlyList<SnapshotterMerge> Merges
    {
        get
        {
            lock (gate)
            {
                return [.. merges];
            }
        }
    }

    /// <summary>What there is, by key.</summary>
    public IReadOnlyList<StandInSnapshot> Snapshots
    {
        get
        {
            one.Wait();
            try
            {
                return [.. store.All.OrderBy(snapshot => snapshot.Key, StringComparer.Ordinal)];
            }
            finally
            {
                one.Release();
            }
        }
    }

    /// <summary>Runs before a call has done anything: to wait, to kill something, or to throw an <see cref="RpcException"/>.</summary>
    public Func<SnapshotterCall, CancellationToken, Task>? Before { get; set; }

    /// <summary>Runs when a call is done and before its answer goes out: what it throws is an answer lost.</summary>
    public Func<SnapshotterCall, CancellationToken, Task>? After { get; set; }

    public static async Task<StandInSnapshotter> StartAsync(string root, string socket, SnapshotterOptions? options = null)
    {
        Directory.CreateDirectory(root);
        StandInSnapshotter snapshotter = new(root, socket, options ?? new SnapshotterOptions());
        await snapshotter.app.StartAsync().ConfigureAwait(false);
        return snapshotter;
    }

    /// <summary>How often a method was called for the layer of a chain ID or, with null, at all.</summary>
    public int Count(string method, string? chainId = null) => Calls.Count(call => call.Method == method && (chainId is null || call.IsOf(chainId)));

    /// <summary>The call of this number fails, counted from 1 over all calls; with <paramref name="done"/>, after it has done its work.</summary>
    public void FailAt(int number, StatusCode code = StatusCode.Unavailable, bool done = false)
    {
        Task Fail(SnapshotterCall call, CancellationToken cancel) =>
            call.Number == number ? throw SnapshotStore.Error(code, "the test wants call " + call.Method + " to fail") : Task.CompletedTask;

        if (done)
        {
            After = Fail;
        }
        else
        {
            Before = Fail;
        }
    }

    /// <summary>The snapshot's folder.</summary>
    public string FolderOf(StandInSnapshot snapshot) => folders.FolderOf(snapshot.Id);

    /// <summary>The layer's CIM file, or with blockcim its block file.</summary>
    public string LayerFileOf(StandInSnapshot snapshot) => folders.LayerFileOf(snapshot.Id);

    public async ValueTask DisposeAsync()
    {
        await app.StopAsync().ConfigureAwait(false);
        await app.DisposeAsync().ConfigureAwait(false);
        one.Dispose();
    }

    internal void AddMerge(SnapshotterMerge merge)
    {
        lock (gate)
        {
            merges.Add(merge);
        }
    }

    /// <summary>Counts and records a call, and lets one at a time change anything.</summary>
    internal async Task<T> AnswerAsync<T>(SnapshotterCall call, Func<T> answer, CancellationToken cancel)
    {
        lock (gate)
        {
            call = call with { Number = calls.Count + 1 };
            calls.Add(call);
        }

        await (Before?.Invoke(call, cancel) ?? Task.CompletedTask).ConfigureAwait(false);
        T answered;
        await one.WaitAsync(cancel).ConfigureAwait(false);
        try
        {
            answered = answer();
        }
        finally
        {
            one.Release();
        }

        await (After?.Invoke(call, cancel) ?? Task.CompletedTask).ConfigureAwait(false);
        return answered;
    }
}
