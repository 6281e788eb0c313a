using System.Threading.Channels;

namespace CimConvert.Plumbing;

/// <summary>
/// Joins workers to a reader that takes their results in the order in which the work was begun, whichever is done first. Places are
/// limited: no work begins while as many results as there are places wait for the reader.
/// </summary>
/// <param name="places">Results that are being worked on, or wait to be taken.</param>
internal sealed class OrderedResults<T>(int places)
    where T : class
{
    private readonly Channel<Task<T>> _results = Channel.CreateBounded<Task<T>>(new BoundedChannelOptions(places) { SingleReader = true });

    /// <summary>Waits for a free place. Called by one worker at a time, up to its <see cref="Begin"/> or <see cref="End"/>.</summary>
    /// <returns>False once ended.</returns>
    public bool WaitForPlace(CancellationToken cancellationToken) =>
        _results.Writer.WaitToWriteAsync(cancellationToken).AsTask().GetAwaiter().GetResult();

    /// <summary>Takes the free place.</summary>
    /// <returns>Gets the result, or the error that the reader sees in its place.</returns>
    public TaskCompletionSource<T> Begin()
    {
        var result = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        return _results.Writer.TryWrite(result.Task) ? result : throw new InvalidOperationException("there is no free place");
    }

    /// <summary>No more work begins.</summary>
    /// <param name="error">Seen by the reader behind all results; null for a plain end.</param>
    public void End(Exception? error = null) => _results.Writer.TryComplete(error);

    /// <summary>Waits for the next result.</summary>
    /// <returns>Null at the end.</returns>
    public T? Take(CancellationToken cancellationToken)
    {
        Task<T>? result;
        while (!_results.Reader.TryRead(out result))
        {
            if (!_results.Reader.WaitToReadAsync(cancellationToken).AsTask().GetAwaiter().GetResult())
            {
                return null;
            }
        }

        return result.GetAwaiter().GetResult();
    }

    /// <summary>Takes the results that are left, once all workers and the reader have stopped.</summary>
    public IEnumerable<T> TakeLeft()
    {
        while (_results.Reader.TryRead(out var result))
        {
            if (result.IsCompletedSuccessfully)
            {
                yield return result.Result;
            }
        }
    }
}
