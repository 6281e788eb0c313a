using BenchmarkDotNet.Attributes;
using Converter.Core.Imaging;
using Converter.Core.Layers;
using Converter.Formats.Tar;
using Converter.TestKit;
using Converter.TestKit.Layers;

namespace Converter.Benchmarks;

/// <summary>One child layer of small files: reading its tar, importing it, and merging two of them.</summary>
[MemoryDiagnoser]
public class LayerBenchmarks
{
    private const int FilesInDirectory = 500;
    private const int FileSize = 1500;

    private TempFolder _folder = null!;
    private byte[] _tar = [];
    private ImageSource[] _sources = [];
    private int _round;

    [Params(20_000)]
    public int Files { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        _folder = new TempFolder("benchmark");
        _tar = MakeLayer("lower");
        _sources = [Import(MakeLayer("upper")), Import(_tar)];
    }

    [GlobalCleanup]
    public void Cleanup() => _folder.Dispose();

    [Benchmark]
    public long ReadTar()
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

    [Benchmark]
    public ImageSource ImportLayer() => Import(_tar);

    [Benchmark]
    public CommittedImage MergeTwo() =>
        new ManagedBackend().Merge(_folder[$"merged{_round++}.bcim"], "merged.cim", _sources, new ImageOptions(), CancellationToken.None);

    private ImageSource Import(byte[] tar)
    {
        var path = _folder[$"layer{_round++}.bcim"];
        using var image = new ManagedBackend().Create(path, "layer.cim", new ImageOptions());
        LayerImport.Run(new MemoryStream(tar), image, new LayerImportOptions { IsBase = false, LayerFolder = _folder.Path }, CancellationToken.None);
        image.Commit(CancellationToken.None);
        return new ImageSource(path, "layer.cim");
    }

    private byte[] MakeLayer(string name)
    {
        var layer = new LayerBuilder().Directory("Files").Directory($"Files/{name}");
        for (var i = 0; i < Files; i++)
        {
            if (i % FilesInDirectory == 0)
            {
                layer.Directory($"Files/{name}/{i / FilesInDirectory}");
            }

            layer.File($"Files/{name}/{i / FilesInDirectory}/{i}.dat", SeededContent.Bytes(i, FileSize));
        }

        return layer.ToArray();
    }
}
