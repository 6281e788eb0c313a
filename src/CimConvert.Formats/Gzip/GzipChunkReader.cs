namespace CimConvert.Formats.Gzip;

/// <summary>Cuts a gzip stream into chunks. One thread at a time.</summary>
/// <param name="compressed">Stays the caller's.</param>
/// <param name="sizes">How large the chunks are.</param>
internal sealed class GzipChunkReader(Stream compressed, GzipChunkSizes sizes) : IDisposable
{
    /// <summary>So many chunks in a row whose run was not the stream's, and only every so many is still looked into.</summary>
    private const int MaxMisses = 4;

    private const int MissedStep = 8;

    private readonly byte[] _ahead = new byte[sizes.Ahead];
    private int _aheadLength;
    private long _offset;
    private int _index;
    private int _misses;
    private bool _ended;

    internal BufferStore Buffers { get; } = new(sizes.BufferSize);

    /// <summary>Null behind the last. There is always one, be it empty.</summary>
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

    /// <summary>Whether looking for blocks in a chunk came to anything. Some streams have none to find.</summary>
    internal void Learn(bool wasForeseen) => Volatile.Write(ref _misses, wasForeseen ? 0 : _misses + 1);

    public void Dispose() => Buffers.Dispose();
}

/// <summary>
/// How large chunks are: <see cref="Default"/>, but where tests want many of little.
/// </summary>
/// <param name="Stretch">Compressed bytes from one chunk's start to the next's.</param>
/// <param name="Ahead">
/// Bytes of what follows that a chunk has besides. Where the block that starts last in a chunk ends behind those, the run ends before it.
/// </param>
/// <param name="BufferSize">Of the chunk's bytes, and of each segment of a run.</param>
/// <param name="MaxSegments">Of a run, which ends early where they are full.</param>
internal sealed record GzipChunkSizes(int Stretch, int Ahead, int BufferSize, int MaxSegments)
{
    /// <summary>Behind what a decoder may hold back or read ahead.</summary>
    internal const int MinAhead = 2 * BitInput.Padding;

    /// <summary>The history, and as much again, as words.</summary>
    internal const int MinBufferSize = 4 * OutputWindow.HistorySize;

    public static GzipChunkSizes Default { get; } = new((1 << 20) - (128 * 1024) - BitInput.Padding, 128 * 1024, 1 << 20, 8);
}
