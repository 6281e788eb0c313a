using System.Threading.Channels;

namespace CimConvert.Plumbing;

/// <summary>Passes work from some stages to others; adding waits while the queue is full.</summary>
/// <typeparam name="T">The type of the work items.</typeparam>
/// <param name="capacity">The most items in the queue.</param>
internal sealed class BoundedQueue<T>(int capacity)
{
    private readonly Channel<T> _channel = Channel.CreateBounded<T>(capacity);

    public ValueTask AddAsync(T item, CancellationToken cancellationToken) => _channel.Writer.WriteAsync(item, cancellationToken);

    /// <summary>Ends the queue: nothing more will be added.</summary>
    public void Complete() => _channel.Writer.Complete();

    public IAsyncEnumerable<T> TakeAllAsync(CancellationToken cancellationToken) => _channel.Reader.ReadAllAsync(cancellationToken);

    public bool TryTake(out T item) => _channel.Reader.TryRead(out item!);

    /// <summary>Waits until there is something to take; false once the queue is complete and empty.</summary>
    public Task<bool> WaitToTakeAsync(CancellationToken cancellationToken) => _channel.Reader.WaitToReadAsync(cancellationToken).AsTask();
}
