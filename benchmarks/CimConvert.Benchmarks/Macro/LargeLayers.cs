using System.Globalization;
using CimConvert.TestKit;
using CimConvert.TestKit.Images;
using CimConvert.TestKit.Layers;

namespace CimConvert.Benchmarks.Macro;

/// <summary>
/// Layers from 100 MB to 4 GB, compressed in a hurry: memory must not grow with their bytes. It does with their entries, so some have
/// as many files whatever their size; the others have the files of an SDK, again and again.
/// </summary>
internal sealed class LargeLayers(MacroOptions options, string program)
{
    private const int FewFiles = 400;

    private static readonly LargeLayer[] s_layers =
    [
        new(100, IsFewFiles: true), new(1_000, IsFewFiles: true), new(4_000, IsFewFiles: true),
        new(100, IsFewFiles: false), new(1_000, IsFewFiles: false), new(4_000, IsFewFiles: false),
    ];

    public async Task<Case> MakeCaseAsync()
    {
        var folder = Path.Combine(options.Data, "large");
        foreach (var layer in s_layers.Where(layer => !File.Exists(Done(folder, layer))))
        {
            await MakeAsync(folder, layer);
        }

        return new(
            "memory",
            "Memory, by the layer's size: conversions from an OCI layout",
            [
                .. s_layers.Select(layer => new Contender(
                    layer.Title,
                    scratch => $"{program} convert {Commands.Quote($"oci:{folder}:{layer.Name}")} --output {Commands.Quote(Path.Combine(scratch, "store"))} --quiet",
                    layer.Bytes)),
            ],
            []);
    }

    private static string Done(string folder, LargeLayer layer) => Path.Combine(folder, layer.Name + ".done");

    private static async Task MakeAsync(string folder, LargeLayer layer)
    {
        await Console.Error.WriteLineAsync($"making a layer of {layer.Title}");
        Directory.CreateDirectory(folder);
        var tar = Path.Combine(folder, "layer.tar");
        await using (var to = File.Create(tar))
        {
            layer.WriteTar(to);
        }

        await Commands.CompressAsync("igzip -1", tar, tar + ".gz");
        new ImageBuilder()
            .Layer(LayerImages.BaseLayer())
            .Layer(to => LayerImages.Copy(tar, to), LayerCompression.Gzip, to => LayerImages.Copy(tar + ".gz", to))
            .WriteTo(folder, layer.Name);
        File.Delete(tar);
        File.Delete(tar + ".gz");
        await File.WriteAllTextAsync(Done(folder, layer), string.Empty);
    }

    private sealed record LargeLayer(int Megabytes, bool IsFewFiles)
    {
        public long Bytes => Megabytes * 1_000_000L;

        public string Name => string.Create(CultureInfo.InvariantCulture, $"{Megabytes}{(IsFewFiles ? "-few" : string.Empty)}");

        public string Title => IsFewFiles
            ? string.Create(CultureInfo.InvariantCulture, $"{Megabytes:n0} MB in {FewFiles} files of seeded bytes")
            : string.Create(CultureInfo.InvariantCulture, $"{Megabytes:n0} MB of libraries");

        public void WriteTar(Stream to)
        {
            if (!IsFewFiles)
            {
                new LayerContent(Bytes, smallFiles: 0).WriteTar(to, part: 0, parts: 1);
                return;
            }

            var layer = new LayerBuilder { DefaultSecurityDescriptor = Descriptors.Administrators }.Directory("Files");
            for (var i = 0; i < FewFiles; i++)
            {
                var seed = i;
                layer.File($"Files/{i}.bin", Bytes / FewFiles, () => SeededContent.Stream(seed, Bytes / FewFiles));
            }

            layer.WriteTo(to);
        }
    }
}
