using System.Globalization;
using CimConvert.TestKit;
using CimConvert.TestKit.Images;
using CimConvert.TestKit.Layers;
using CimConvert.TestKit.Servers;

namespace CimConvert.Benchmarks.Macro;

/// <summary>
/// Thirty images that share all layers but their topmost, which a node takes into an empty store: from their sources, and as they were
/// converted and pushed before.
/// </summary>
internal sealed class SharedImages(MacroOptions options, LayerContent content, DockerRegistry registry, string program)
{
    private const int Images = 30;
    private const int OwnLayer = 2_000_000;
    private const string Repository = "shared/app";
    private const string FromSource = "prewarm, converting the sources";
    private const string Converted = "prewarm, taking converted images";

    private string Folder => Path.Combine(options.Data, "shared");

    public async Task<Case> MakeCaseAsync()
    {
        Directory.CreateDirectory(Folder);
        await MakeImagesAsync();
        var (sources, converted) = (List("sources.yaml", string.Empty), List("converted.yaml", "  only: converted\n" + Pattern("from")));
        var pushing = List("pushing.yaml", Pattern("push"));
        var store = Path.Combine(Folder, "store");
        await Commands.RunAsync($"{program} prewarm {Commands.Quote(pushing)} --output {Commands.Quote(store)} --quiet", environment: null);
        Directory.Delete(store, recursive: true);
        return new(
            "pull",
            string.Create(CultureInfo.InvariantCulture, $"{Images} images that share their large layers, into an empty store"),
            [Prewarm(FromSource, sources), Prewarm(Converted, converted)],
            [new Ratio(Converted, FromSource)]);
    }

    private Contender Prewarm(string name, string list) =>
        new(name, scratch => $"{program} prewarm {Commands.Quote(list)} --output {Commands.Quote(Path.Combine(scratch, "store"))} --quiet --json");

    private string Pattern(string key) => $"  {key}: {registry.Host}/converted/{{repository}}:{{tag}}\n";

    private string List(string name, string defaults)
    {
        var path = Path.Combine(Folder, name);
        var images = Enumerable.Range(0, Images).Select(i => $"  - {registry.Reference(Repository, Tag(i))}\n");
        File.WriteAllText(path, $"store: unused\ndefaults:\n  backend: managed\n{defaults}images:\n{string.Concat(images)}");
        return path;
    }

    private static string Tag(int image) => string.Create(CultureInfo.InvariantCulture, $"v{image}");

    private async Task MakeImagesAsync()
    {
        var tar = Path.Combine(Folder, "large.tar");
        if (!File.Exists(tar + ".gz"))
        {
            await using (var to = File.Create(tar))
            {
                content.WriteTar(to, part: 0, parts: 4);
            }

            await Commands.CompressAsync("gzip -6 -n", tar, tar + ".gz");
        }

        for (var i = 0; i < Images; i++)
        {
            var seed = i + 1;
            var image = new ImageBuilder()
                .Layer(LayerImages.BaseLayer())
                .Layer(to => LayerImages.Copy(tar, to), LayerCompression.Gzip, to => LayerImages.Copy(tar + ".gz", to))
                .Layer(new LayerBuilder().Directory("Files").File("Files/own", OwnLayer, () => SeededContent.Stream(seed, OwnLayer)));
            await registry.PutAsync(Repository, image.WriteTo(Path.Combine(Folder, "oci"), Tag(i)));
        }
    }
}
