using System.Buffers;
using CimConvert.Formats.Binary;
using CimConvert.Registry.Http;
using Microsoft.Extensions.Logging;

namespace CimConvert.Registry.Pull;

/// <summary>
/// A blob as one unbroken stream over as many connections as it takes. It ends after exactly the size the manifest states, or throws.
/// </summary>
internal sealed class BlobStream : ForwardStream
{
    /// <summary>What a new connection must bring before old failures are forgotten, or a server could keep us for ever, byte by byte.</summary>
    private const long ProgressThatCounts = 64 << 10;

    private const int SkipBufferSize = 64 << 10;

    private readonly BlobSource _source;
    private readonly RegistryOptions _options;
    private readonly TransferCount _count;
    private readonly ILogger _logger;
    private readonly CancellationToken _lifetime;
    private CancellationTokenSource _stall;
    private BlobBody? _body;
    private long _bodyPosition;
    private long _position;
    private long _positionAtFailure;
    private int _failures;
    private bool _ended;

    /// <param name="source">Opens the further connections.</param>
    /// <param name="first">The first connection.</param>
    /// <param name="offset">The first byte to give.</param>
    /// <param name="options">Time limits and number of attempts.</param>
    /// <param name="count">Counts all bytes that came, as they come, and broken connections.</param>
    /// <param name="logger">Told of broken connections.</param>
    /// <param name="lifetime">Ends any reading.</param>
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
    }

    /// <summary>The size the manifest states.</summary>
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

        while (true)
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
            catch (IOException e)
            {
                await BreakAsync(e, cancellationToken);
            }
        }
    }

    /// <summary>For readers that are not asynchronous; the token the blob was opened with still ends it.</summary>
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

    private async Task<BlobBody> ReopenAsync(CancellationToken cancellationToken)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _lifetime);
        var body = await _source.OpenAsync(_position, either.Token);
        _bodyPosition = body.Start;
        return body;
    }

    /// <summary>Where ranges are not served the blob came from its start; what was read before is dropped.</summary>
    private async Task SkipAsync(BlobBody body, CancellationToken cancellationToken)
    {
        var dropped = new byte[(int)Math.Min(SkipBufferSize, _position - _bodyPosition)];
        while (_bodyPosition < _position)
        {
            await ReadBodyAsync(body, dropped.AsMemory(0, (int)Math.Min(dropped.Length, _position - _bodyPosition)), cancellationToken);
        }
    }

    /// <summary>All bytes are there. Only a body that did not announce its length can have more, and that is looked at.</summary>
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
                // A connection that breaks now has nothing left to break; the digest decides.
            }
        }

        if (more > 0)
        {
            throw new RegistryException($"cannot use {_source.What}: the registry has more than the {Length} bytes the manifest says");
        }

        _ended = true;
        body.Dispose();
    }

    /// <summary>Reads at least one byte (none only after the last) from the connection, within the time a silent connection is given.</summary>
    /// <exception cref="IOException">The connection broke, stalled, or ended before the blob did.</exception>
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
        using var byReader = cancellationToken.UnsafeRegister(static stall => ((CancellationTokenSource)stall!).Cancel(), _stall);
        using var byOwner = _lifetime.UnsafeRegister(static stall => ((CancellationTokenSource)stall!).Cancel(), _stall);
        _stall.CancelAfter(_options.StallTimeout);
        try
        {
            return await body.Stream.ReadAsync(buffer, _stall.Token);
        }
        catch (OperationCanceledException e)
        {
            cancellationToken.ThrowIfCancellationRequested();
            _lifetime.ThrowIfCancellationRequested();
            throw new IOException($"no data for {_options.StallTimeout.TotalSeconds:0.###} s", e);
        }
    }

    private async Task BreakAsync(IOException e, CancellationToken cancellationToken)
    {
        _body?.Dispose();
        _body = null;
        if (_position - _positionAtFailure >= ProgressThatCounts)
        {
            _failures = 0;
        }

        _positionAtFailure = _position;
        _failures++;
        var reason = Oci.Printable.Of(e.Message);
        if (_failures >= _options.MaxAttempts)
        {
            var failure = new RegistryException(
                $"cannot get {_source.What}: the connection broke {_failures} times at or near byte {_position} of {Length}, last: {reason}", e)
            {
                IsInterruption = true,
            };
            if (!_source.MoveOn(failure))
            {
                throw failure;
            }

            _failures = 0;
            return;
        }

        _count.AddRetry();
        var delay = Backoff.Delay(_options, _failures);
        _logger.LogWarning("{What}: {Reason}; continuing at byte {Position} in {Delay:0.0} s", _source.What, reason, _position, delay.TotalSeconds);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _lifetime);
        await Task.Delay(delay, _options.TimeProvider, either.Token);
    }

    private CancellationTokenSource NewStallSource() => new(Timeout.InfiniteTimeSpan, _options.TimeProvider);
}
