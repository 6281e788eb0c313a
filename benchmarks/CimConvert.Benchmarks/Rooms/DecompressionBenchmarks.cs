using System.IO.Compression;
using BenchmarkDotNet.Attributes;
using CimConvert.Compression;
using CimConvert.Formats.Gzip;
using CimConvert.TestKit.Hives;
using CimConvert.TestKit.Servers;

namespace CimConvert.Benchmarks.Rooms;

/// <summary>
/// 32 MB decompressed from memory: gzip by the runtime (zlib-ng inside) and by our room, zstd by libzstd and by ZstdSharp. A hive, and
/// the runtime's own libraries as they lie beside this program: the two kinds of bytes that Windows layers are made of. Trust the ratios.
/// </summary>
[MemoryDiagnoser]
[ShortRunJob]
public class DecompressionBenchmarks
{
    private const int Seed = 8;
    private const int Size = 32 * 1024 * 1024;

    private readonly byte[] _buffer = new byte[256 * 1024];
    private byte[] _gzip = [];
    private byte[] _zstd = [];

    [Params("hive", "libraries")]
    public string Content { get; set; } = string.Empty;

    [GlobalSetup]
    public void Compress()
    {
        var content = Content == "hive" ? SoftwareHive.Make(Seed, Size) : Libraries();
        using var to = new MemoryStream();
        using (var gzip = new GZipStream(to, CompressionLevel.Optimal, leaveOpen: true))
        {
            gzip.Write(content);
        }

        _gzip = to.ToArray();
        _zstd = Zstd.Compress(content);
    }

    [Benchmark(Baseline = true)]
    public long GzipByRuntime() => Drain(new GZipStream(new MemoryStream(_gzip), CompressionMode.Decompress));

    [Benchmark]
    public long Gzip() => Drain(new GunzipStream(new MemoryStream(_gzip)));

    [Benchmark]
    public long ZstdByLibzstd() => Drain(new ZstdStream(new MemoryStream(_zstd), new LibzstdDecoder()));

    [Benchmark]
    public long ZstdByZstdSharp() => Drain(new ZstdStream(new MemoryStream(_zstd), new ZstdSharpDecoder()));

    private static byte[] Libraries()
    {
        var folder = Path.GetDirectoryName(typeof(object).Assembly.Location)!;
        var libraries = Directory.GetFiles(folder, "*.dll").Order(StringComparer.Ordinal).SelectMany(File.ReadAllBytes);
        return [.. libraries.Take(Size)];
    }

    private long Drain(Stream decompressor)
    {
        using (decompressor)
        {
            var total = 0L;
            for (int count; (count = decompressor.Read(_buffer)) > 0;)
            {
                total += count;
            }

            return total;
        }
    }
}
