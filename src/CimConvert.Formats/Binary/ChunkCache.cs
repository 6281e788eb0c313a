namespace CimConvert.Formats.Binary;

/// <summary>
/// Keeps recently read chunks of another reader, so that many small reads near each other cost one large one.
/// Memory is bounded by <see cref="MaxChunks"/> chunks. Owns the reader below it. For one thread.
/// </summary>
internal sealed class ChunkCache(IRandomReader inner) : IRandomReader
{
    /// <summary>Bytes a chunk: large enough that walking a link table is a handful of reads.</summary>
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
            // The oldest chunk's array serves again; the last chunk of a file is short, and an array of its own.
            // It may be the one at hand: until it is filled anew, which can fail, nothing may be read from it.
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
