using System.Buffers;
using CimConvert.Formats.Binary;
using CimConvert.Registry.Http;
using Microsoft.Extensions.Logging;
using Polly;

namespace CimConvert.Registry.Pull;

/// <summary>
/// A blob as one stream over as many connections as needed. It ends after exactly the size in the manifest, or throws.
/// </summary>
internal sealed class BlobStream : ForwardStream
{
    /// <summary>Bytes after which earlier failures no longer count. One byte is not enough: a server could go on for ever.</summary>
    private const long CountedProgress = 64 << 10;

    private const int SkipBufferSize = 64 << 10;

    private readonly BlobSource _source;
    private readonly RegistryOptions _options;
    private readonly TransferCount _count;
    private readonly ILogger _logger;
    private readonly CancellationToken _lifetime;
    private readonly ResiliencePipeline<int> _retry;
    private CancellationTokenSource _stall;
    private BlobBody? _body;
    private long _bodyPosition;
    private long _position;
    private long _positionAtFailure;
    private int _failures;
    private bool _ended;

    /// <param name="source">Opens the further connections.</param>
    /// <param name="first">The first connection.</param>
    /// <param name="offset">The first byte to return.</param>
    /// <param name="options">Time limits and retries.</param>
    /// <param name="count">Counts bytes as they arrive, and broken connections.</param>
    /// <param name="logger">Told of broken connections.</param>
    /// <param name="lifetime">Cancels all reads.</param>
    public BlobStream(
        BlobSource source, BlobBody first, long offset, RegistryOptions options, TransferCount count, ILogger logger, CancellationToken lifetime)
    {
        _source = source;
        _body = first;
        _bodyPosition = first.Start;
        _position = offset;
        _positionAtFailure = offset;
        _options = options;
        _count = count;
        _logger = logger;
        _lifetime = lifetime;
        _stall = NewStallSource();
        _retry = new RetryPolicy(options).Build(new RetryRule<int>
        {
            IsTransient = outcome => outcome.Exception is IOException,
            Failures = () => _failures,
            OnRetry = LogRetry,
        });
    }

    /// <summary>The size in the manifest.</summary>
    public override long Length => _source.Size;

