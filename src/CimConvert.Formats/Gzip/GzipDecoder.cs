namespace CimConvert.Formats.Gzip;

/// <summary>Goes through a gzip stream member by member.</summary>
internal sealed class GzipDecoder : IDisposable
{
    private readonly BitInput _input;
    private readonly OutputWindow _window = new();
    private readonly Inflater _inflater;
    private readonly RunReader? _runs;
    private bool _inMember;
    private bool _pastFirst;
    private MemberChecks _checks;

    public GzipDecoder(Stream compressed)
    {
        _input = new BitInput(compressed);
        _inflater = new Inflater(_input, _window);
    }

    /// <param name="nextChunk">Hands over one chunk after another.</param>
    public GzipDecoder(Func<GzipChunk?> nextChunk)
    {
        var input = new ChunkInput(nextChunk);
        _input = input;
        _inflater = new Inflater(_input, _window);
        _runs = new RunReader(input, _window, _inflater);
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

    /// <summary>False at the end.</summary>
    private bool BeginMember()
    {
        _input.FillBuffer();
        if (_pastFirst && _input.IsAtEnd)
        {
            return false;
        }

        new MemberHeader(_input).Read(_pastFirst);
        _inflater.Begin();
        (_inMember, _pastFirst, _checks) = (true, true, default);
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
