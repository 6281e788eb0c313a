using CimConvert.Formats.Binary;

namespace CimConvert.Formats.Cim;

/// <summary>Reads a stream of a CIM front to back. Does not own the CIM.</summary>
internal sealed class CimDataStream : ForwardStream
{
    private readonly CimRegions _regions;
    private readonly CimStream _stream;
    private readonly CimPeImage? _peImage;
    private long _position;

    /// <param name="regions">The CIM's regions.</param>
    /// <param name="stream">Already checked to lie in its region.</param>
    /// <param name="peImage">Maps a PE image's file offsets; null for a contiguous stream.</param>
    public CimDataStream(CimRegions regions, CimStream stream, CimPeImage? peImage)
    {
        _regions = regions;
        _stream = stream;
        _peImage = peImage;
    }

    public override long Length => _stream.Length;

    public override long Position
    {
        get => _position;
        set => throw new NotSupportedException();
    }

    public override int Read(Span<byte> buffer)
    {
        var (start, contiguous) = Locate();
        var count = (int)Math.Min(buffer.Length, contiguous);
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
            _regions.Read(start, buffer[..count]);
        }

        _position += count;
        return count;
    }

    private (RegionOffset Start, long Count) Locate()
    {
        var left = _stream.Length - _position;
        return left == 0 ? default
            : _peImage is not null ? _peImage.Locate(_position, _stream.Length)
            : (_stream.IsSparse ? RegionOffset.Null : new RegionOffset(_stream.Data.Region, _stream.Data.Offset + _position), left);
    }
}
