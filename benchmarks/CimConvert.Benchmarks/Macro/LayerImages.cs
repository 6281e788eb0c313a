using System.Globalization;
using CimConvert.TestKit.Images;
using CimConvert.TestKit.Layers;
using CimConvert.TestKit.Servers;

namespace CimConvert.Benchmarks.Macro;

/// <summary>
/// The layers and images that are measured, in a folder that is made once: single layers as files, images in an OCI layout, and the
/// same images in a registry's storage. Every image has a small base layer below the layers that count.
/// </summary>
internal sealed class LayerImages
{
    /// <summary>Changed when the content does: old data is not taken for new.</summary>
    private const int Version = 1;

    public const string SmallName = "small";

    private const int SmallLayer = 1_000_000;
    private const string Repository = "bench";

    private readonly string _folder;

    public LayerImages(MacroOptions options)
    {
        Megabytes = options.IsQuick ? 60 : 749;
        LayerCounts = options.IsQuick ? [1, 4] : [1, 4, 16];

        // Of 749 MB, 638 are PE files; the rest is 20,000 small files and what the tar needs.
        Content = new LayerContent(638_000_000L * Megabytes / 749, 20_000 * Megabytes / 749);
        _folder = Directory.CreateDirectory(Path.Combine(
            options.Data, string.Create(CultureInfo.InvariantCulture, $"v{Version}-{Environment.Version}-{Megabytes}mb"))).FullName;
    }

    public int Megabytes { get; }

    /// <summary>What the layers are made of.</summary>
    public LayerContent Content { get; }

    /// <summary>Into how many layers the same bytes are split.</summary>
    public IReadOnlyList<int> LayerCounts { get; }

    public string Tar => Path.Combine(_folder, "layer.tar");

    public string Gzip => Tar + ".gz";

    public string Zstd => Tar + ".zst";

    public string SmallGzip => Path.Combine(_folder, "small.tar.gz");

    public string Base => Path.Combine(_folder, "base.tar.gz");

    private string Layout => Path.Combine(_folder, "oci");

    private string Storage => Path.Combine(_folder, "registry");

    public static string Name(int layers, LayerCompression encoding) =>
        string.Create(CultureInfo.InvariantCulture, $"{layers}-{(encoding == LayerCompression.Zstd ? "zstd" : "gzip")}");

    public string InLayout(string name) => $"oci:{Layout}:{name}";

    public static string InRegistry(DockerRegistry registry, string name) => registry.Reference(Repository, name);

    public Task<DockerRegistry> ServeAsync() => DockerRegistry.StartAsync(storage: Storage);

    /// <summary>Makes what is not there yet.</summary>
    public async Task MakeAsync()
    {
        var done = Path.Combine(_folder, "complete");
        if (File.Exists(done))
        {
            return;
        }

        await using var registry = await ServeAsync();
        await MakeAsync(registry, SmallName, new ImageBuilder().Layer(Small()));
        Small().WriteFile(Path.ChangeExtension(SmallGzip, null));
        await Commands.CompressAsync("gzip -6 -n -f", Path.ChangeExtension(SmallGzip, null), SmallGzip);
        BaseLayer().WriteFile(Path.ChangeExtension(Base, null));
        await Commands.CompressAsync("gzip -6 -n -f", Path.ChangeExtension(Base, null), Base);
        foreach (var count in LayerCounts)
        {
            await MakeSplitAsync(registry, count);
        }

        File.WriteAllText(done, string.Empty);
    }

    public static LayerBuilder BaseLayer() => new LayerBuilder().Directory("Files").Directory("Files/Windows").Directory("Files/Windows/System32")
        .Directory("Files/Windows/System32/config").BaseHives();

    private static LayerBuilder Small() =>
        BaseLayer().File("Files/Windows/large.bin", SmallLayer, () => TestKit.SeededContent.Stream(seed: 1, SmallLayer));

    private async Task MakeSplitAsync(DockerRegistry registry, int count)
    {
        var gzip = new ImageBuilder().Layer(BaseLayer());
        var zstd = new ImageBuilder().Layer(BaseLayer());
        List<string> temporary = [];
        for (var part = 0; part < count; part++)
        {
            Console.Error.WriteLine($"making layer {part + 1} of {count}");
            var tar = count == 1 ? Tar : Path.Combine(_folder, string.Create(CultureInfo.InvariantCulture, $"{count}-{part}.tar"));
            await using (var to = File.Create(tar))
            {
                Content.WriteTar(to, part, count);
            }

            await Task.WhenAll(Commands.CompressAsync("gzip -6 -n", tar, tar + ".gz"), Commands.CompressAsync("zstd -3 -T1 -q", tar, tar + ".zst"));
            gzip.Layer(to => Copy(tar, to), LayerCompression.Gzip, to => Copy(tar + ".gz", to));
            zstd.Layer(to => Copy(tar, to), LayerCompression.Zstd, to => Copy(tar + ".zst", to));
            temporary.AddRange(count == 1 ? [] : [tar, tar + ".gz", tar + ".zst"]);
        }

        await MakeAsync(registry, Name(count, LayerCompression.Gzip), gzip);
        await MakeAsync(registry, Name(count, LayerCompression.Zstd), zstd);
        temporary.ForEach(File.Delete);
    }

    private async Task MakeAsync(DockerRegistry registry, string name, ImageBuilder image)
    {
        Console.Error.WriteLine($"making image {name}");
        await registry.PutAsync(Repository, image.WriteTo(Layout, name));
    }

    public static void Copy(string path, Stream to)
    {
        using var file = File.OpenRead(path);
        file.CopyTo(to);
    }
}
