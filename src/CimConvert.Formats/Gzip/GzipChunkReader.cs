namespace CimConvert.Formats.Gzip;

/// <summary>Cuts a gzip stream into chunks. Not thread-safe.</summary>
/// <param name="compressed">Not disposed.</param>
/// <param name="sizes">Sizes of the chunks.</param>
internal sealed class GzipChunkReader(Stream compressed, GzipChunkSizes sizes) : IDisposable
{
    /// <summary>After this many wrong runs in a row, only every <see cref="MissedStep"/>th chunk is searched.</summary>
    private const int MaxMisses = 4;

    private const int MissedStep = 8;

    private readonly byte[] _ahead = new byte[sizes.Ahead];
    private int _aheadLength;
    private long _offset;
    private int _index;
    private int _misses;
    private bool _ended;

    internal BufferStore Buffers { get; } = new(sizes.BufferSize);

    /// <summary>The next chunk; null behind the last. There is at least one, which may be empty.</summary>
    public GzipChunk? Next()
    {
        if (_ended)
        {
            return null;
        }

        var bytes = Buffers.Rent();
        try
        {
            _ahead.AsSpan(0, _aheadLength).CopyTo(bytes);
            var size = sizes.Stretch + sizes.Ahead;
            var length = _aheadLength + compressed.ReadAtLeast(bytes.AsSpan(_aheadLength, size - _aheadLength), size - _aheadLength, throwOnEndOfStream: false);
            bytes.AsSpan(length, BitInput.Padding).Clear();
            _ended = length < size;
            var chunk = new GzipChunk(this, bytes)
            {
                Offset = _offset,
                IsForeseeable = _index > 0 && (Volatile.Read(ref _misses) < MaxMisses || _index % MissedStep == 0),
                Length = length,
                IsLast = _ended,
                End = _ended ? long.MaxValue : (_offset + sizes.Stretch) << 3,
            };
            _index++;
            if (!_ended)
            {
                bytes.AsSpan(sizes.Stretch, sizes.Ahead).CopyTo(_ahead);
                (_aheadLength, _offset) = (sizes.Ahead, _offset + sizes.Stretch);
            }

            return chunk;
        }
        catch
        {
            Buffers.Return(bytes);
            throw;
        }
    }

    /// <summary>Records whether a searched chunk's run was correct: some streams have no blocks that can be found.</summary>
    internal void Learn(bool wasForeseen) => Volatile.Write(ref _misses, wasForeseen ? 0 : _misses + 1);

    public void Dispose() => Buffers.Dispose();
}

/// <summary>
/// Sizes of chunks: <see cref="Default"/>, except where tests need many small ones.
/// </summary>
/// <param name="Stretch">Compressed bytes from the start of one chunk to the next.</param>
/// <param name="Ahead">
/// Further bytes that a chunk has of the next stretch. A run ends before a block that ends behind these.
/// </param>
/// <param name="BufferSize">Size of the buffers for a chunk's bytes and for each segment of a run.</param>
/// <param name="MaxSegments">Segments of a run, which ends early when they are full.</param>
internal sealed record GzipChunkSizes(int Stretch, int Ahead, int BufferSize, int MaxSegments)
{
    /// <summary>More than a decoder holds back or reads ahead.</summary>
    internal const int MinAhead = 2 * BitInput.Padding;

    /// <summary>Words for the history, and for as much again.</summary>
    internal const int MinBufferSize = 4 * OutputWindow.HistorySize;

    public static GzipChunkSizes Default { get; } = new((1 << 20) - (128 * 1024) - BitInput.Padding, 128 * 1024, 1 << 20, 8);
}
