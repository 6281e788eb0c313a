using CimConvert.Containerd.Api;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;

namespace CimConvert.TestKit.Containerd;

/// <summary>The interface of a proxy snapshotter. Cleanup is not there, as in the Windows snapshotters: the daemon goes on without.</summary>
internal sealed class SnapshotService(StandInSnapshotter owner, SnapshotStore store, SnapshotFolders folders) : Snapshots.SnapshotsBase
{
    /// <summary>Snapshots whose key has this are layers to be; all others are for containers.</summary>
    private const string Extract = "extract";

    public override Task<PrepareSnapshotResponse> Prepare(PrepareSnapshotRequest request, ServerCallContext context) => owner.AnswerAsync(
        new SnapshotterCall(0, nameof(Prepare), request.Key, request.Parent, "", Copy(request.Labels)),
        () => new PrepareSnapshotResponse { Mounts = { Create(StandInKind.Active, request.Key, request.Parent, request.Labels) } },
        context.CancellationToken);

    public override Task<ViewSnapshotResponse> View(ViewSnapshotRequest request, ServerCallContext context) => owner.AnswerAsync(
        new SnapshotterCall(0, nameof(View), request.Key, request.Parent, "", Copy(request.Labels)),
        () => new ViewSnapshotResponse { Mounts = { Create(StandInKind.View, request.Key, request.Parent, request.Labels) } },
        context.CancellationToken);

    public override Task<MountsResponse> Mounts(MountsRequest request, ServerCallContext context) => Answer(
        nameof(Mounts),
        request.Key,
        () =>
        {
            StandInSnapshot snapshot = store.Get(request.Key);
            return snapshot.Kind == StandInKind.Committed
                ? throw SnapshotStore.Error(StatusCode.FailedPrecondition, $"requested snapshot {request.Key} not active or view: failed precondition")
                : new MountsResponse { Mounts = { folders.MountOf(snapshot, store.ParentsOf(snapshot)) } };
        },
        context);

    public override Task<Empty> Commit(CommitSnapshotRequest request, ServerCallContext context) => owner.AnswerAsync(
        new SnapshotterCall(0, nameof(Commit), request.Key, request.Parent, request.Name, Copy(request.Labels)),
        () =>
        {
            if (!request.Key.Contains(Extract, StringComparison.Ordinal))
            {
                throw SnapshotStore.Error(StatusCode.Unknown, "committing a scratch snapshot to read-only cim layer isn't supported yet");
            }

            store.Commit(request.Key, request.Name, request.Labels, folders.Measure(store.Get(request.Key)).Size);
            return new Empty();
        },
        context.CancellationToken);

    public override Task<Empty> Remove(RemoveSnapshotRequest request, ServerCallContext context) => Answer(
        nameof(Remove),
        request.Key,
        () =>
        {
            try
            {
                folders.Remove(store.Remove(request.Key).Id);
                return new Empty();
            }
            catch (RpcException unknown) when (unknown.StatusCode == StatusCode.NotFound)
            {
                // The Windows snapshotters call all that goes wrong here by one name.
                throw SnapshotStore.Error(StatusCode.FailedPrecondition, "failed precondition: " + unknown.Status.Detail);
            }
        },
        context);

    public override Task<StatSnapshotResponse> Stat(StatSnapshotRequest request, ServerCallContext context) =>
        Answer(nameof(Stat), request.Key, () => new StatSnapshotResponse { Info = InfoOf(store.Get(request.Key)) }, context);

    public override Task<UpdateSnapshotResponse> Update(UpdateSnapshotRequest request, ServerCallContext context) => owner.AnswerAsync(
        new SnapshotterCall(0, nameof(Update), request.Info.Name, "", "", Copy(request.Info.Labels)),
        () => new UpdateSnapshotResponse { Info = InfoOf(Update(request)) },
        context.CancellationToken);

    /// <summary>All of them: the daemon filters by itself.</summary>
    public override async Task List(ListSnapshotsRequest request, IServerStreamWriter<ListSnapshotsResponse> responseStream, ServerCallContext context)
    {
        ListSnapshotsResponse all = await Answer(
            nameof(List), "", () => new ListSnapshotsResponse { Info = { store.All.Select(InfoOf) } }, context).ConfigureAwait(false);
        if (all.Info.Count > 0)
        {
            await responseStream.WriteAsync(all, context.CancellationToken).ConfigureAwait(false);
        }
    }

    public override Task<UsageResponse> Usage(UsageRequest request, ServerCallContext context) => Answer(
        nameof(Usage),
        request.Key,
        () =>
        {
            (long size, long files) = folders.Measure(store.Get(request.Key));
            return new UsageResponse { Size = size, Inodes = files };
        },
        context);

    private static Dictionary<string, string> Copy(IDictionary<string, string> labels) => new(labels, StringComparer.Ordinal);

    private static SnapshotInfo InfoOf(StandInSnapshot snapshot) => new()
    {
        Name = snapshot.Key,
        Parent = snapshot.Parent,
        Kind = snapshot.Kind switch
        {
            StandInKind.View => SnapshotKind.View,
            StandInKind.Active => SnapshotKind.Active,
            _ => SnapshotKind.Committed,
        },
        CreatedAt = Timestamp.FromDateTimeOffset(snapshot.Created),
        UpdatedAt = Timestamp.FromDateTimeOffset(snapshot.Updated),
        Labels = { snapshot.Labels },
    };

    private Task<T> Answer<T>(string method, string key, Func<T> answer, ServerCallContext context) =>
        owner.AnswerAsync(new SnapshotterCall(0, method, key, "", "", new Dictionary<string, string>()), answer, context.CancellationToken);

    private Mount Create(StandInKind kind, string key, string parent, IDictionary<string, string> labels)
    {
        bool layer = key.Contains(Extract, StringComparison.Ordinal);
        if (!layer && parent.Length == 0)
        {
            throw SnapshotStore.Error(StatusCode.Unknown, "scratch snapshot without any parents isn't supported");
        }

        StandInSnapshot made = store.Create(kind, key, parent, labels);
        folders.Make(made.Id);
        IReadOnlyList<StandInSnapshot> parents = store.ParentsOf(made);
        if (!layer)
        {
            folders.MakeScratch(made.Id);
            if (owner.Options.Mode == SnapshotterMode.Blockcim && parents.Count > 1)
            {
                owner.AddMerge(new SnapshotterMerge(parent, folders.Merge(parents)));
            }
        }

        return folders.MountOf(made, parents);
    }

    private StandInSnapshot Update(UpdateSnapshotRequest request)
    {
        StandInSnapshot old = store.Get(request.Info.Name);
        Dictionary<string, string> labels = Copy(old.Labels);
        string[] fields = request.UpdateMask is { Paths.Count: > 0 } mask ? [.. mask.Paths] : ["labels"];
        foreach (string field in fields)
        {
            const string One = "labels.";
            if (field == "labels")
            {
                labels = Copy(request.Info.Labels);
            }
            else if (!field.StartsWith(One, StringComparison.Ordinal))
            {
                throw SnapshotStore.Error(StatusCode.InvalidArgument, $"cannot update {field} field on snapshot {old.Key}: invalid argument");
            }
            else if (request.Info.Labels.TryGetValue(field[One.Length..], out string? value) && value.Length > 0)
            {
                labels[field[One.Length..]] = value;
            }
            else
            {
                labels.Remove(field[One.Length..]);
            }
        }

        StandInSnapshot changed = old with { Labels = labels, Updated = TimeProvider.System.GetUtcNow() };
        store.Put(changed);
        return changed;
    }
}
