using System.Buffers.Binary;
using System.IO.Hashing;
using CimConvert.Compression;
using CimConvert.Interop;
using CimConvert.Oci;
using CimConvert.TestKit;
using CimConvert.TestKit.Fuzzing;
using CimConvert.TestKit.Servers;
using CimConvert.Tests.Formats.Gzip;

namespace CimConvert.Tests.Fuzzing;

/// <summary>
/// Gzip, decompressed as layers are, and held against zlib: what zlib takes comes out as the same bytes, what it refuses is refused.
/// The parts are a member's header and its DEFLATE; the trailer is made from what zlib reads.
/// </summary>
internal sealed class GzipHarness : FuzzHarness
{
    private const int LargestContent = 4 << 20;

    public override string Name => "gzip";

    public override int MaxLength => 4 << 10;

    public override IReadOnlyList<byte[]> Tokens { get; } = [[0x1f, 0x8b, 8], [0, 0, 0xff, 0xff], [3, 0], [1, 0, 0, 0xff, 0xff]];

    public override IReadOnlyList<byte[][]> MakeSeeds()
    {
        var content = GzipFiles.Compressible(1, 6000);
        byte[] plain = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
        byte[] all = [0x1f, 0x8b, 8, 0x1f, 1, 2, 3, 4, 2, 3, 4, 0, 1, 2, 3, 4, (byte)'n', 0, (byte)'c', 0];
        return
        [
            [plain, Deflates.Compress(content, new() { CompressionLevel = 9 })],
            [plain, Deflates.Compress(content[..700], new() { CompressionStrategy = System.IO.Compression.ZLibCompressionStrategy.Fixed })],
            [plain, Deflates.Compress(SeededContent.Bytes(3, 900), new() { CompressionLevel = 0 })],
            [all.AsSpan()[..^2].ToArray(), Deflates.Compress(new byte[70_000], new() { CompressionLevel = 6 })],
            [plain, new DeflateWriter().Fixed().Literals("abcd"u8).Match(258, 1).Match(3, 4).End().Stored("stored"u8).Fixed(last: true).End().ToArray()],
        ];
    }

    public override bool IsRefusal(Exception error) => error is InvalidDataException;

    public override string Run(byte[][] parts)
    {
        var (header, deflate) = (parts[0], parts[1]);
        var byZlib = ByZlib(deflate);
        byte[] trailer = new byte[8];
        if (byZlib is not null)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(trailer, GzipFiles.Crc32(byZlib));
            BinaryPrimitives.WriteInt32LittleEndian(trailer.AsSpan(4), byZlib.Length);
        }

        using var read = new MemoryStream();
        Decompression.Read(new MemoryStream([.. header, .. deflate, .. trailer]), LayerCompression.Gzip, stream => CopyTo(stream, read));
        return byZlib is not null && read.GetBuffer().AsSpan(0, (int)read.Length).SequenceEqual(byZlib)
            ? $"read {Magnitude(byZlib.Length)} {Magnitude(header.Length)}"
            : throw new InvalidOperationException($"gzip that zlib {(byZlib is null ? "refuses" : "reads otherwise")} was read");
    }

    private static byte[]? ByZlib(byte[] deflate)
    {
        try
        {
            using var stream = new System.IO.Compression.DeflateStream(new MemoryStream(deflate), System.IO.Compression.CompressionMode.Decompress);
            using var to = new MemoryStream();
            CopyTo(stream, to);
            return to.ToArray();
        }
        catch (InvalidDataException)
        {
            return null;
        }
    }

    private static void CopyTo(Stream stream, MemoryStream to)
    {
        var buffer = new byte[64 << 10];
        for (int count; (count = stream.Read(buffer)) > 0;)
        {
            to.Write(buffer, 0, count);
            if (to.Length > LargestContent)
            {
                throw new InvalidDataException("more than a harness looks at");
            }
        }
    }
}

