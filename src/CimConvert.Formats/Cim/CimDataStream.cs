using CimConvert.Formats.Binary;

namespace CimConvert.Formats.Cim;

/// <summary>A stream of a CIM, read front to back. Does not own the CIM it reads from.</summary>
internal sealed class CimDataStream : ForwardStream
{
    private readonly CimRegions _regions;
    private readonly CimStream _stream;
    private readonly CimPeImage? _image;
    private long _position;

    /// <param name="regions">The CIM's.</param>
    /// <param name="stream">Checked to lie in its region.</param>
    /// <param name="image">Where the bytes of a PE image are; null for a stream that lies in one piece.</param>
    public CimDataStream(CimRegions regions, CimStream stream, CimPeImage? image)
    {
        _regions = regions;
        _stream = stream;
        _image = image;
    }

    public override long Length => _stream.Length;

    public override long Position
    {
        get => _position;
        set => throw new NotSupportedException();
    }

    public override int Read(Span<byte> buffer)
    {
        var (place, together) = Place();
        var count = (int)Math.Min(buffer.Length, together);
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
            _regions.Read(place, buffer[..count]);
        }

        _position += count;
        return count;
    }

    private (RegionOffset Place, long Count) Place()
    {
        var left = _stream.Length - _position;
        return left == 0 ? default
            : _image is not null ? _image.At(_position, _stream.Length)
            : (_stream.IsSparse ? RegionOffset.Null : new RegionOffset(_stream.Data.Region, _stream.Data.Offset + _position), left);
    }
}
