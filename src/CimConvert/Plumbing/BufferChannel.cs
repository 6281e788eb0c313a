using System.Runtime.ExceptionServices;
using System.Threading.Channels;

namespace CimConvert.Plumbing;

/// <summary>
/// Joins a stage to those behind it by pooled buffers: one side pumps a stream in, each reader takes all of it out. A fixed
/// number of buffers goes round, so the fastest side waits for the slowest. A reader that gives up says so, and the writer
/// stops without an error of its own.
/// </summary>
internal sealed class BufferChannel : IDisposable
{
    private readonly int _bufferSize;
    private readonly StageClock? _from;
    private readonly SharedBuffer[] _buffers;
    private readonly Channel<SharedBuffer> _free;
    private readonly BufferReader[] _readers;
    private readonly CancellationTokenSource _abandoned = new();

    /// <param name="bufferSize">Bytes a buffer.</param>
    /// <param name="capacity">Buffers that are filled, waiting, and being read, all together.</param>
    /// <param name="from">Of the stage that pumps; null for one that nobody looks at.</param>
    /// <param name="to">Of the stages that read, each on a thread of its own.</param>
    public BufferChannel(int bufferSize, int capacity, StageClock? from, params StageClock?[] to)
    {
        _bufferSize = bufferSize;
        _from = from;
        _free = Channel.CreateBounded<SharedBuffer>(new BoundedChannelOptions(capacity) { SingleReader = true });
        _buffers = [.. Enumerable.Range(0, capacity).Select(_ => new SharedBuffer(_free.Writer))];
        foreach (var buffer in _buffers)
        {
            _free.Writer.TryWrite(buffer);
        }

        _readers = [.. to.Select(clock => new BufferReader(capacity, clock))];
    }

    /// <summary>What was pumped in, once for each reader; its end or error comes where the pumped stream's did.</summary>
    public IReadOnlyList<BufferReader> Readers => _readers;

    /// <summary>The only reader.</summary>
    public BufferReader Reader => _readers.Single();

    /// <summary>Whether a reader gave up: what others see as the end is none.</summary>
    public bool IsAbandoned => _abandoned.IsCancellationRequested;

    /// <summary>Pumps until the source's end, its error, which the readers see too, or a reader's giving up.</summary>
    /// <returns>Whether the source was read to its end.</returns>
    public async Task<bool> PumpAsync(Stream source, Action<int> onRead, CancellationToken cancellationToken)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _abandoned.Token);
        using var clock = _from;
        try
        {
            SharedBuffer buffer;
            do
            {
                buffer = await TakeFreeAsync(stop.Token);
                await buffer.FillAsync(source, _bufferSize, stop.Token);
                onRead(buffer.Count);
            }
            while (HandOut(buffer));
            return true;
        }
        catch (Exception e)
        {
            return EndAfter(e, cancellationToken);
        }
    }

    /// <summary>As <see cref="PumpAsync"/>, for a source that keeps its thread busy: it is read on the caller's, which waits where it must.</summary>
    public bool Pump(Stream source, Action<int> onRead, CancellationToken cancellationToken)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _abandoned.Token);
        using var clock = _from;
        try
        {
            SharedBuffer buffer;
            do
            {
                buffer = TakeFree(stop.Token);
                buffer.Fill(source, _bufferSize);
                onRead(buffer.Count);
            }
            while (HandOut(buffer));
            return true;
        }
        catch (Exception e)
        {
            return EndAfter(e, cancellationToken);
        }
    }

    /// <summary>Ends the channel with an error that the readers see, where there is nothing to pump.</summary>
    public void Fail(Exception error) => EndAll(error);

    /// <summary>Says that nothing more will be read.</summary>
    public void Abandon() => _abandoned.Cancel();

    /// <summary>Both sides are done by now.</summary>
    public void Dispose()
    {
        foreach (var reader in _readers)
        {
            reader.Dispose();
        }

        foreach (var buffer in _buffers)
        {
            buffer.Dispose();
        }

        _abandoned.Dispose();
    }

    private async ValueTask<SharedBuffer> TakeFreeAsync(CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (!_free.Reader.TryRead(out var buffer))
        {
            _from?.WaitForOutput();
            buffer = await _free.Reader.ReadAsync(cancellationToken);
        }

        _from?.Work();
        return buffer;
    }

    private SharedBuffer TakeFree(CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        SharedBuffer? buffer;
        while (!_free.Reader.TryRead(out buffer))
        {
            _from?.WaitForOutput();
            _free.Reader.WaitToReadAsync(cancellationToken).AsTask().GetAwaiter().GetResult();
        }

        _from?.Work();
        return buffer;
    }

    /// <summary>Gives a filled buffer to all readers; one that is not full is the last.</summary>
    private bool HandOut(SharedBuffer buffer)
    {
        var isLast = buffer.Count < _bufferSize;
        if (buffer.Count > 0)
        {
            buffer.Share(_readers.Length);
            foreach (var reader in _readers)
            {
                reader.Add(buffer);
            }
        }

        if (isLast)
        {
            EndAll(null);
        }

        return !isLast;
    }

    private bool EndAfter(Exception error, CancellationToken cancellationToken)
    {
        if (error is OperationCanceledException && IsAbandoned && !cancellationToken.IsCancellationRequested)
        {
            EndAll(null);
            return false;
        }

        EndAll(error);
        ExceptionDispatchInfo.Throw(error);
        return false;
    }

    private void EndAll(Exception? error)
    {
        foreach (var reader in _readers)
        {
            reader.End(error);
        }
    }
}
