using CimConvert.Containerd.Api;
using CimConvert.Oci;
using Google.Protobuf.Collections;
using Grpc.Core;

namespace CimConvert.Containerd;

/// <summary>Snapshots of one snapshotter, by chain ID.</summary>
/// <param name="client">Whose lease keeps what is made.</param>
/// <param name="name">The snapshotter.</param>
/// <param name="owner">
/// Part of the keys of layers that are being made. Fixed, so that a run finds what a killed one began; two processes at once with one
/// owner must not make the same layer.
/// </param>
internal sealed class Snapshotter(ContainerdClient client, string name, string owner = Snapshotter.Anybody)
{
    public const string Anybody = "cimconvert";

    // The daemon's answers may change between two calls by what others do; a few tries end every such race.
    private const int Tries = 4;

    private readonly Snapshots.SnapshotsClient _snapshots = new(client.Calls);

    public string Name => name;

    /// <summary>Whether the layer is there, finished by whomever.</summary>
    public async Task<bool> HasAsync(ChainId chainId, CancellationToken cancellationToken) =>
        await StatAsync(chainId.ToString(), cancellationToken) is { Kind: SnapshotKind.Committed };

    /// <summary>
    /// Where to put a layer's files. A killed run's place, with what lies in it, is given out again: only one process at a time may
    /// prepare a chain ID.
    /// </summary>
    /// <returns>Null if the layer is there already; the lease then keeps it.</returns>
    /// <exception cref="InvalidDataException">The snapshotter answered with mounts that are none of a layer of CIMs.</exception>
    public async Task<SnapshotMount?> PrepareAsync(ChainId chainId, ChainId? parent, DiffId diffId, CancellationToken cancellationToken)
    {
        var request = new PrepareSnapshotRequest { Snapshotter = name, Key = KeyOf(chainId), Parent = parent?.ToString() ?? string.Empty };
        AddLabels(request.Labels, chainId, parent, diffId);
        for (var tries = 1; ; tries++)
        {
            cancellationToken.ThrowIfCancellationRequested();

            // Not cancelled on its way: the snapshotter could have made a place that the daemon then does not know of.
            var answer = await client.TryCallAsync(
                $"prepare {chainId}", StatusCode.AlreadyExists, options => _snapshots.PrepareAsync(request, options), Deadlines.Slow, CancellationToken.None);
            if (answer is not null)
            {
                return SnapshotMount.ParseLayer(answer.Mounts);
            }

            if (await HasAsync(chainId, cancellationToken))
            {
                await AbandonLeftoverAsync(chainId, cancellationToken);
                return null;
            }

            // Before containerd 1.7, Prepare puts a place that is there under no other lease than that of the run which made it.
            await client.HoldAsync($"snapshots/{name}", request.Key, cancellationToken);
            var mounts = await client.TryCallAsync(
                $"name the mounts of {chainId}",
                StatusCode.NotFound,
                options => _snapshots.MountsAsync(new MountsRequest { Snapshotter = name, Key = request.Key }, options),
                Deadlines.Quick,
                cancellationToken);
            if (mounts is not null)
            {
                return SnapshotMount.ParseLayer(mounts.Mounts);
            }

            // A daemon that was killed while it committed the layer knows a place that the snapshotter does not have any more.
            await AbandonAsync(chainId, cancellationToken);
            if (tries == Tries)
            {
                throw new ConversionException($"containerd at {client.Address} says that the snapshot of {chainId} exists, and that it does not; look into its log");
            }
        }
    }

    /// <summary>Makes a layer whose files are in place available to all.</summary>
    /// <returns>False if somebody else made the same layer meanwhile: theirs is used, and this one's files are removed.</returns>
    public async Task<bool> CommitAsync(ChainId chainId, ChainId? parent, DiffId diffId, CancellationToken cancellationToken)
    {
        var request = new CommitSnapshotRequest { Snapshotter = name, Name = chainId.ToString(), Key = KeyOf(chainId) };
        AddLabels(request.Labels, chainId, parent, diffId);
        try
        {
            using var call = _snapshots.CommitAsync(request, client.Options(Deadlines.Slow, cancellationToken));
            await call;
            return true;
        }
        catch (RpcException e) when (e.StatusCode == StatusCode.AlreadyExists)
        {
            await AbandonAsync(chainId, cancellationToken);
            return false;
        }
        catch (RpcException e)
        {
            throw ContainerdFailures.Of(client.Address, $"commit {chainId}", e, cancellationToken);
        }
    }

    /// <summary>Removes the place that a layer was prepared in, with all in it. Not an error if there is none.</summary>
    public Task AbandonAsync(ChainId chainId, CancellationToken cancellationToken) => RemoveAsync(KeyOf(chainId), cancellationToken);

    /// <summary>
    /// Tells where the files of a layer and of those below it are, and calls <paramref name="use"/> meanwhile: as parents of a mount for a
    /// layer above, which is never made.
    /// </summary>
    public async Task LocateAsync(ChainId top, Func<SnapshotMount, Task> use, CancellationToken cancellationToken)
    {
        var key = $"extract-{owner}-above {top}";
        var request = new ViewSnapshotRequest { Snapshotter = name, Key = key, Parent = top.ToString() };

        // A killed run may have left it.
        await RemoveAsync(key, cancellationToken);
        try
        {
            var answer = await client.CallAsync($"locate {top}", options => _snapshots.ViewAsync(request, options), Deadlines.Slow, cancellationToken);
            await use(SnapshotMount.ParseOnly(answer.Mounts));
        }
        finally
        {
            await RemoveAsync(key, CancellationToken.None);
        }
    }

    /// <summary>
    /// Lets the daemon's next garbage collection compare what the snapshotter has with what it knows itself, which it only does after
    /// something was removed: a daemon that was killed leaves places that it does not know.
    /// </summary>
    public Task SweepAsync(ChainId top, CancellationToken cancellationToken) => LocateAsync(top, _ => Task.CompletedTask, cancellationToken);

    /// <summary>The snapshotters take a key with <c>extract-</c> for a layer's.</summary>
    private string KeyOf(ChainId chainId) => $"extract-{owner} {chainId}";

    private static void AddLabels(MapField<string, string> labels, ChainId chainId, ChainId? parent, DiffId diffId)
    {
        labels.Add(ContainerdLabels.SnapshotRef, chainId.ToString());
        labels.Add(ContainerdLabels.SnapshotDiffId, diffId.ToString());
        if (parent is { } below)
        {
            labels.Add(ContainerdLabels.ParentChainId, below.ToString());
        }
    }

    private async Task AbandonLeftoverAsync(ChainId chainId, CancellationToken cancellationToken)
    {
        if (await StatAsync(KeyOf(chainId), cancellationToken) is { Kind: SnapshotKind.Active })
        {
            await AbandonAsync(chainId, cancellationToken);
        }
    }

    private async Task<SnapshotInfo?> StatAsync(string key, CancellationToken cancellationToken)
    {
        var request = new StatSnapshotRequest { Snapshotter = name, Key = key };
        var answer = await client.TryCallAsync(
            $"look for the snapshot {key}", StatusCode.NotFound, options => _snapshots.StatAsync(request, options), Deadlines.Quick, cancellationToken);
        return answer?.Info;
    }

    private async Task RemoveAsync(string key, CancellationToken cancellationToken)
    {
        var request = new RemoveSnapshotRequest { Snapshotter = name, Key = key };
        await client.TryCallAsync(
            $"remove the snapshot {key}", StatusCode.NotFound, options => _snapshots.RemoveAsync(request, options), Deadlines.Slow, cancellationToken);
    }
}
