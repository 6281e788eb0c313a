using System.Globalization;
using System.Text.Json;
using Grpc.Core;

namespace CimConvert.TestKit.Containerd;

/// <summary>
/// The snapshots and their numbers, with the errors of containerd's own bookkeeping. In a file after each change, as the Windows
/// snapshotters keep theirs in a database. Not thread-safe.
/// </summary>
internal sealed class SnapshotStore
{
    private readonly string path;
    private readonly State state;

    public SnapshotStore(string file)
    {
        path = file;
        state = File.Exists(file) ? JsonSerializer.Deserialize<State>(File.ReadAllBytes(file))! : new State();
    }

    public IReadOnlyCollection<StandInSnapshot> All => state.Snapshots.Values;

    public static RpcException Error(StatusCode code, string message) => new(new Status(code, message));

    public StandInSnapshot Get(string key) => state.Snapshots.GetValueOrDefault(key)
        ?? throw Error(StatusCode.NotFound, $"snapshot {key} does not exist: not found");

    /// <summary>From the parent to the base.</summary>
    public IReadOnlyList<StandInSnapshot> ParentsOf(StandInSnapshot snapshot)
    {
        List<StandInSnapshot> parents = [];
        for (string key = snapshot.Parent; key.Length > 0; key = parents[^1].Parent)
        {
            parents.Add(Get(key));
        }

        return parents;
    }

    public StandInSnapshot Create(StandInKind kind, string key, string parent, IDictionary<string, string> labels)
    {
        if (parent.Length > 0 && Get(parent).Kind != StandInKind.Committed)
        {
            throw Error(StatusCode.InvalidArgument, $"parent {parent} is not committed snapshot: invalid argument");
        }

        if (state.Snapshots.ContainsKey(key))
        {
            throw Error(StatusCode.AlreadyExists, $"snapshot {key}: already exists");
        }

        DateTimeOffset now = TimeProvider.System.GetUtcNow();
        StandInSnapshot made = new()
        {
            Key = key,
            Id = (++state.LastId).ToString(CultureInfo.InvariantCulture),
            Parent = parent,
            Kind = kind,
            Created = now,
            Updated = now,
            Labels = new Dictionary<string, string>(labels, StringComparer.Ordinal),
        };
        Put(made);
        return made;
    }

    /// <summary>Labels are replaced, never inherited.</summary>
    public void Commit(string key, string name, IDictionary<string, string> labels, long size)
    {
        StandInSnapshot active = Get(key);
        if (active.Kind != StandInKind.Active)
        {
            throw Error(StatusCode.FailedPrecondition, $"snapshot {key} is not active: failed precondition");
        }

        if (state.Snapshots.ContainsKey(name))
        {
            throw Error(StatusCode.AlreadyExists, $"committed snapshot {name}: already exists");
        }

        DateTimeOffset now = TimeProvider.System.GetUtcNow();
        state.Snapshots.Remove(key);
        Put(active with
        {
            Key = name,
            Kind = StandInKind.Committed,
            Created = now,
            Updated = now,
            Labels = new Dictionary<string, string>(labels, StringComparer.Ordinal),
            Size = size,
        });
    }

    public void Put(StandInSnapshot snapshot)
    {
        state.Snapshots[snapshot.Key] = snapshot;
        Save();
    }

    public StandInSnapshot Remove(string key)
    {
        StandInSnapshot gone = Get(key);
        if (state.Snapshots.Values.Any(other => other.Parent == key))
        {
            throw Error(StatusCode.FailedPrecondition, $"cannot remove snapshot {key} with child: failed precondition");
        }

        state.Snapshots.Remove(key);
        Save();
        return gone;
    }

    private void Save()
    {
        File.WriteAllBytes(path + ".new", JsonSerializer.SerializeToUtf8Bytes(state));
        File.Move(path + ".new", path, overwrite: true);
    }

    private sealed class State
    {
        public long LastId { get; set; }

        public Dictionary<string, StandInSnapshot> Snapshots { get; init; } = [];
    }
}
