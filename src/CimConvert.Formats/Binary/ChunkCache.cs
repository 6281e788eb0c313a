namespace CimConvert.Formats.Binary;

/// <summary>
/// Caches chunks of another reader, so that many small reads near each other cost one large read.
/// Holds at most <see cref="MaxChunks"/> chunks. Owns the underlying reader. Not thread-safe.
/// </summary>
internal sealed class ChunkCache(IRandomReader inner) : IRandomReader
{
    /// <summary>Bytes of a chunk; large enough that walking a link table takes a handful of reads.</summary>
    public const int ChunkSize = 64 * 1024;

    /// <summary>16 MiB in all.</summary>
    public const int MaxChunks = 256;

    private readonly Dictionary<long, byte[]> _chunks = [];
    private readonly Queue<long> _age = new();
    private long _lastIndex = -1;
    private byte[] _last = [];

    public long Length => inner.Length;

    public void ReadAt(long offset, Span<byte> destination)
    {
        this.CheckRange(offset, destination.Length);
        while (!destination.IsEmpty)
        {
            var index = offset / ChunkSize;
            var start = (int)(offset - (index * ChunkSize));
            var count = Math.Min(destination.Length, ChunkSize - start);
            Chunk(index).AsSpan(start, count).CopyTo(destination);
            offset += count;
            destination = destination[count..];
        }
    }

    public void Dispose() => inner.Dispose();

    private byte[] Chunk(long index)
    {
        if (index == _lastIndex)
        {
            return _last;
        }

        if (!_chunks.TryGetValue(index, out var chunk))
        {
            // The oldest chunk's array is reused; a file's short last chunk has an array of its own. The reused array may
            // belong to the last chunk used, which is forgotten first, because the read below can fail and leave it half filled.
            _lastIndex = -1;
            chunk = _chunks.Count == MaxChunks && _chunks.Remove(_age.Dequeue(), out var oldest) ? oldest : [];
            var size = (int)Math.Min(ChunkSize, inner.Length - (index * ChunkSize));
            if (chunk.Length != size)
            {
                chunk = new byte[size];
            }

            inner.ReadAt(index * ChunkSize, chunk);
            _chunks.Add(index, chunk);
            _age.Enqueue(index);
        }

        (_lastIndex, _last) = (index, chunk);
        return chunk;
    }
}
