using System.Runtime.ExceptionServices;

namespace CimConvert.Plumbing;

/// <summary>
/// Stages that start and end together: all are awaited, and the first failure cancels the others. The failure that is reported
/// is that of the first stage, in the order they were started, that failed by itself: it does not depend on timing.
/// </summary>
internal sealed class StageGroup : IDisposable
{
    private readonly CancellationTokenSource _stop;
    private readonly CancellationToken _outer;
    private readonly List<Task> _stages = [];

    public StageGroup(CancellationToken cancellationToken)
    {
        _outer = cancellationToken;
        _stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
    }

    /// <summary>Cancelled when a stage fails or the caller cancels.</summary>
    public CancellationToken Cancellation => _stop.Token;

    /// <summary>Starts a stage that waits asynchronously.</summary>
    public void Start(Func<Task> stage) => _stages.Add(Guarded(Task.Factory
        .StartNew(stage, CancellationToken.None, TaskCreationOptions.DenyChildAttach, TaskScheduler.Default).Unwrap()));

    /// <summary>Starts a stage on a thread of its own.</summary>
    public void StartThread(Action stage) => _ = StartAwaitedThread(stage);

    /// <summary>As <see cref="StartThread"/>, for a stage that another waits for; its failure is the group's all the same.</summary>
    public Task StartAwaitedThread(Action stage)
    {
        var started = Guarded(OwnThread.RunAsync(stage));
        _stages.Add(started);
        return started;
    }

    /// <summary>Waits for all stages.</summary>
    /// <exception cref="OperationCanceledException">The caller cancelled.</exception>
    public async Task CompleteAsync()
    {
        await WaitAsync();
        _outer.ThrowIfCancellationRequested();
        if (FirstFailure is { } failure)
        {
            ExceptionDispatchInfo.Throw(failure);
        }

        if (_stages.Exists(stage => stage.IsCanceled))
        {
            throw new OperationCanceledException("a stage was cancelled although none failed");
        }
    }

    /// <summary>Cancels the stages that still run, and waits for all of them.</summary>
    /// <returns>The failure of the first stage that failed by itself; null where none did.</returns>
    public async Task<Exception?> StopAsync()
    {
        await _stop.CancelAsync();
        await WaitAsync();
        return FirstFailure;
    }

    public void Dispose() => _stop.Dispose();

    private Exception? FirstFailure => _stages.Find(stage => stage.IsFaulted)?.Exception!.GetBaseException();

    private async Task WaitAsync() => await Task.WhenAll(_stages).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

    private async Task Guarded(Task stage)
    {
        try
        {
            await stage;
        }
        catch
        {
            await _stop.CancelAsync();
            throw;
        }
    }
}
