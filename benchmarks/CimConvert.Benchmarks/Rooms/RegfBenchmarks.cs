using BenchmarkDotNet.Attributes;
using CimConvert.Formats.Regf;
using CimConvert.TestKit.Hives;

namespace CimConvert.Benchmarks.Rooms;

/// <summary>
/// A SOFTWARE-like hive of 100 MB, most of it class registrations, read, merged with a delta and written, as a child
/// layer's is. Trust the ratios; divide the hive's size by the mean for its throughput.
/// </summary>
[MemoryDiagnoser]
[ShortRunJob]
public class RegfBenchmarks
{
    private const int Seed = 4;
    private const int Megabyte = 1024 * 1024;

    private byte[] _base = [];
    private byte[] _delta = [];

    [Params(100)]
    public int Megabytes { get; set; }

    [GlobalSetup]
    public void MakeHives()
    {
        _base = SoftwareHive.Make(Seed, Megabytes * Megabyte);
        _delta = SoftwareHive.MakeDelta(Seed, Megabytes * Megabyte);
    }

    [Benchmark(Baseline = true)]
    public int Read() => HiveReader.Read(_base).Root.Subkeys.Length;

    [Benchmark]
    public int ReadMergeWrite()
    {
        var merged = HiveMerge.Merge(HiveReader.Read(_base), HiveReader.Read(_delta));
        HiveWriter.Write(merged, Stream.Null);
        return merged.Root.Subkeys.Length;
    }
}
