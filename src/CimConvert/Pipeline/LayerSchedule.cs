using CimConvert.Plumbing;
using Microsoft.Extensions.Logging;

namespace CimConvert.Pipeline;

/// <summary>
/// Runs an image's layer jobs: imports several layers at once, and finishes them in parent order, each when all its parents are in the
/// store. Layers that are in the store already are skipped.
/// </summary>
internal sealed class LayerSchedule(IReadOnlyList<LayerJob> jobs, ILogger logger)
{
    /// <summary>The interval between checks for layers that other processes finished.</summary>
    private static readonly TimeSpan s_pollInterval = TimeSpan.FromMilliseconds(100);

    private readonly ConvertedLayer?[] _done = new ConvertedLayer?[jobs.Count];

    /// <summary>For each layer, completed when it is in the store.</summary>
    private readonly TaskCompletionSource[] _inStore =
        [.. jobs.Select(_ => new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously))];

    public async Task<IReadOnlyList<ConvertedLayer>> RunAsync(int concurrency, CancellationToken cancellationToken)
    {
        var waiting = new BoundedQueue<LayerJob>(concurrency);
        var imported = new BoundedQueue<(LayerJob Job, ImportedLayer? Layer)>(concurrency);
        using var stages = new StageGroup(cancellationToken);
        try
        {
            stages.Start(() => FeedAsync(waiting, stages.Cancellation));
            stages.Start(() => ImportAllAsync(concurrency, waiting, imported, stages.Cancellation));
            stages.Start(() => FinishAllAsync(imported, stages.Cancellation));
            await stages.CompleteAsync();
        }
        finally
        {
            while (imported.TryTake(out var left))
            {
                left.Layer?.Dispose();
            }
        }

        return [.. _done.Select(layer => layer!)];
    }

    private async Task FeedAsync(BoundedQueue<LayerJob> waiting, CancellationToken cancellationToken)
    {
        foreach (var job in InOrderOfStart())
        {
            if (!TakeFromStore(job))
            {
                await waiting.AddAsync(job, cancellationToken);
            }
        }

        waiting.Complete();
    }

    /// <summary>
    /// Largest first, so that no large layer starts when the others are done; base first if a layer needs its parent. The order must depend
    /// on the layers alone: processes that share a store then claim the layers they have in common in the same order, and cannot wait for
    /// one another in a circle.
    /// </summary>
    private IEnumerable<LayerJob> InOrderOfStart() => jobs[^1].NeedsParent
        ? jobs
        : jobs.OrderByDescending(job => job.Plan.Blob.Size).ThenBy(job => job.Plan.Index);

    private async Task ImportAllAsync(
        int concurrency, BoundedQueue<LayerJob> waiting, BoundedQueue<(LayerJob Job, ImportedLayer? Layer)> imported, CancellationToken cancellationToken)
    {
        using var workers = new StageGroup(cancellationToken);
        for (var i = 0; i < concurrency; i++)
        {
            workers.Start(() => ImportAsync(waiting, imported, workers.Cancellation));
        }

        await workers.CompleteAsync();
        imported.Complete();
    }

    private async Task ImportAsync(
        BoundedQueue<LayerJob> waiting, BoundedQueue<(LayerJob Job, ImportedLayer? Layer)> imported, CancellationToken cancellationToken)
    {
        await foreach (var job in waiting.TakeAllAsync(cancellationToken))
        {
            if (job.NeedsParent)
            {
                await _inStore[job.Plan.Index - 1].Task.WaitAsync(cancellationToken);
            }

            var layer = await LayerStep.RunAsync(job.Plan, logger, () => job.ImportAsync(cancellationToken));
            if (layer is null && !TakeFromStore(job))
            {
                throw new ConversionException($"{job.Plan.Name}: another process replaced it a moment ago: run the same command again");
            }

            try
            {
                // Also if another process made the layer (null): layers above it may now be ready, and another process may wait for one of
                // those.
                await imported.AddAsync((job, layer), cancellationToken);
            }
            catch
            {
                layer?.Dispose();
                throw;
            }
        }
    }

    private async Task FinishAllAsync(BoundedQueue<(LayerJob Job, ImportedLayer? Layer)> imported, CancellationToken cancellationToken)
    {
        var waitingForParents = new SortedDictionary<int, ImportedLayer>();
        try
        {
            while (await WaitToTakeAsync(imported, waitingForParents, cancellationToken))
            {
                while (imported.TryTake(out var next))
                {
                    if (next.Layer is { } layer)
                    {
                        waitingForParents.Add(next.Job.Plan.Index, layer);
                    }

                    await FinishReadyAsync(waitingForParents, cancellationToken);
                }
            }
        }
        finally
        {
            foreach (var layer in waitingForParents.Values)
            {
                layer.Dispose();
            }
        }
    }

    /// <summary>
    /// Waits for imported layers; false if no more come. Meanwhile, finishes layers whose missing parents other processes bring into the
    /// store: all imports here may be waiting for layers that such a process only makes once it has one of ours.
    /// </summary>
    private async Task<bool> WaitToTakeAsync(
        BoundedQueue<(LayerJob Job, ImportedLayer? Layer)> imported, SortedDictionary<int, ImportedLayer> waitingForParents, CancellationToken cancellationToken)
    {
        var more = imported.WaitToTakeAsync(cancellationToken);
        if (waitingForParents.Count > 0)
        {
            logger.LogDebug("{Layer}: imported, waits for the layers below it", jobs[waitingForParents.First().Key].Plan.Name);
        }

        while (waitingForParents.Count > 0 && await Task.WhenAny(more, Task.Delay(s_pollInterval, cancellationToken)) != more)
        {
            await FinishReadyAsync(waitingForParents, cancellationToken);
        }

        return await more;
    }

    /// <summary>
    /// Finishes layers, lowest first, as long as all parents of the next one are in the store: any of them may have the hive that it needs.
    /// </summary>
    private async Task FinishReadyAsync(SortedDictionary<int, ImportedLayer> waitingForParents, CancellationToken cancellationToken)
    {
        while (waitingForParents.Count > 0 && waitingForParents.First() is var (index, layer) && HasParents(index))
        {
            waitingForParents.Remove(index);
            using (layer)
            {
                var stored = await LayerStep.RunAsync(jobs[index].Plan, logger, () => Task.FromResult(jobs[index].Finish(layer, cancellationToken)));
                TrySetDone(index, new ConvertedLayer(stored, Reused: false));
                Instruments.Layers.Add(1, Instruments.Result("converted"));
                Instruments.Written.Add(stored.Size);
            }
        }
    }

    /// <summary>
    /// Whether all layers below are in the store. The nearest alone is not enough: it may be from an earlier run, with one below it removed
    /// since.
    /// </summary>
    private bool HasParents(int index)
    {
        for (var below = 0; below < index; below++)
        {
            if (Volatile.Read(ref _done[below]) is null && !TakeFromStore(jobs[below]))
            {
                return false;
            }
        }

        return true;
    }

    private bool TakeFromStore(LayerJob job)
    {
        if (job.Find() is not { } stored)
        {
            return false;
        }

        // The layer's own job and a layer above it may both find it at the same time.
        if (TrySetDone(job.Plan.Index, new ConvertedLayer(stored, Reused: true)))
        {
            job.Plan.Progress.Stage = LayerStage.Reused;
            Instruments.Layers.Add(1, Instruments.Result("reused"));
            logger.LogInformation("{Layer}: already converted", job.Plan.Name);
        }

        return true;
    }

    private bool TrySetDone(int index, ConvertedLayer layer)
    {
        var isFirst = Interlocked.CompareExchange(ref _done[index], layer, null) is null;
        _inStore[index].TrySetResult();
        return isFirst;
    }
}
