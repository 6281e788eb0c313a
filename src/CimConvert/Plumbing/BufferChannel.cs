using System.Runtime.ExceptionServices;
using System.Threading.Channels;

namespace CimConvert.Plumbing;

/// <summary>
/// Joins a stage to the stages after it by pooled buffers: one side pumps a stream in, and each reader gets all of it. The number of
/// buffers is fixed, so the fastest side waits for the slowest. If a reader abandons the channel, the writer stops without an error of its
/// own.
/// </summary>
internal sealed class BufferChannel : IDisposable
{
    private readonly int _bufferSize;
    private readonly StageClock? _from;
    private readonly SharedBuffer[] _buffers;
    private readonly Channel<SharedBuffer> _free;
    private readonly BufferReader[] _readers;
    private readonly CancellationTokenSource _abandoned = new();

    /// <param name="bufferSize">Bytes in each buffer.</param>
    /// <param name="capacity">The number of buffers, whether being filled, waiting or being read.</param>
    /// <param name="from">The clock of the stage that pumps; null if it is not traced.</param>
    /// <param name="to">The clocks of the stages that read, each on a thread of its own; null for one that is not traced.</param>
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

    /// <summary>The readers, each of which gets the whole pumped stream, with its end or error in the same place.</summary>
    public IReadOnlyList<BufferReader> Readers => _readers;

    /// <summary>The reader, if there is only one.</summary>
    public BufferReader Reader => _readers.Single();

    /// <summary>Whether a reader abandoned the channel; then the end that other readers see is not the stream's.</summary>
    public bool IsAbandoned => _abandoned.IsCancellationRequested;

    /// <summary>Pumps until the source ends, fails, which the readers see, too, or a reader abandons the channel.</summary>
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

    /// <summary>As <see cref="PumpAsync"/>, for a source that is read synchronously, on the caller's thread.</summary>
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

    /// <summary>Ends the channel with an error, which the readers see, if there is nothing to pump.</summary>
    public void Fail(Exception error) => EndAll(error);

    /// <summary>Called by a reader that will not read any more.</summary>
    public void Abandon() => _abandoned.Cancel();

    /// <summary>Called when no stage uses the channel any more.</summary>
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

    /// <summary>Passes a filled buffer to all readers; a buffer that is not full is the last.</summary>
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
