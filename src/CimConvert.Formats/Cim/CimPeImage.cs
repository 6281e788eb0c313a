using System.Buffers.Binary;
using CimConvert.Formats.Binary;

namespace CimConvert.Formats.Cim;

/// <summary>
/// A stream stored in the memory layout of a PE image, with its sections expanded. Its record gives the data's location and a
/// list of mappings: from a mapping's file offset on, the bytes are stored that mapping's delta after their file offset.
/// </summary>
internal sealed class CimPeImage
{
    private const int HeaderSize = 24;
    private const int MappingSize = 8;

    private readonly byte[] _record;
    private readonly RegionOffset _data;
    private readonly (long FileOffset, long Delta)[] _mappings;

    private CimPeImage(byte[] record, RegionOffset data, (long FileOffset, long Delta)[] mappings) =>
        (_record, _data, _mappings) = (record, data, mappings);

    /// <exception cref="InvalidDataException">The record or the data it maps lies outside its region.</exception>
    public static CimPeImage Read(CimRegions regions, CimStream stream)
    {
        Span<byte> header = stackalloc byte[HeaderSize];
        regions.Read(stream.Data, header);
        var reader = new SpanReader(header);
        var (data, length) = (new RegionOffset(reader.U64()), reader.I64());
        reader.Skip(sizeof(uint));
        var record = new byte[HeaderSize + (reader.U16() * MappingSize)];
        regions.Read(stream.Data, record);
        regions.Check(data, length);
        var mappings = ReadMappings(record, stream.Length);
        for (var i = 0; i < mappings.Length; i++)
        {
            var (start, delta) = mappings[i];
            var end = i + 1 < mappings.Length ? mappings[i + 1].FileOffset : stream.Length;
            if (end < start || end > stream.Length || (end > start && end + delta > length))
            {
                throw new InvalidDataException($"PE image at {stream.Data}: bytes {start} to {end} of the file lie outside its {length} bytes of data");
            }
        }

        return new CimPeImage(record, data, mappings);
    }

    /// <summary>The location of a byte of the file, and how many bytes from there are contiguous.</summary>
    public (RegionOffset Start, long Count) Locate(long position, long length)
    {
        var (low, high) = (0, _mappings.Length - 1);
        while (low < high)
        {
            var middle = low + ((high - low + 1) / 2);
            (low, high) = _mappings[middle].FileOffset <= position ? (middle, high) : (low, middle - 1);
        }

        var end = low + 1 < _mappings.Length ? _mappings[low + 1].FileOffset : length;
        return (new RegionOffset(_data.Region, _data.Offset + position + _mappings[low].Delta), end - position);
    }

    /// <summary>The record for a CIM in whose region list the data's region comes <paramref name="regions"/> places later.</summary>
    public byte[] Rebase(int regions)
    {
        var record = (byte[])_record.Clone();
        BinaryPrimitives.WriteUInt64LittleEndian(record, _data.Rebase(regions).Value);
        return record;
    }

    /// <summary>The mappings, preceded by one of delta 0 for the bytes before the first.</summary>
    private static (long FileOffset, long Delta)[] ReadMappings(ReadOnlySpan<byte> record, long length)
    {
        var mappings = new (long FileOffset, long Delta)[((record.Length - HeaderSize) / MappingSize) + 1];
        var reader = new SpanReader(record[HeaderSize..]);
        for (var i = 1; i < mappings.Length; i++)
        {
            mappings[i] = (Math.Min(reader.U32(), length), reader.U32());
        }

        return mappings;
    }
}
