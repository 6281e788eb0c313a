namespace CimConvert.Formats.Gzip;

/// <summary>Decodes a gzip stream, member by member.</summary>
internal sealed class GzipDecoder : IDisposable
{
    private readonly BitInput _input;
    private readonly OutputWindow _window = new();
    private readonly Inflater _inflater;
    private readonly RunReader? _runs;
    private readonly MemberHeader _header;
    private readonly MemberChecks _checks = new();
    private bool _inMember;
    private bool _pastFirst;

    public GzipDecoder(Stream compressed)
        : this(new BitInput(compressed))
    {
    }

    /// <param name="nextChunk">Returns one chunk after another.</param>
    public GzipDecoder(Func<GzipChunk?> nextChunk)
        : this(new ChunkInput(nextChunk))
    {
    }

    private GzipDecoder(BitInput input)
    {
        _input = input;
        _inflater = new Inflater(input, _window);
        _header = new MemberHeader(input);
        _runs = input is ChunkInput chunks ? new RunReader(chunks, _window, _inflater) : null;
    }

    /// <summary>As <see cref="Stream.Read(Span{byte})"/>.</summary>
    public int Read(Span<byte> buffer)
    {
        while (_window.Available == 0 && !buffer.IsEmpty)
        {
            if (_runs is { IsOpen: true })
            {
                if (_runs.TakeTo(buffer) is var count and > 0)
                {
                    _checks.Append(buffer[..count]);
                    return count;
                }

                continue;
            }

            if (!_inMember && !BeginMember())
            {
                return 0;
            }

            Decode();
        }

        return _window.TakeTo(buffer);
    }

    public void Dispose()
    {
        _input.Dispose();
        _window.Dispose();
    }

    /// <returns>False at the end of the stream.</returns>
    private bool BeginMember()
    {
        _input.FillBuffer();
        if (_pastFirst && _input.IsAtEnd)
        {
            return false;
        }

        _header.Read(_pastFirst);
        _inflater.Begin();
        _checks.Reset();
        (_inMember, _pastFirst) = (true, true);
        return true;
    }

    private void Decode()
    {
        _window.MakeRoom();
        if (_runs is not null && _inflater.IsAtBlock && _runs.TryOpen())
        {
            return;
        }

        var start = _window.Position;
        var isMore = _inflater.Run(_runs?.NextStop() ?? long.MaxValue);
        _checks.Append(_window.Buffer.AsSpan(start.._window.Position));
        if (!isMore)
        {
            _checks.Compare(_input);
            _inMember = false;
        }
    }
}
