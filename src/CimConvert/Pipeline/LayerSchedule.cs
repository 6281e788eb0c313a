using CimConvert.Plumbing;
using Microsoft.Extensions.Logging;

namespace CimConvert.Pipeline;

/// <summary>
/// Runs an image's layer jobs: as many imports at once as allowed, and one stage that finishes layers in parent order, each when
/// its parents are in the store. Layers that are there already pass by.
/// </summary>
internal sealed class LayerSchedule(IReadOnlyList<LayerJob> jobs, ILogger logger)
{
    /// <summary>Between looks for layers that other processes made.</summary>
    private static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(100);

    private readonly ConvertedLayer?[] _done = new ConvertedLayer?[jobs.Count];

    /// <summary>Of each layer: done when it is in the store.</summary>
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
    /// Largest first, so that none of them begins when the others are done; base first where a layer needs its parent. Processes
    /// that share a store claim the layers that they have in common in the same order, which keeps them from waiting for each other
    /// in a ring: the order must depend on nothing but the layers.
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

            var layer = await Named(job, () => job.ImportAsync(cancellationToken));
            if (layer is null && !TakeFromStore(job))
            {
                throw new ConversionException($"{job.Plan.Name}: another process replaced it a moment ago: run the same command again");
            }

            try
            {
                // None, where another process made it: layers above it may be waiting for it, and another process for one of them.
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
        var early = new SortedDictionary<int, ImportedLayer>();
        try
        {
            while (await WaitToTakeAsync(imported, early, cancellationToken))
            {
                while (imported.TryTake(out var next))
                {
                    if (next.Layer is { } layer)
                    {
                        early.Add(next.Job.Plan.Index, layer);
                    }

                    await FinishReadyAsync(early, cancellationToken);
                }
            }
        }
        finally
        {
            foreach (var layer in early.Values)
            {
                layer.Dispose();
            }
        }
    }

    /// <summary>
    /// Whether more comes. Meanwhile, layers that wait for their parents are finished when other processes bring these into the store:
    /// all imports here may be waiting for layers that such a process only makes once it has ours.
    /// </summary>
    private async Task<bool> WaitToTakeAsync(
        BoundedQueue<(LayerJob Job, ImportedLayer? Layer)> imported, SortedDictionary<int, ImportedLayer> early, CancellationToken cancellationToken)
    {
        var more = imported.WaitToTakeAsync(cancellationToken);
        if (early.Count > 0)
        {
            logger.LogDebug("{Layer}: imported, waits for the layers below it", jobs[early.First().Key].Plan.Name);
        }

        while (early.Count > 0 && await Task.WhenAny(more, Task.Delay(s_pause, cancellationToken)) != more)
        {
            await FinishReadyAsync(early, cancellationToken);
        }

        return await more;
    }

    /// <summary>Finishes, lowest first, the layers whose parents are all in the store: the hive one needs may be any parent's.</summary>
    private async Task FinishReadyAsync(SortedDictionary<int, ImportedLayer> early, CancellationToken cancellationToken)
    {
        while (early.Count > 0 && early.First() is var (index, layer) && HasParents(index))
        {
            early.Remove(index);
            using (layer)
            {
                var stored = await Named(jobs[index], () => Task.FromResult(jobs[index].Finish(layer, cancellationToken)));
                TrySetDone(index, new ConvertedLayer(stored, Reused: false));
                Instruments.Layers.Add(1, Instruments.Result("converted"));
                Instruments.Written.Add(stored.Size);
            }
        }
    }

    /// <summary>The nearest alone would not do: it may be from an earlier run, and one below it gone from the store since.</summary>
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

        // Its import and the finishing of a layer above it may find it at the same time.
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

    /// <summary>Adds to a failure, and to the log, which layer it is about.</summary>
    private async Task<T> Named<T>(LayerJob job, Func<Task<T>> step)
    {
        using var scope = logger.With(LogFields.Layer, job.Plan.Blob.Digest.ToString());
        try
        {
            return await step();
        }
        catch (Exception e) when (Failures.IsExpected(e))
        {
            throw Failures.Of(job.Plan.Name, e);
        }
    }
}
