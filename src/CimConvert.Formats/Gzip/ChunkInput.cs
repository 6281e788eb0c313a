namespace CimConvert.Formats.Gzip;

/// <summary>Reads a stream that is cut into chunks, without copying them.</summary>
internal sealed class ChunkInput : BitInput
{
    private readonly Func<GzipChunk?>? _next;
    private GzipChunk? _chunk;

    /// <summary>For <see cref="UseAlone"/>.</summary>
    public ChunkInput()
    {
    }

    /// <param name="next">Returns the next chunk each time, starting with the first.</param>
    public ChunkInput(Func<GzipChunk?> next) => _next = next;

    /// <summary>The current chunk: the next bit is in its stretch, or in the bytes it has of the following one.</summary>
    public GzipChunk Chunk => _chunk ?? throw new InvalidOperationException("nothing was read yet");

    /// <summary>Moves to a bit of a chunk, which the caller keeps, and takes the chunk for the whole stream.</summary>
    public void UseAlone(GzipChunk chunk, long bit) => GoTo(chunk, bit, isEnd: true);

    /// <summary>Moves to a bit of the stream in the current chunk.</summary>
    public void MoveTo(long bit) => GoTo(Chunk, bit, Chunk.IsLast);

    /// <summary>Continues in the next chunk, which also has the current byte, and releases this one.</summary>
    public void Advance()
    {
        var next = _next!() ?? throw new InvalidOperationException("a chunk came last that was not the last");
        var offset = _chunk?.Offset ?? next.Offset;
        _chunk?.Release();
        _chunk = next;
        Use(next.Bytes, Position - (int)(next.Offset - offset), next.Length, next.Offset, next.IsLast);
    }

    public override void Dispose()
    {
        _chunk?.Release();
        _chunk = null;
        Use([], 0, 0, 0, isEnd: true);
        base.Dispose();
    }

    protected override void ReadOn() => Advance();

    private void GoTo(GzipChunk chunk, long bit, bool isEnd)
    {
        Use(chunk.Bytes, (int)((bit >> 3) - chunk.Offset), chunk.Length, chunk.Offset, isEnd);
        (Bits, BitCount) = (0, 0);
        Refill();
        Skip((int)(bit & 7));
    }
}
