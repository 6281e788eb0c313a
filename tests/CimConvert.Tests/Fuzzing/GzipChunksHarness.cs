using System.IO.Compression;
using CimConvert.Formats.Gzip;
using CimConvert.TestKit;
using CimConvert.TestKit.Fuzzing;
using CimConvert.Tests.Formats.Gzip;

namespace CimConvert.Tests.Fuzzing;

/// <summary>
/// Gzip in chunks that are decoded ahead of their time, held against the decoder that goes through it in order: the bytes are the
/// same, or the error. The first part says how large chunks are.
/// </summary>
internal sealed class GzipChunksHarness : FuzzHarness
{
    private const int Pieces = 16;

    public override string Name => "gzip-chunks";

    public override int MaxLength => 16 << 10;

    public override IReadOnlyList<byte[]> Tokens { get; } = [[0x1f, 0x8b, 8, 0], [0, 0, 0, 0xff, 0xff], [3, 0]];

    public override IReadOnlyList<byte[][]> MakeSeeds() =>
    [
        [[4, 0, 7], Flushed(GzipFiles.Words(1, 20_000))],
        [[1, 9, 0], Flushed(GzipFiles.Compressible(2, 20_000))],
        [[9, 200, 1], [.. Flushed(GzipFiles.Words(3, 9_000)), .. GzipFiles.Empty, .. Flushed(GzipFiles.Words(4, 9_000))]],
        [[0, 0, 3], GzipFiles.Compress(SeededContent.Bytes(5, 6_000))],
    ];

    public override bool IsRefusal(Exception error) => error is InvalidDataException;

    public override string Run(byte[][] parts)
    {
        var chunked = new ChunkedGzip(parts[1], SizesOf(parts[0]));
        var (expected, refusal) = Outcome(() => GzipFiles.Read(parts[1]));
        var (content, chunkedRefusal) = Outcome(() => chunked.Read());
        if (chunkedRefusal?.Message != refusal?.Message || !content.AsSpan().SequenceEqual(expected))
        {
            throw new InvalidOperationException($"in order: {refusal?.Message ?? $"{expected.Length} bytes"}; in chunks: {chunkedRefusal?.Message ?? $"{content.Length} bytes"}");
        }

        return refusal is null ? $"read {Magnitude(content.Length)} {Magnitude(chunked.Found)} {Magnitude(chunked.Foreseen)}" : throw refusal;
    }

    private static GzipChunkSizes SizesOf(byte[] choice)
    {
        int At(int index) => choice.Length > index ? choice[index] : 0;
        return ChunkedGzip.Sizes(100 + (100 * At(0)), GzipChunkSizes.MinAhead + (20 * At(1)), 1 + (At(2) % 8));
    }

    private static (byte[] Content, InvalidDataException? Refusal) Outcome(Func<byte[]> read)
    {
        try
        {
            return (read(), null);
        }
        catch (InvalidDataException e)
        {
            return ([], e);
        }
    }

    /// <summary>With many blocks, which a chunk can begin to decode at.</summary>
    private static byte[] Flushed(byte[] content)
    {
        using var gzip = new MemoryStream();
        using (var stream = new GZipStream(gzip, CompressionLevel.SmallestSize))
        {
            foreach (var piece in content.Chunk(content.Length / Pieces))
            {
                stream.Write(piece);
                stream.Flush();
            }
        }

        return gzip.ToArray();
    }
}
