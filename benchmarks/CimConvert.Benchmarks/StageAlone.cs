using System.Security.Cryptography;
using CimConvert.Formats.Gzip;

namespace CimConvert.Benchmarks;

/// <summary>What a layer costs at the least: one stage alone on one thread, its output thrown away.</summary>
internal static class StageAlone
{
    private const int BufferSize = 256 * 1024;

    /// <summary>Decompresses a gzip file with the room that the pipeline uses.</summary>
    public static int Inflate(string path)
    {
        using var file = Open(path);
        using var gunzip = new GunzipStream(file);
        var buffer = new byte[BufferSize];
        while (gunzip.Read(buffer) > 0)
        {
        }

        return 0;
    }

    /// <summary>SHA-256 of a file, in the pieces that the pipeline passes on.</summary>
    public static int Hash(string path)
    {
        using var file = Open(path);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var buffer = new byte[BufferSize];
        for (int count; (count = file.Read(buffer)) > 0;)
        {
            hash.AppendData(buffer.AsSpan(0, count));
        }

        Console.WriteLine(Convert.ToHexStringLower(hash.GetHashAndReset()));
        return 0;
    }

    private static FileStream Open(string path) => new(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0, FileOptions.SequentialScan);
}
