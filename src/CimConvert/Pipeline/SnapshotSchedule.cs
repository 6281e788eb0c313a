using CimConvert.Plumbing;
using Microsoft.Extensions.Logging;

namespace CimConvert.Pipeline;

/// <summary>
/// Runs an image's snapshot jobs base first, as a snapshotter takes a layer only upon a finished one. Blobs of the layers above are
/// downloaded meanwhile.
/// </summary>
internal sealed class SnapshotSchedule(IReadOnlyList<SnapshotJob> jobs, ILogger logger)
{
    private readonly TaskCompletionSource[] _finished =
        [.. jobs.Select(_ => new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously))];

    /// <param name="ahead">Layers that are claimed and downloaded ahead of the one that is imported.</param>
    /// <param name="cancellationToken">Stops all jobs.</param>
    public async Task<IReadOnlyList<SnapshotLayer>> RunAsync(int ahead, CancellationToken cancellationToken)
    {
        var layers = new List<SnapshotLayer>(jobs.Count);
        var started = new BoundedQueue<SnapshotJob>(ahead);
        using var stages = new StageGroup(cancellationToken);
        try
        {
            stages.Start(() => StartAllAsync(started, stages.Cancellation));
            stages.Start(() => FinishAllAsync(started, layers, stages.Cancellation));
            await stages.CompleteAsync();
        }
        finally
        {
            foreach (var job in jobs)
            {
                await job.DisposeAsync();
            }
        }

        return layers;
    }

    private async Task StartAllAsync(BoundedQueue<SnapshotJob> started, CancellationToken cancellationToken)
    {
        var turn = Task.CompletedTask;
        foreach (var job in jobs)
        {
            await LayerStep.RunAsync(job.Plan, logger, async () =>
            {
                await job.StartAsync(turn, cancellationToken);
                return true;
            });
            turn = _finished[job.Plan.Index].Task;
            await started.AddAsync(job, cancellationToken);
        }

        started.Complete();
    }

    private async Task FinishAllAsync(BoundedQueue<SnapshotJob> started, List<SnapshotLayer> layers, CancellationToken cancellationToken)
    {
        await foreach (var job in started.TakeAllAsync(cancellationToken))
        {
            layers.Add(await LayerStep.RunAsync(job.Plan, logger, () => job.FinishAsync(cancellationToken)));

            // Others may wait for the claim.
            await job.DisposeAsync();
            _finished[job.Plan.Index].SetResult();
        }
    }
}
