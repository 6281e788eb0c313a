using BenchmarkDotNet.Attributes;
using CimConvert.Cims;
using CimConvert.Cims.Managed;
using CimConvert.Layers;
using CimConvert.TestKit;

namespace CimConvert.Benchmarks.Rooms;

/// <summary>Small files made into a CIM in a block file: of a tar, as a layer is imported, and by calls on the writer alone.</summary>
[MemoryDiagnoser]
[ShortRunJob]
public class ImportBenchmarks
{
    private TempFolder _folder = null!;
    private SmallFileLayer _layer = null!;
    private byte[] _tar = [];
    private int _round;

    [Params(20_000, 40_000)]
    public int Files { get; set; }

    [GlobalSetup]
    public void MakeTar()
    {
        _folder = new TempFolder("benchmark");
        _layer = new SmallFileLayer("small", Files, FileSize: 1500);
        _tar = _layer.ToTar();
    }

    [GlobalCleanup]
    public void Cleanup() => _folder.Dispose();

    [IterationCleanup]
    public void RemoveFiles()
    {
        foreach (var file in Directory.GetFiles(_folder.Path))
        {
            File.Delete(file);
        }
    }

    [Benchmark(Baseline = true)]
    public long WriteCim() => new FileInfo(_layer.WriteCim(_folder[$"{_round++}.bcim"]).BlockFile).Length;

    [Benchmark]
    public long ImportTar()
    {
        using var image = new ManagedBackend().Create(_folder[$"{_round++}.bcim"], "layer.cim", new BlockCimOptions());
        LayerImport.Import(new MemoryStream(_tar), image, new LayerImportOptions { IsBase = false, LayerFolder = _folder.Path }, CancellationToken.None);
        return image.Commit(CancellationToken.None).Size;
    }
}
