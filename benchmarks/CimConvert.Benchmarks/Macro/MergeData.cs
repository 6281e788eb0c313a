using System.Globalization;

namespace CimConvert.Benchmarks.Macro;

/// <summary>Merges of two layers with 50,000, 100,000 and 200,000 files in total: in time that grows as the files do.</summary>
internal sealed class MergeData(MacroOptions options, string program)
{
    private const int FileSize = 16;

    private static readonly string[] s_layers = ["upper", "lower"];

    public async Task<Case> MakeCaseAsync()
    {
        int[] totals = options.IsQuick ? [5_000, 10_000, 20_000] : [50_000, 100_000, 200_000];
        var contenders = new List<Contender>();
        foreach (var total in totals)
        {
            var folder = Path.Combine(options.Data, string.Create(CultureInfo.InvariantCulture, $"merge-{total}"));
            await MakeAsync(folder, total);
            var blocks = string.Join(' ', s_layers.Select(layer => Commands.Quote(Path.Combine(folder, layer + ".bcim"))));
            contenders.Add(new Contender(
                Name(total), scratch => $"{program} merge --block {Commands.Quote(Path.Combine(scratch, "merged.bcim"))} {blocks}"));
        }

        contenders.Add(new Contender("--version", _ => $"{program} --version"));
        return new(
            "merge",
            "Merge of two layers, by the files in both",
            contenders,
            [new Ratio(Name(totals[2]), Name(totals[1])), new Ratio(Name(totals[1]), Name(totals[0]))]);
    }

    private static string Name(int total) => string.Create(CultureInfo.InvariantCulture, $"merge, {total:n0} files");

    /// <summary>The layers' CIMs are made anew, by the program as it is now; their tars are kept.</summary>
    private async Task MakeAsync(string folder, int total)
    {
        Directory.CreateDirectory(folder);
        foreach (var layer in s_layers)
        {
            var tar = Path.Combine(folder, layer + ".tar");
            if (!File.Exists(tar + ".gz"))
            {
                await using (var to = File.Create(tar))
                {
                    new SmallFileLayer(layer, total / s_layers.Length, FileSize).WriteTar(to);
                }

                await Commands.CompressAsync("gzip -1 -n", tar, tar + ".gz");
                File.Delete(tar);
            }

            var block = Path.Combine(folder, layer + ".bcim");
            File.Delete(block);
            await Commands.RunAsync($"{program} import {Commands.Quote(tar + ".gz")} --block {Commands.Quote(block)} --parent {BaseBlock} --quiet", environment: null);
        }
    }

    private string BaseBlock => Commands.Quote(Path.Combine(options.Data, "base", "base.bcim"));
}
