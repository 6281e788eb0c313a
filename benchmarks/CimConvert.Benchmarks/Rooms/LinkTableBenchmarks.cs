using BenchmarkDotNet.Attributes;
using CimConvert.Cims;
using CimConvert.Cims.Managed;
using CimConvert.Formats.Cim;
using CimConvert.TestKit;

namespace CimConvert.Benchmarks.Rooms;

/// <summary>One directory with many empty files: sorted and written as a link table, read and checked, and searched.</summary>
[MemoryDiagnoser]
[ShortRunJob]
public class LinkTableBenchmarks
{
    private const string CimName = "layer.cim";
    private const int Lookups = 1000;

    private TempFolder _folder = null!;
    private CimPath[] _paths = [];
    private OpenCim _image = null!;
    private int _round;

    [Params(1_000, 100_000)]
    public int Names { get; set; }

    [GlobalSetup]
    public void MakeImage()
    {
        _folder = new TempFolder("benchmark");

        // Names in no order: a tar's order is the archiver's.
        _paths = [.. Enumerable.Range(0, Names).Select(i => CimPath.Parse($@"Files\{(uint)i * 2_654_435_761u:x8}-{i}.dll"))];
        _image = OpenCim.Open(((CommittedCim)Write()).Path, CimName);
    }

    [GlobalCleanup]
    public void Cleanup()
    {
        _image.Dispose();
        _folder.Dispose();
    }

    [Benchmark(Baseline = true)]
    public object Write()
    {
        using var image = new ManagedBackend().Create(_folder[$"{_round++}.bcim"], CimName, new BlockCimOptions());
        for (var i = 0; i < _paths.Length; i++)
        {
            image.CreateFile(_paths[i], SmallFile.Metadata(0, i));
            image.CloseStream();
        }

        return image.Commit(CancellationToken.None);
    }

    [Benchmark]
    public int Read() => _image.Cim.Children(_image.Cim.Find(CimPath.Parse("Files"))!.Value).Count();

    [Benchmark(OperationsPerInvoke = Lookups)]
    public int Find()
    {
        var found = 0;
        for (var i = 0; i < Lookups; i++)
        {
            found += _image.Cim.Find(_paths[(int)((long)i * _paths.Length / Lookups)]) is null ? 0 : 1;
        }

        return found;
    }
}
