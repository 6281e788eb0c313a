using CimConvert.Formats.Regf;

namespace CimConvert.Layers.Hives;

/// <summary>Reads and writes hive files.</summary>
internal static class HiveFile
{
    /// <summary>
    /// The default limit on the size of a hive that is read, in bytes. A hive is read into memory as a whole; without a limit, an untrusted
    /// layer could make the merge use any amount of memory. The largest hive of Windows images is SOFTWARE, about 100 MB.
    /// </summary>
    public const long DefaultMaxSize = 256 * 1024 * 1024;

    private const int BufferSize = 256 * 1024;

    /// <exception cref="InvalidDataException">The file is not a hive, or too large; the message names it.</exception>
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

    /// <summary>Writes a hive and flushes it to the disk; an existing file is overwritten.</summary>
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
