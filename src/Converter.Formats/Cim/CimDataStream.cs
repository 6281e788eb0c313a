using Converter.Formats.Binary;

namespace Converter.Formats.Cim;

/// <summary>A stream of a CIM, read front to back. Does not own the CIM it reads from.</summary>
internal sealed class CimDataStream : ForwardStream
{
    private readonly CimRegions _regions;
    private readonly CimStream _stream;
    private long _position;

    public CimDataStream(CimRegions regions, CimStream stream)
    {
        _regions = regions;
        _stream = stream;
    }

    public override long Length => _stream.Length;

    public override long Position
    {
        get => _position;
        set => throw new NotSupportedException();
    }

    public override int Read(Span<byte> buffer)
    {
        var count = (int)Math.Min(buffer.Length, _stream.Length - _position);
        if (count == 0)
        {
            return 0;
        }

        if (_stream.IsSparse)
        {
            buffer[..count].Clear();
        }
        else
        {
            _regions.Read(new RegionOffset(_stream.Data.Region, _stream.Data.Offset + _position), buffer[..count]);
        }

        _position += count;
        return count;
    }
}
