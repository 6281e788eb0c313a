namespace CimConvert.Plumbing;

/// <summary>Runs work that keeps a thread busy, or blocks it, on a thread of its own: the pool's threads stay free for short work.</summary>
internal static class OwnThread
{
    public static Task RunAsync(Action work) => Task.Factory
        .StartNew(work, CancellationToken.None, TaskCreationOptions.LongRunning | TaskCreationOptions.DenyChildAttach, TaskScheduler.Default);

    public static Task<T> RunAsync<T>(Func<T> work) => Task.Factory
        .StartNew(work, CancellationToken.None, TaskCreationOptions.LongRunning | TaskCreationOptions.DenyChildAttach, TaskScheduler.Default);
}
