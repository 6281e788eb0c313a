using System.Collections.Concurrent;
using CimConvert.Containerd;
using CimConvert.Containerd.Api;
using CimConvert.TestKit;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;

namespace CimConvert.Tests.Containerd;

/// <summary>A daemon that answers what a test wants: what real ones do only when they are old, broken or raced.</summary>
internal sealed class FakeDaemon : IAsyncDisposable
{
    private readonly TempFolder _folder = new();
    private readonly WebApplication _app;

    private FakeDaemon(bool hasServices)
    {
        Address = ContainerdAddress.Parse(_folder["d.sock"]);
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => kestrel.ListenUnixSocket(Address.Path, listen => listen.Protocols = HttpProtocols.Http2));
        builder.Services.AddGrpc();
        builder.Services.AddSingleton(this);
        _app = builder.Build();
        if (hasServices)
        {
            _app.MapGrpcService<VersionService>();
            _app.MapGrpcService<NamespaceService>();
            _app.MapGrpcService<PluginService>();
            _app.MapGrpcService<SnapshotService>();
            _app.MapGrpcService<ContentService>();
            _app.MapGrpcService<LeaseService>();
            _app.MapGrpcService<CriService>();
        }
    }

    public ContainerdAddress Address { get; }

    public Func<string> Version { get; set; } = () => "v2.1.9";

    public List<Plugin> Plugins { get; } = [];

    /// <summary>What a call about a snapshot ends with, by its name.</summary>
    public Func<string, StatusCode> Snapshots { get; set; } = _ => StatusCode.OK;

    /// <summary>What is sent of any content.</summary>
    public List<ReadContentResponse> Content { get; } = [];

    /// <summary>What any content's size is said to be.</summary>
    public long Size { get; set; }

    /// <summary>What happens when that was sent, and before its end is.</summary>
    public Func<CancellationToken, Task> Sent { get; set; } = _ => Task.CompletedTask;

    /// <summary>What it says when it is asked for CRI's status.</summary>
    public Func<StatusCode> Cri { get; set; } = () => StatusCode.Unimplemented;

    public ConcurrentDictionary<string, Lease> Leases { get; } = new(StringComparer.Ordinal);

    /// <summary>What leases hold: a lease, and a resource.</summary>
    public ConcurrentDictionary<(string Lease, string Type, string Id), Resource> Held { get; } = [];

    public ConcurrentQueue<string> Calls { get; } = [];

    public Metadata? Headers { get; private set; }

    public DateTime Deadline { get; private set; }

    public static async Task<FakeDaemon> StartAsync(bool hasServices = true)
    {
        var daemon = new FakeDaemon(hasServices);
        await daemon._app.StartAsync();
        return daemon;
    }

    public ContainerdClient Connect(string name = "k8s.io") => ContainerdClient.Connect(Address, name, NullLogger.Instance);

    public async ValueTask DisposeAsync()
    {
        await _app.DisposeAsync();
        _folder.Dispose();
    }

    private sealed class VersionService(FakeDaemon daemon) : CimConvert.Containerd.Api.Version.VersionBase
    {
        public override Task<VersionResponse> Version(Empty request, ServerCallContext context)
        {
            (daemon.Headers, daemon.Deadline) = (context.RequestHeaders, context.Deadline);
            return Task.FromResult(new VersionResponse { Version = daemon.Version() });
        }
    }

    private sealed class NamespaceService : Namespaces.NamespacesBase
    {
        public override Task<ListNamespacesResponse> List(ListNamespacesRequest request, ServerCallContext context) =>
            Task.FromResult(new ListNamespacesResponse { Namespaces = { new Namespace { Name = "moby" }, new Namespace { Name = "default" } } });
    }

    private sealed class PluginService(FakeDaemon daemon) : Introspection.IntrospectionBase
    {
        public override Task<PluginsResponse> Plugins(PluginsRequest request, ServerCallContext context) =>
            Task.FromResult(new PluginsResponse { Plugins = { daemon.Plugins } });
    }

    private sealed class SnapshotService(FakeDaemon daemon) : CimConvert.Containerd.Api.Snapshots.SnapshotsBase
    {
        public override Task<PrepareSnapshotResponse> Prepare(PrepareSnapshotRequest request, ServerCallContext context) =>
            Answer(nameof(Prepare), request.Key, () => new PrepareSnapshotResponse { Mounts = { MountOfLayer } });

        public override Task<MountsResponse> Mounts(MountsRequest request, ServerCallContext context) =>
            Answer(nameof(Mounts), request.Key, () => new MountsResponse { Mounts = { MountOfLayer } });

        public override Task<Empty> Commit(CommitSnapshotRequest request, ServerCallContext context) => Answer(nameof(Commit), request.Key, () => new Empty());

        public override Task<Empty> Remove(RemoveSnapshotRequest request, ServerCallContext context) => Answer(nameof(Remove), request.Key, () => new Empty());

        public override Task<StatSnapshotResponse> Stat(StatSnapshotRequest request, ServerCallContext context) => Answer(
            nameof(Stat),
            request.Key,
            () => new StatSnapshotResponse
            {
                Info = new SnapshotInfo { Kind = request.Key.StartsWith("extract", StringComparison.Ordinal) ? SnapshotKind.Active : SnapshotKind.Committed },
            });

        private static Mount MountOfLayer => new() { Type = "CimFS", Source = "/s/1", Options = { "rw", "cimpath=/s/cim-layers/1.cim" } };

        private Task<T> Answer<T>(string method, string key, Func<T> answer)
        {
            var call = key.StartsWith("extract", StringComparison.Ordinal) ? $"{method} key" : $"{method} layer";
            daemon.Calls.Enqueue(call);
            var code = daemon.Snapshots(call);
            return code == StatusCode.OK ? Task.FromResult(answer()) : throw new RpcException(new Status(code, "the test\nwants it"));
        }
    }

    private sealed class LeaseService(FakeDaemon daemon) : CimConvert.Containerd.Api.Leases.LeasesBase
    {
        public override Task<ListResponse> List(ListRequest request, ServerCallContext context) =>
            Task.FromResult(new ListResponse { Leases = { daemon.Leases.Values } });

        public override Task<CreateResponse> Create(CreateRequest request, ServerCallContext context) => Task.FromResult(
            new CreateResponse { Lease = daemon.Leases.GetOrAdd(request.Id, id => new Lease { Id = id, Labels = { request.Labels } }) });

        public override Task<Empty> Delete(DeleteRequest request, ServerCallContext context) => daemon.Leases.TryRemove(request.Id, out _)
            ? Task.FromResult(new Empty())
            : throw new RpcException(new Status(StatusCode.NotFound, "there is none"));

        public override Task<ListResourcesResponse> ListResources(ListResourcesRequest request, ServerCallContext context) => Task.FromResult(
            new ListResourcesResponse { Resources = { daemon.Held.Where(held => held.Key.Lease == request.Id).Select(held => held.Value) } });

        public override Task<Empty> AddResource(AddResourceRequest request, ServerCallContext context)
        {
            daemon.Held[(request.Id, request.Resource.Type, request.Resource.Id)] = request.Resource;
            return Task.FromResult(new Empty());
        }
    }

    private sealed class CriService(FakeDaemon daemon) : CimConvert.Containerd.Cri.RuntimeService.RuntimeServiceBase
    {
        public override Task<CimConvert.Containerd.Cri.StatusResponse> Status(CimConvert.Containerd.Cri.StatusRequest request, ServerCallContext context) =>
            throw new RpcException(new Status(daemon.Cri(), "the test\nwants it"));
    }

    private sealed class ContentService(FakeDaemon daemon) : CimConvert.Containerd.Api.Content.ContentBase
    {
        public override async Task Read(ReadContentRequest request, IServerStreamWriter<ReadContentResponse> responseStream, ServerCallContext context)
        {
            foreach (var part in daemon.Content)
            {
                await responseStream.WriteAsync(part);
            }

            await daemon.Sent(context.CancellationToken);
        }

        public override Task<InfoResponse> Info(InfoRequest request, ServerCallContext context)
        {
            daemon.Headers = context.RequestHeaders;
            return Task.FromResult(new InfoResponse { Info = new ContentInfo { Digest = request.Digest, Size = daemon.Size } });
        }
    }
}
