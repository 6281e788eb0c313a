using BenchmarkDotNet.Attributes;
using CimConvert.Formats.Tar;

namespace CimConvert.Benchmarks.Rooms;

/// <summary>A tar of small files with PAX headers read from memory, content and all. Divide what is allocated by the files for bytes an entry.</summary>
[MemoryDiagnoser]
[ShortRunJob]
public class TarBenchmarks
{
    private byte[] _tar = [];

    [Params(20_000)]
    public int Files { get; set; }

    [GlobalSetup]
    public void MakeTar() => _tar = new SmallFileLayer("small", Files, FileSize: 1500).ToTar();

    [Benchmark]
    public long Read()
    {
        using var reader = new TarReader(new MemoryStream(_tar));
        var bytes = 0L;
        while (reader.MoveNext())
        {
            while (reader.TryReadData(out var slice))
            {
                bytes += slice.Length;
            }
        }

        return bytes;
    }
}
