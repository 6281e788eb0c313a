using System.Text.Json;
using CimConvert.TestKit.Images;

namespace CimConvert.Benchmarks.Macro;

/// <summary>Whole conversions by the published program, in turn with the programs they are measured against.</summary>
internal static class MacroRun
{
    private static readonly JsonSerializerOptions s_json = new(JsonSerializerDefaults.Web) { WriteIndented = true };

    public static async Task<int> RunAsync(MacroOptions options)
    {
        Directory.CreateDirectory(options.Scratch);
        var machine = await Machine.DescribeAsync(options.Scratch);
        var images = new LayerImages(options);
        await images.MakeAsync();
        await using var registry = await images.ServeAsync();
        var cases = new Cases(options, images, registry);
        await cases.MakeBaseAsync();

        var results = new List<CaseResult>();
        foreach (var one in await cases.MakeAsync())
        {
            results.Add(await one.RunAsync(options.Rounds, options.Scratch));
        }

        var timelines = new List<Timeline>();
        if (options.Wants("timeline"))
        {
            foreach (var (layers, encoding) in new[] { (1, LayerCompression.Gzip), (1, LayerCompression.Zstd), (4, LayerCompression.Gzip) })
            {
                var name = LayerImages.Name(layers, encoding);
                var title = $"{images.Megabytes} MB in {(layers == 1 ? "one layer" : $"{layers} layers")}, {encoding.ToString().ToLowerInvariant()}, from a registry";
                Directory.CreateDirectory(options.Scratch);
                timelines.Add(await Timeline.TraceAsync(name, title, cases.Convert(LayerImages.InRegistry(registry, name), options.Scratch)));
                Directory.Delete(options.Scratch, recursive: true);
            }
        }

        Write(new Report(machine, options.Rounds, results, timelines), options);
        return 0;
    }

    private static void Write(Report report, MacroOptions options)
    {
        Directory.CreateDirectory(options.Output);
        WriteFiles(report, options.Output);
        File.WriteAllText(Path.Combine(options.Output, "results.md"), report.ToMarkdown());
        if (options.Results is { } page)
        {
            report.WriteInto(page);
            WriteFiles(report, Path.GetDirectoryName(Path.GetFullPath(page))!);
        }

        Console.WriteLine(report.ToMarkdown());
    }

    private static void WriteFiles(Report report, string folder)
    {
        File.WriteAllText(Path.Combine(folder, "results.json"), JsonSerializer.Serialize(report, s_json) + "\n");
        foreach (var timeline in report.Timelines)
        {
            File.WriteAllText(Path.Combine(folder, $"timeline-{timeline.Name}.svg"), TimelinePicture.Draw(timeline));
        }
    }
}
