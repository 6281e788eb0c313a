namespace Converter.Formats.Gzip;

/// <summary>Goes through a gzip stream member by member.</summary>
internal sealed class GzipDecoder : IDisposable
{
    private readonly BitInput _input;
    private readonly OutputWindow _window = new();
    private readonly Inflater _inflater;
    private bool _inMember;
    private bool _pastFirst;
    private uint _checksum;
    private uint _length;

    public GzipDecoder(Stream compressed)
    {
        _input = new BitInput(compressed);
        _inflater = new Inflater(_input, _window);
    }

    /// <summary>As <see cref="Stream.Read(Span{byte})"/>.</summary>
    public int Read(Span<byte> buffer)
    {
        while (_window.Available == 0 && !buffer.IsEmpty)
        {
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
        (_inMember, _pastFirst, _checksum, _length) = (true, true, 0, 0);
        return true;
    }

    private void Decode()
    {
        _window.MakeRoom();
        var start = _window.Position;
        var isMore = _inflater.Run();
        var decoded = _window.Buffer.AsSpan(start.._window.Position);
        _checksum = Crc32.Append(_checksum, decoded);
        _length += (uint)decoded.Length;
        if (!isMore)
        {
            EndMember();
        }
    }

    private void EndMember()
    {
        _input.AlignToByte();
        var checksum = _input.TakeUInt32();
        if (checksum != _checksum)
        {
            throw _input.Bad($"a checksum of {checksum:x8} where the data has {_checksum:x8}");
        }

        // ISIZE is the length modulo 2^32 (RFC 1952, 2.3.1), as the field here overflows to.
        var length = _input.TakeUInt32();
        if (length != _length)
        {
            throw _input.Bad($"a length of {length} where the data has {_length}");
        }

        _inMember = false;
    }
}
