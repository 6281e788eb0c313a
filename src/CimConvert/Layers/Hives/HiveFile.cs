using CimConvert.Formats.Regf;

namespace CimConvert.Layers.Hives;

/// <summary>Reads hives from disk, and writes them.</summary>
internal static class HiveFile
{
    /// <summary>
    /// Bytes of the largest hive that is read if not told otherwise. A hive is read into memory as a whole, and a layer's may
    /// be anything: without a limit the layer would choose how much memory the merge takes. The largest hive of Windows images
    /// is SOFTWARE, of about 100 MB.
    /// </summary>
    public const long DefaultMaxSize = 256 * 1024 * 1024;

    private const int BufferSize = 256 * 1024;

    /// <exception cref="InvalidDataException">The file is no hive, or a larger one; the message names it.</exception>
    public static Hive Read(string path, long maxSize = DefaultMaxSize)
    {
        try
        {
            return HiveReader.Read(ReadBytes(path, maxSize));
        }
        catch (InvalidDataException wrong)
        {
            throw new InvalidDataException($"'{path}': {wrong.Message}", wrong);
        }
    }

    /// <summary>Writes a hive, and makes it durable; a file of that name is written over.</summary>
    /// <exception cref="InvalidDataException">The hive is larger than the format allows.</exception>
    public static void Write(Hive hive, string path)
    {
        using var output = new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.None, BufferSize);
        HiveWriter.Write(hive, output);
        output.Flush(flushToDisk: true);
    }

    private static byte[] ReadBytes(string path, long maxSize)
    {
        using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0, FileOptions.SequentialScan);
        if (stream.Length > maxSize)
        {
            throw new InvalidDataException($"hive of {stream.Length} bytes is larger than the {maxSize} that are read into memory");
        }

        var bytes = new byte[stream.Length];
        stream.ReadExactly(bytes);
        return bytes;
    }
}
