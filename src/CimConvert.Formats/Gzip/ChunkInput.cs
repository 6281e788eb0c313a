namespace CimConvert.Formats.Gzip;

/// <summary>Bits of a stream that comes in chunks, read where they lie.</summary>
internal sealed class ChunkInput : BitInput
{
    private readonly Func<GzipChunk?>? _next;
    private GzipChunk? _chunk;

    /// <summary>For <see cref="UseAlone"/>.</summary>
    public ChunkInput()
    {
    }

    /// <param name="next">Hands over the next chunk, from the first on.</param>
    public ChunkInput(Func<GzipChunk?> next) => _next = next;

    /// <summary>In which the next bit lies, or in what it has of the chunk that follows.</summary>
    public GzipChunk Chunk => _chunk ?? throw new InvalidOperationException("nothing was read yet");

    /// <summary>Goes to a bit of a chunk, which stays the caller's and is taken for all there is.</summary>
    public void UseAlone(GzipChunk chunk, long bit) => GoTo(chunk, bit, isEnd: true);

    /// <summary>Goes to a bit of the stream that lies in the chunk at hand.</summary>
    public void MoveTo(long bit) => GoTo(Chunk, bit, Chunk.IsLast);

    /// <summary>Takes the next chunk, which has the byte at hand too, and lets go of this one.</summary>
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
