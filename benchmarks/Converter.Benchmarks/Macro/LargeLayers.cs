using System.Globalization;
using Converter.TestKit.Images;

namespace Converter.Benchmarks.Macro;

/// <summary>Layers from 100 MB to 4 GB, compressed in a hurry: memory must not grow with them.</summary>
internal sealed class LargeLayers(MacroOptions options, string program)
{
    private static readonly int[] s_megabytes = [100, 1_000, 4_000];

    public async Task<Case> MakeCaseAsync()
    {
        var folder = Path.Combine(options.Data, "large");
        foreach (var megabytes in s_megabytes.Where(size => !File.Exists(Done(folder, size))))
        {
            await MakeAsync(folder, megabytes);
        }

        return new(
            "memory",
            "Memory, by the layer's size: conversions from an OCI layout",
            [
                .. s_megabytes.Select(megabytes => new Contender(
                    Name(megabytes),
                    scratch => $"{program} convert {Commands.Quote($"oci:{folder}:{megabytes}")} --output {Commands.Quote(Path.Combine(scratch, "store"))} --quiet",
                    megabytes * 1_000_000L)),
            ],
            []);
    }

    private static string Name(int megabytes) => string.Create(CultureInfo.InvariantCulture, $"{megabytes:n0} MB");

    private static string Done(string folder, int megabytes) => Path.Combine(folder, string.Create(CultureInfo.InvariantCulture, $"{megabytes}.done"));

    private static async Task MakeAsync(string folder, int megabytes)
    {
        await Console.Error.WriteLineAsync($"making a layer of {megabytes} MB");
        Directory.CreateDirectory(folder);
        var tar = Path.Combine(folder, "layer.tar");
        await using (var to = File.Create(tar))
        {
            new LayerContent(megabytes * 1_000_000L, smallFiles: 0).WriteTar(to, part: 0, parts: 1);
        }

        await Commands.CompressAsync("igzip -1", tar, tar + ".gz");
        new ImageBuilder()
            .Layer(LayerImages.BaseLayer())
            .Layer(to => LayerImages.Copy(tar, to), LayerEncoding.Gzip, to => LayerImages.Copy(tar + ".gz", to))
            .WriteTo(folder, megabytes.ToString(CultureInfo.InvariantCulture));
        File.Delete(tar);
        File.Delete(tar + ".gz");
        await File.WriteAllTextAsync(Done(folder, megabytes), string.Empty);
    }
}
