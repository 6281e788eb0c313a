using System.Buffers.Binary;
using System.IO.Compression;
using CimConvert.Formats.Binary;
using CimConvert.Formats.Gzip;
using CimConvert.TestKit;

namespace CimConvert.Tests.Formats.Gzip;

/// <summary>Gzip made and read, for the tests of this room.</summary>
internal static class GzipFiles
{
    private static readonly byte[] s_plainHeader = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];

    /// <summary>A member of no bytes, which the runtime does not write.</summary>
    public static byte[] Empty { get; } = Member(new DeflateWriter().Fixed(last: true).End().ToArray(), []);

    public static byte[] Compress(byte[] content, CompressionLevel level = CompressionLevel.Fastest)
    {
        using var to = new MemoryStream();
        using (var gzip = new GZipStream(to, level, leaveOpen: true))
        {
            gzip.Write(content);
        }

        return to.ToArray();
    }

    /// <summary>A member around DEFLATE made elsewhere, which decodes to <paramref name="content"/>.</summary>
    public static byte[] Member(byte[] deflate, byte[] content, byte[]? header = null)
    {
        var trailer = new byte[8];
        BinaryPrimitives.WriteUInt32LittleEndian(trailer, Crc32(content));
        BinaryPrimitives.WriteInt32LittleEndian(trailer.AsSpan(4), content.Length);
        return [.. header ?? s_plainHeader, .. deflate, .. trailer];
    }

    /// <summary>The checksum by its definition: division by the polynomial, bit by bit (RFC 1952, 8).</summary>
    public static uint Crc32(ReadOnlySpan<byte> data)
    {
        var crc = uint.MaxValue;
        foreach (var value in data)
        {
            crc ^= value;
            for (var bit = 0; bit < 8; bit++)
            {
                crc = (crc & 1) != 0 ? (crc >> 1) ^ 0xedb88320 : crc >> 1;
            }
        }

        return ~crc;
    }

    public static byte[] Read(byte[] gzip) => Read(new MemoryStream(gzip), bufferSize: 100_000);

    public static byte[] Read(Stream gzip, int bufferSize)
    {
        using var stream = new GunzipStream(gzip);
        return ReadAll(stream, bufferSize);
    }

    public static byte[] ReadAll(Stream stream, int bufferSize)
    {
        using var to = new MemoryStream();
        var buffer = new byte[bufferSize];
        for (int count; (count = stream.Read(buffer)) > 0;)
        {
            to.Write(buffer, 0, count);
        }

        return to.ToArray();
    }

    /// <summary>Content that compresses to a good third, however long it is: words of a few bytes, the lower of a thousand more often.</summary>
    public static byte[] Words(int seed, int length)
    {
        var letters = SeededContent.Bytes(seed, 10_000);
        var choices = SeededContent.Bytes(seed + 1, length);
        var content = new byte[length];
        for (var (at, choice) = (0, 0); at < length; choice += 2)
        {
            var word = (choices[choice] * choices[choice + 1]) >> 6;
            var count = Math.Min(3 + (word % 7), length - at);
            letters.AsSpan(word * 9, count).CopyTo(content.AsSpan(at));
            at += count;
        }

        return content;
    }

    /// <summary>
    /// Content that compresses: a few thousand steps of bytes from an alphabet that changes, of runs, and of what lay some way back.
    /// </summary>
    public static byte[] Compressible(int seed, int length)
    {
        var choices = new Choices(seed);
        var content = new byte[length];
        for (var at = 0; at < length;)
        {
            var count = Math.Min(length - at, 1 + choices.Next(choices.Next(10) == 0 ? 600 : 40));
            var piece = content.AsSpan(at, count);
            switch (choices.Next(4))
            {
                case 0:
                    piece.Fill((byte)choices.Next(256));
                    break;
                case 1 when at > 0:
                    var distance = 1 + choices.Next(Math.Min(at, choices.Next(2) == 0 ? 40 : 40_000));
                    for (var i = 0; i < count; i++)
                    {
                        piece[i] = content[at + i - distance];
                    }

                    break;
                default:
                    var alphabet = 1 << choices.Next(9);
                    for (var i = 0; i < count; i++)
                    {
                        piece[i] = (byte)choices.Next(alphabet);
                    }

                    break;
            }

            at += count;
        }

        return content;
    }
}

/// <summary>Choices that look random and are the same every time.</summary>
internal sealed class Choices(int seed)
{
    private readonly byte[] _bytes = SeededContent.Bytes(seed, 1 << 16);
    private int _at;

    /// <summary>From 0 to <paramref name="count"/> - 1.</summary>
    public int Next(int count)
    {
        _at = (_at + 4) % _bytes.Length;
        return (int)(((ulong)BinaryPrimitives.ReadUInt32LittleEndian(_bytes.AsSpan(_at)) * (uint)count) >> 32);
    }
}

/// <summary>Hands out at most so many bytes a read, as a network does.</summary>
internal sealed class PiecewiseStream(byte[] bytes, int pieceSize) : ForwardStream
{
    private int _at;

    public override int Read(Span<byte> buffer)
    {
        var count = Math.Min(Math.Min(buffer.Length, pieceSize), bytes.Length - _at);
        bytes.AsSpan(_at, count).CopyTo(buffer);
        _at += count;
        return count;
    }
}