/// <summary>
/// Zstd and gzip streams as they come, members and frames one after another; the first part says which. The decoders of zstd are held
/// against each other.
/// </summary>
internal sealed class StreamHarness : FuzzHarness
{
    private const int LargestContent = 64 << 20;

    public override string Name => "compressed";

    public override int MaxLength => 8 << 10;

    public override IReadOnlyList<byte[]> Tokens { get; } =
        [[0x28, 0xb5, 0x2f, 0xfd], [0x50, 0x2a, 0x4d, 0x18], [0x5f, 0x2a, 0x4d, 0x18, 0xff, 0xff, 0xff, 0xff], [0x1f, 0x8b, 8, 0], [0x20, 0], [0x60]];

    public override IReadOnlyList<byte[][]> MakeSeeds()
    {
        // Frame: magic, descriptor (single segment, one byte of size), size, then blocks of three-byte heads (RFC 8878, 3.1.1).
        byte[] raw = [0x28, 0xb5, 0x2f, 0xfd, 0x20, 4, (4 << 3) | 1, 0, 0, 1, 2, 3, 4];
        byte[] repeated = [0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x58, (100 << 3 & 0xff) | 2, 100 >> 5, 0, 7, 1, 0, 0];
        byte[] skippable = [0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3];
        List<byte[][]> seeds =
        [
            [[(byte)LayerCompression.Zstd], raw],
            [[(byte)LayerCompression.Zstd], [.. skippable, .. repeated, .. raw]],
            [[(byte)LayerCompression.Gzip], [.. GzipFiles.Compress(SeededContent.Bytes(1, 300)), .. GzipFiles.Compress(new byte[3000])]],
            [[(byte)LayerCompression.Gzip], [.. GzipFiles.Empty, .. GzipFiles.Empty]],
        ];
        if (Tools.Find("zstd") is not null)
        {
            seeds.Add([[(byte)LayerCompression.Zstd], Zstd.Compress(GzipFiles.Compressible(2, 20_000))]);
            seeds.Add([[(byte)LayerCompression.Zstd], [.. Zstd.Compress(GzipFiles.Compressible(3, 1000)), .. skippable, .. raw]]);
        }

        return seeds;
    }

    public override bool IsMutable(int part) => part > 0;

    public override bool IsRefusal(Exception error) => error is InvalidDataException;

    public override string Run(byte[][] parts)
    {
        var total = 0L;
        var compression = (LayerCompression)parts[0][0];
        if (compression == LayerCompression.Zstd)
        {
            CompareDecoders(parts[1]);
        }

        Decompression.Read(new MemoryStream(parts[1]), compression, stream => total = Drain(stream).Length);
        return $"{parts[0][0]} {Magnitude(total)}";
    }

    private static void CompareDecoders(byte[] blob)
    {
        if (!Libzstd.IsPresent)
        {
            return;
        }

        var (native, managed) = (Decode(new LibzstdDecoder(), blob), Decode(new ZstdSharpDecoder(), blob));
        if (native != managed)
        {
            throw new InvalidOperationException($"libzstd makes of it {native}, ZstdSharp {managed}");
        }
    }

    /// <summary>What comes out. Of what is wrong, versions of zstd say different things.</summary>
    private static string Decode(ZstdDecoder decoder, byte[] blob)
    {
        try
        {
            using var stream = new ZstdStream(new MemoryStream(blob), decoder);
            return Drain(stream).ToString();
        }
        catch (InvalidDataException)
        {
            return "an error";
        }
    }

    private static (long Length, ulong Hash) Drain(Stream stream)
    {
        var (length, hash) = (0L, new XxHash3());
        var buffer = new byte[100_000];
        for (int count; (count = stream.Read(buffer)) > 0 && length < LargestContent;)
        {
            length += count;
            hash.Append(buffer.AsSpan(0, count));
        }

        return (length, hash.GetCurrentHashAsUInt64());
    }
}
