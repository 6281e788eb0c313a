using System.Threading.Channels;
using CimConvert.Plumbing;
using Microsoft.Extensions.Logging;

namespace CimConvert.Pipeline;

/// <summary>
/// All layers of an image: a feed, largest first, into as many imports at once as allowed, into one stage that seals in parent
/// order. Layers the store has already pass by.
/// </summary>
internal sealed class LayerStages(LayerConversion conversion, IReadOnlyList<LayerPlan> plans, ILogger logger)
{
    /// <summary>Between looks for layers that other processes made.</summary>
    private static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(100);

    private readonly ConvertedLayer?[] _done = new ConvertedLayer?[plans.Count];

    /// <summary>Of each layer: done when it is in the store.</summary>
    private readonly TaskCompletionSource[] _inStore =
        [.. plans.Select(_ => new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously))];

    public async Task<IReadOnlyList<ConvertedLayer>> RunAsync(int concurrency, CancellationToken cancellationToken)
    {
        var waiting = Channel.CreateBounded<LayerPlan>(concurrency);
        var imported = Channel.CreateBounded<ImportedLayer?>(concurrency);
        using var stages = new StageGroup(cancellationToken);
        try
        {
            stages.Start(() => FeedAsync(waiting.Writer, stages.Cancellation));
            stages.Start(() => ImportAllAsync(concurrency, waiting.Reader, imported.Writer, stages.Cancellation));
            stages.Start(() => SealAllAsync(imported.Reader, stages.Cancellation));
            await stages.CompleteAsync();
        }
        finally
        {
            while (imported.Reader.TryRead(out var left))
            {
                left?.Dispose();
            }
        }

        return [.. _done.Select(layer => layer!)];
    }

    private async Task FeedAsync(ChannelWriter<LayerPlan> waiting, CancellationToken cancellationToken)
    {
        foreach (var plan in InOrderOfStart())
        {
            if (!TakeFromStore(plan))
            {
                await waiting.WriteAsync(plan, cancellationToken);
            }
        }

        waiting.Complete();
    }

    /// <summary>
    /// Largest first, so that none of them begins when the others are done; base first where a layer needs its parent. Processes
    /// that share a store claim the layers that they have in common in the same order, which keeps them from waiting for each other
    /// in a ring: it must depend on nothing but the layers.
    /// </summary>
    private IEnumerable<LayerPlan> InOrderOfStart() =>
        conversion.NeedsParent ? plans : plans.OrderByDescending(plan => plan.Blob.Size).ThenBy(plan => plan.Index);

    private async Task ImportAllAsync(
        int concurrency, ChannelReader<LayerPlan> waiting, ChannelWriter<ImportedLayer?> imported, CancellationToken cancellationToken)
    {
        using var workers = new StageGroup(cancellationToken);
        for (var i = 0; i < concurrency; i++)
        {
            workers.Start(() => ImportAsync(waiting, imported, workers.Cancellation));
        }

        await workers.CompleteAsync();
        imported.Complete();
    }

    private async Task ImportAsync(ChannelReader<LayerPlan> waiting, ChannelWriter<ImportedLayer?> imported, CancellationToken cancellationToken)
    {
        await foreach (var plan in waiting.ReadAllAsync(cancellationToken))
        {
            if (conversion.NeedsParent && plan.Index > 0)
            {
                await _inStore[plan.Index - 1].Task.WaitAsync(cancellationToken);
            }

            var layer = await Named(plan, () => conversion.ImportAsync(plan, cancellationToken));
            if (layer is null)
            {
                if (!TakeFromStore(plan))
                {
                    throw new ConversionException($"{plan.Name}: another process replaced it a moment ago: run the same command again");
                }

                // Layers above it may be waiting to be sealed, and another process for one of them.
                await imported.WriteAsync(null, cancellationToken);
                continue;
            }

            try
            {
                await imported.WriteAsync(layer, cancellationToken);
            }
            catch
            {
                layer.Dispose();
                throw;
            }
        }
    }

    /// <summary>What comes is a layer, or only the news that one has come into the store otherwise.</summary>
    private async Task SealAllAsync(ChannelReader<ImportedLayer?> imported, CancellationToken cancellationToken)
    {
        var early = new SortedDictionary<int, ImportedLayer>();
        try
        {
            while (await WaitToReadAsync(imported, early, cancellationToken))
            {
                while (imported.TryRead(out var layer))
                {
                    if (layer is not null)
                    {
                        early.Add(layer.Plan.Index, layer);
                    }

                    await SealReadyAsync(early, cancellationToken);
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
    /// Whether more comes. Meanwhile, those that wait for their parents are sealed when other processes bring these into the store: all
    /// imports here may be waiting for layers that such a process only makes once it has ours.
    /// </summary>
    private async Task<bool> WaitToReadAsync(
        ChannelReader<ImportedLayer?> imported, SortedDictionary<int, ImportedLayer> early, CancellationToken cancellationToken)
    {
        var more = imported.WaitToReadAsync(cancellationToken).AsTask();
        while (early.Count > 0 && await Task.WhenAny(more, Task.Delay(s_pause, cancellationToken)) != more)
        {
            await SealReadyAsync(early, cancellationToken);
        }

        return await more;
    }

    /// <summary>Seals, lowest first, what has all its parents in the store: the hive it needs may be any one's.</summary>
    private async Task SealReadyAsync(SortedDictionary<int, ImportedLayer> early, CancellationToken cancellationToken)
    {
        while (early.Count > 0 && early.First() is var (index, layer) && HasParents(index))
        {
            early.Remove(index);
            using (layer)
            {
                var sealedLayer = await Named(layer.Plan, () => Task.FromResult(conversion.Seal(layer, cancellationToken)));
                TrySetDone(index, new ConvertedLayer(sealedLayer, Reused: false));
                Instruments.Layers.Add(1, Instruments.Result("converted"));
                Instruments.Written.Add(sealedLayer.Size);
            }
        }
    }

    /// <summary>The nearest alone would not do: it may be from an earlier run, and one below it gone from the store since.</summary>
    private bool HasParents(int index)
    {
        for (var below = 0; below < index; below++)
        {
            if (Volatile.Read(ref _done[below]) is null && !TakeFromStore(plans[below]))
            {
                return false;
            }
        }

        return true;
    }

    private bool TakeFromStore(LayerPlan plan)
    {
        if (conversion.Find(plan) is not { } stored)
        {
            return false;
        }

        // Who imports it may come upon it at the same time as who seals those above it.
        if (TrySetDone(plan.Index, new ConvertedLayer(stored, Reused: true)))
        {
            plan.Progress.Stage = LayerStage.Reused;
            Instruments.Layers.Add(1, Instruments.Result("reused"));
            logger.LogInformation("{Layer}: already converted", plan.Name);
        }

        return true;
    }

    private bool TrySetDone(int index, ConvertedLayer layer)
    {
        var isNews = Interlocked.CompareExchange(ref _done[index], layer, null) is null;
        _inStore[index].TrySetResult();
        return isNews;
    }

    /// <summary>Says of which layer a failure is.</summary>
    private async Task<T> Named<T>(LayerPlan plan, Func<Task<T>> step)
    {
        using var scope = logger.With(LogFields.Layer, plan.Blob.Digest.ToString());
        try
        {
            return await step();
        }
        catch (Exception e) when (Failures.IsExpected(e))
        {
            throw Failures.Of(plan.Name, e);
        }
    }
}
