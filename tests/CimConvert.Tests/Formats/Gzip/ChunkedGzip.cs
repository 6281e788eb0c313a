using CimConvert.Formats.Gzip;

namespace CimConvert.Tests.Formats.Gzip;

/// <summary>Reads gzip in chunks, on one thread: each chunk is decoded beforehand when its turn comes.</summary>
internal sealed class ChunkedGzip(byte[] gzip, GzipChunkSizes sizes)
{
    private readonly List<GzipChunk> _chunks = [];

    public int Chunks => _chunks.Count;

    /// <summary>Chunks in which blocks were looked for.</summary>
    public int Looked => _chunks.Count(c => c.IsForeseeable);

    /// <summary>Chunks in which a run of blocks was found.</summary>
    public int Found { get; private set; }

    /// <summary>Chunks whose run was the stream's.</summary>
    public int Foreseen => _chunks.Count(c => c.WasForeseen);

    /// <summary>Segments of all runs found, of words and of bytes.</summary>
    public (int Words, int Bytes) Segments { get; private set; }

    /// <summary>Chunks so small that little input has many.</summary>
    /// <param name="stretch">Compressed bytes a chunk.</param>
    /// <param name="ahead">Bytes beyond it that it sees.</param>
    /// <param name="maxSegments">Of 128 KiB.</param>
    public static GzipChunkSizes Sizes(int stretch, int ahead = 20_000, int maxSegments = 8) =>
        new(stretch, ahead, Math.Max(GzipChunkSizes.MinBufferSize, stretch + ahead + BitInput.Padding), maxSegments);

    public byte[] Read(int bufferSize = 100_000)
    {
        using var reader = new GzipChunkReader(new MemoryStream(gzip), sizes);
        using var decoder = new GzipChunkDecoder(sizes);
        using var stream = new GunzipStream(() => Next(reader, decoder));
        return GzipFiles.ReadAll(stream, bufferSize);
    }

    private GzipChunk? Next(GzipChunkReader reader, GzipChunkDecoder decoder)
    {
        if (reader.Next() is not { } chunk)
        {
            return null;
        }

        decoder.Decode(chunk);
        _chunks.Add(chunk);
        Found += chunk.RunStart is null ? 0 : 1;
        foreach (var segment in chunk.Segments)
        {
            Segments = segment.HasMarkers ? (Segments.Words + 1, Segments.Bytes) : (Segments.Words, Segments.Bytes + 1);
        }

        return chunk;
    }
}
