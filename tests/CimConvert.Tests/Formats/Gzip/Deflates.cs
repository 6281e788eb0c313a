using System.IO.Compression;
using CimConvert.Formats.Gzip;

namespace CimConvert.Tests.Formats.Gzip;

/// <summary>Reads bare DEFLATE: with our decoder, and with zlib, which the runtime has inside.</summary>
internal static class Deflates
{
    public static byte[] Read(byte[] deflate, int pieceSize = int.MaxValue)
    {
        using var input = new BitInput(new PiecewiseStream(deflate, pieceSize));
        using var window = new OutputWindow();
        using var to = new MemoryStream();
        var inflater = new Inflater(input, window);
        inflater.Begin();
        var buffer = new byte[64 * 1024];
        for (var isMore = true; isMore;)
        {
            window.MakeRoom();
            isMore = inflater.Run();
            while (window.Available > 0)
            {
                to.Write(buffer, 0, window.TakeTo(buffer));
            }
        }

        return to.ToArray();
    }

    /// <summary>What ours makes of it, null where it refuses it. Any other failure is the test's.</summary>
    public static byte[]? TryRead(byte[] deflate)
    {
        try
        {
            return Read(deflate);
        }
        catch (InvalidDataException)
        {
            return null;
        }
    }

    /// <summary>What zlib makes of it, null where it refuses it or misses its end (as the project file tells the runtime to say).</summary>
    public static byte[]? TryReadByZlib(byte[] deflate)
    {
        try
        {
            using var stream = new DeflateStream(new MemoryStream(deflate), CompressionMode.Decompress);
            using var to = new MemoryStream();
            stream.CopyTo(to);
            return to.ToArray();
        }
        catch (InvalidDataException)
        {
            return null;
        }
    }

    public static byte[] Compress(byte[] content, ZLibCompressionOptions options)
    {
        using var to = new MemoryStream();
        using (var deflate = new DeflateStream(to, options, leaveOpen: true))
        {
            deflate.Write(content);
        }

        return to.ToArray();
    }
}
