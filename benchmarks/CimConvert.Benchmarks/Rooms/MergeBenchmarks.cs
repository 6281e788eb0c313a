using BenchmarkDotNet.Attributes;
using CimConvert.Cims;
using CimConvert.Cims.Managed;
using CimConvert.TestKit;

namespace CimConvert.Benchmarks.Rooms;

/// <summary>Two CIMs of small files, half of them in each, merged into one block file of metadata. Twice the files should take twice the time.</summary>
[MemoryDiagnoser]
[ShortRunJob]
public class MergeBenchmarks
{
    private TempFolder _folder = null!;
    private BlockCim[] _sources = [];
    private int _round;

    [Params(100_000, 200_000)]
    public int Files { get; set; }

    [GlobalSetup]
    public void MakeLayers()
    {
        _folder = new TempFolder("benchmark");
        _sources = [Layer("upper"), Layer("lower")];

        BlockCim Layer(string name) => new SmallFileLayer(name, Files / 2, FileSize: 16).WriteCim(_folder[name + ".bcim"]);
    }

    [GlobalCleanup]
    public void Cleanup() => _folder.Dispose();

    [Benchmark]
    public object MergeTwo() =>
        new ManagedBackend().Merge(_folder[$"merged{_round++}.bcim"], "merged.cim", _sources, new BlockCimOptions(), CancellationToken.None);
}
