using System.Buffers;
using System.Buffers.Binary;
using System.Security.Cryptography;
using CimConvert.Formats.Binary;

namespace CimConvert.Formats.Cim;

/// <summary>Identifies a stream's content in an object ID file: its length and its SHA-256, truncated to 24 bytes.</summary>
internal readonly record struct ObjectId(long Length, ObjectIdDigest Digest);

internal readonly record struct ObjectIdDigest(ulong First, ulong Second, ulong Third)
{
    /// <summary>The first 24 bytes of a SHA-256 as three little-endian words.</summary>
    public static ObjectIdDigest FromSha256(ReadOnlySpan<byte> hash) => new(
        BinaryPrimitives.ReadUInt64LittleEndian(hash),
        BinaryPrimitives.ReadUInt64LittleEndian(hash[8..]),
        BinaryPrimitives.ReadUInt64LittleEndian(hash[16..]));
}

/// <summary>
/// Appends stream data to a CIM's page and small regions as it arrives. Identical content is stored once, and an all-zero
/// stream of a page or more becomes sparse. Holds at most one small stream in memory, whatever the sizes.
/// </summary>
internal sealed class CimDataWriter : IDisposable
{
    private static readonly byte[] s_zeros = new byte[64 * 1024];

    private readonly IncrementalHash _sha256 = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private readonly byte[] _smallStream = ArrayPool<byte>.Shared.Rent(CimFormat.PageSize);
    private readonly Dictionary<ObjectId, RegionOffset> _known = [];
    private readonly Region _pages;
    private readonly Region _small;

    private bool _open;
    private long _declared;
    private long _written;
    private long _start;
    private bool _onlyZeros;

    public CimDataWriter(IFileSetWriter files, int firstRegion)
    {
        _pages = new Region(files, firstRegion, RegionType.Pages, CimFormat.PageSize);
        _small = new Region(files, firstRegion, RegionType.Small, CimFormat.SmallAlignment);
    }

    public IReadOnlyList<Region> Regions => [_pages, _small];

    public static void CheckSize(long size)
    {
        if (size is < 0 or > CimStream.MaxLength)
        {
            throw new InvalidDataException($"a stream cannot have {size} bytes: a CIM holds at most {CimStream.MaxLength}");
        }
    }

    public void Begin(long size)
    {
        if (_open)
        {
            throw new InvalidOperationException("the previous stream is still open");
        }

        CheckSize(size);
        _pages.File.Settle();
        (_open, _declared, _written, _start, _onlyZeros) = (true, size, 0, _pages.File.Length, true);
    }

    public void Write(ReadOnlySpan<byte> data)
    {
        if (!_open)
        {
            throw new InvalidOperationException("no stream is open");
        }

        if (data.Length > _declared - _written)
        {
            throw new InvalidDataException($"more than the declared {_declared} bytes were written to the stream");
        }

        if (_declared < CimFormat.PageSize)
        {
            data.CopyTo(_smallStream.AsSpan((int)_written));
        }
        else
        {
            WritePages(data);
        }

        _written += data.Length;
    }

    public CimStream End()
    {
        if (!_open)
        {
            throw new InvalidOperationException("no stream is open");
        }

        if (_written != _declared)
        {
            throw new InvalidDataException($"{_written} bytes were written to a stream declared to hold {_declared}");
        }

        _open = false;
        if (_declared == 0)
        {
            // hcsshim's reader of 2021 (FORMAT.md) refuses a null offset even for an empty stream, so any valid one is given.
            return new CimStream(new RegionOffset(_small.Index, CimFormat.RegionHeaderSize), 0, CimStreamType.Data);
        }

        return _declared < CimFormat.PageSize ? EndSmall(_smallStream.AsSpan(0, (int)_declared)) : EndPages();
    }

    public void Dispose()
    {
        _sha256.Dispose();
        ArrayPool<byte>.Shared.Return(_smallStream);
    }

    private void WritePages(ReadOnlySpan<byte> data)
    {
        if (_onlyZeros)
        {
            if (!data.ContainsAnyExcept((byte)0))
            {
                return;
            }

            _onlyZeros = false;
            for (var zeros = _written; zeros > 0;)
            {
                var step = s_zeros.AsSpan(0, (int)Math.Min(zeros, s_zeros.Length));
                Append(step);
                zeros -= step.Length;
            }
        }

        Append(data);
    }

    private void Append(ReadOnlySpan<byte> data)
    {
        _sha256.AppendData(data);
        _pages.File.Append(data);
    }

    private CimStream EndPages()
    {
        if (_onlyZeros)
        {
            // The offset is not read; it only must not be null.
            var unused = new RegionOffset(_pages.Index, CimFormat.PageSize);
            return new CimStream(unused, _declared, CimStreamType.Data, sparse: true);
        }

        var id = FinishId();
        if (_known.TryGetValue(id, out var offset))
        {
            _pages.File.TruncateTo(_start);
        }
        else
        {
            offset = new RegionOffset(_pages.Index, _start);
            _known.Add(id, offset);
            _pages.Objects.Add((id, _start));
            _pages.Pad();
        }

        return new CimStream(offset, _declared, CimStreamType.Data);
    }

    private CimStream EndSmall(ReadOnlySpan<byte> data)
    {
        _sha256.AppendData(data);
        var id = FinishId();
        if (!_known.TryGetValue(id, out var offset))
        {
            offset = new RegionOffset(_small.Index, _small.File.Length);
            _known.Add(id, offset);
            _small.Objects.Add((id, offset.Offset));
            _small.File.Append(data);
            _small.Pad();
        }

        return new CimStream(offset, _declared, CimStreamType.Data);
    }

    private ObjectId FinishId()
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        _sha256.GetHashAndReset(hash);
        return new ObjectId(_declared, ObjectIdDigest.FromSha256(hash));
    }

    /// <summary>A data region's growing file and the objects in it.</summary>
    public sealed class Region
    {
        private readonly int _alignment;

        public Region(IFileSetWriter files, int firstRegion, RegionType type, int alignment)
        {
            Type = type;
            Index = firstRegion + (int)type;
            _alignment = alignment;
            File = files.Create(digested: false);
            var writer = new AppendWriter(File);
            CimHeaders.WriteRegion(writer, (ushort)type, type);
            writer.AlignTo(alignment);
            writer.Flush();
        }

        public RegionType Type { get; }

        /// <summary>Its index in region offsets, which count parents' regions first.</summary>
        public int Index { get; }

        public IAppendableFile File { get; }

        public List<(ObjectId Id, long Offset)> Objects { get; } = [];

        public void Pad()
        {
            var padding = (int)(Align.Up(File.Length, _alignment) - File.Length);
            File.Append(s_zeros.AsSpan(0, padding));
        }
    }
}
