using System.Runtime.ExceptionServices;

namespace CimConvert.Plumbing;

/// <summary>
/// Stages that live and end together: all are awaited, and when one fails the rest are cancelled. The failure that is reported
/// is that of the earliest stage in the order of the flow that failed of itself, so it does not depend on timing.
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

    /// <summary>Starts a stage that keeps a thread busy, or blocks it, on a thread of its own.</summary>
    public void StartThread(Action stage) => _ = StartAwaitedThread(stage);

    /// <summary>As <see cref="StartThread"/>, for a stage that another waits for; its failure is the group's all the same.</summary>
    public Task StartAwaitedThread(Action stage)
    {
        var started = Guarded(Task.Factory
            .StartNew(stage, CancellationToken.None, TaskCreationOptions.LongRunning | TaskCreationOptions.DenyChildAttach, TaskScheduler.Default));
        _stages.Add(started);
        return started;
    }

    public async Task CompleteAsync()
    {
        await Task.WhenAll(_stages).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _outer.ThrowIfCancellationRequested();
        var failures = _stages.Where(s => s.IsFaulted).Select(s => s.Exception!.GetBaseException()).ToArray();
        if (failures.Length > 0)
        {
            ExceptionDispatchInfo.Throw(failures[0]);
        }

        if (_stages.Exists(s => s.IsCanceled))
        {
            throw new OperationCanceledException("a stage was cancelled although none failed");
        }
    }

    public void Dispose() => _stop.Dispose();

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