    public override long Position
    {
        get => _position;
        set => throw new NotSupportedException();
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (buffer.IsEmpty || _ended)
        {
            return 0;
        }

        using var both = cancellationToken.CanBeCanceled && _lifetime.CanBeCanceled
            ? CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _lifetime)
            : null;
        var either = both?.Token ?? (cancellationToken.CanBeCanceled ? cancellationToken : _lifetime);
        while (true)
        {
            try
            {
                return await _retry.ExecuteAsync(
                    static (read, cancellationToken) => read.Stream.ReadOnceAsync(read.Buffer, cancellationToken), (Stream: this, Buffer: buffer), either);
            }
            catch (IOException e)
            {
                MoveOn(e);
            }
        }
    }

    /// <summary>For synchronous readers. The token that the blob was opened with cancels it.</summary>
    public override int Read(Span<byte> buffer)
    {
        var bytes = ArrayPool<byte>.Shared.Rent(buffer.Length);
        try
        {
            var read = ReadAsync(bytes.AsMemory(0, buffer.Length), CancellationToken.None).AsTask().GetAwaiter().GetResult();
            bytes.AsSpan(0, read).CopyTo(buffer);
            return read;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(bytes);
        }
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _body?.Dispose();
            _stall.Dispose();
        }

        base.Dispose(disposing);
    }

    private async ValueTask<int> ReadOnceAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        try
        {
            _body ??= await ReopenAsync(cancellationToken);
            if (_bodyPosition < _position)
            {
                await SkipAsync(_body, cancellationToken);
            }

            if (_position == Length)
            {
                await EndAsync(_body, cancellationToken);
                return 0;
            }

            var wanted = (int)Math.Min(buffer.Length, Length - _position);
            var read = await ReadBodyAsync(_body, buffer[..wanted], cancellationToken);
            _position += read;
            return read;
        }
        catch (IOException)
        {
            CountFailure();
            throw;
        }
    }

    private async Task<BlobBody> ReopenAsync(CancellationToken cancellationToken)
    {
        var body = await _source.OpenAsync(_position, cancellationToken);
        _bodyPosition = body.Start;
        return body;
    }

    /// <summary>Without range support the blob starts over; bytes that were read before are dropped.</summary>
    private async Task SkipAsync(BlobBody body, CancellationToken cancellationToken)
    {
        var dropped = new byte[(int)Math.Min(SkipBufferSize, _position - _bodyPosition)];
        while (_bodyPosition < _position)
        {
            await ReadBodyAsync(body, dropped.AsMemory(0, (int)Math.Min(dropped.Length, _position - _bodyPosition)), cancellationToken);
        }
    }

    /// <summary>All bytes are read. Only a body without Content-Length may have more, which is checked.</summary>
    private async Task EndAsync(BlobBody body, CancellationToken cancellationToken)
    {
        var more = 0;
        if (!body.HasLength)
        {
            try
            {
                more = await ReadBodyAsync(body, new byte[1], cancellationToken);
            }
            catch (IOException)
            {
                // All bytes are here; the digest decides.
            }
        }

        if (more > 0)
        {
            throw new RegistryException($"cannot use {_source.What}: the registry has more than the {Length} bytes the manifest says");
        }

        _ended = true;
        body.Dispose();
    }

    /// <summary>Reads at least one byte from the connection, or none after the last, within the stall timeout.</summary>
    /// <exception cref="IOException">The connection broke, stalled, or ended before the blob.</exception>
    private async ValueTask<int> ReadBodyAsync(BlobBody body, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        int read;
        try
        {
            read = await ReadInTimeAsync(body, buffer, cancellationToken);
        }
        finally
        {
            if (!_stall.TryReset())
            {
                _stall.Dispose();
                _stall = NewStallSource();
            }
        }

        if (read == 0 && _bodyPosition < Length)
        {
            throw new IOException($"the data ended after {_bodyPosition} of {Length} bytes");
        }

        _bodyPosition += read;
        _count.AddBytes(read);
        return read;
    }

    private async ValueTask<int> ReadInTimeAsync(BlobBody body, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        using var cancelled = cancellationToken.UnsafeRegister(static stall => ((CancellationTokenSource)stall!).Cancel(), _stall);
        _stall.CancelAfter(_options.StallTimeout);
        try
        {
            return await body.Stream.ReadAsync(buffer, _stall.Token);
        }
        catch (OperationCanceledException e)
        {
            cancellationToken.ThrowIfCancellationRequested();
            throw new IOException($"no data for {_options.StallTimeout.TotalSeconds:0.###} s", e);
        }
    }

    private void CountFailure()
    {
        _body?.Dispose();
        _body = null;
        if (_position - _positionAtFailure >= CountedProgress)
        {
            _failures = 0;
        }

        _positionAtFailure = _position;
        _failures++;
    }

    private void LogRetry(Outcome<int> outcome, int failures, TimeSpan pause)
    {
        _count.AddRetry();
        _logger.LogWarning(
            "{What}: {Reason}; continuing at byte {Position} in {Delay:0.0} s", _source.What, Printable.Of(outcome.Exception!.Message), _position, pause.TotalSeconds);
    }

    /// <summary>After the last attempt: switches to the next host, or throws.</summary>
    private void MoveOn(IOException e)
    {
        var failure = new RegistryException(
            $"cannot get {_source.What}: the connection broke {_failures} times at or near byte {_position} of {Length}, last: {Printable.Of(e.Message)}", e)
        {
            IsInterruption = true,
        };
        if (!_source.MoveOn(failure))
        {
            throw failure;
        }

        _failures = 0;
    }

    private CancellationTokenSource NewStallSource() => new(Timeout.InfiniteTimeSpan, _options.TimeProvider);
}
