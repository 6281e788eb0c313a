using System.Threading.Channels;

namespace CimConvert.Plumbing;

/// <summary>Hands work from some stages to others; who adds waits while it is full.</summary>
/// <typeparam name="T">The work.</typeparam>
/// <param name="capacity">The most that waits in it.</param>
internal sealed class BoundedQueue<T>(int capacity)
{
    private readonly Channel<T> _channel = Channel.CreateBounded<T>(capacity);

    public ValueTask AddAsync(T item, CancellationToken cancellationToken) => _channel.Writer.WriteAsync(item, cancellationToken);

    /// <summary>Says that nothing more comes.</summary>
    public void Complete() => _channel.Writer.Complete();

    public IAsyncEnumerable<T> TakeAllAsync(CancellationToken cancellationToken) => _channel.Reader.ReadAllAsync(cancellationToken);

    public bool TryTake(out T item) => _channel.Reader.TryRead(out item!);

    /// <summary>Whether there is something to take, waiting for it; false once it is complete and empty.</summary>
    public Task<bool> WaitToTakeAsync(CancellationToken cancellationToken) => _channel.Reader.WaitToReadAsync(cancellationToken).AsTask();
}
