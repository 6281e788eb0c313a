using System.Globalization;
using System.Text;

namespace CimConvert.Benchmarks.Macro;

/// <summary>All that a run found; the JSON has it with every sample, the Markdown in tables.</summary>
internal sealed record Report(Machine Machine, int Rounds, IReadOnlyList<CaseResult> Cases, IReadOnlyList<Timeline> Timelines)
{
    private const string Begin = "<!-- measured -->";
    private const string End = "<!-- /measured -->";

    public string ToMarkdown()
    {
        var page = new StringBuilder();
        Line(page, $"{Machine.Processor}, {Machine.Cores} cores, {Machine.MemoryGibibytes:f0} GiB; {Machine.System}, kernel {Machine.Kernel}, {Machine.FileSystem}; {Machine.Runtime}.");
        Line(page, $"Beside: {string.Join("; ", Machine.Programs)}. Load average before the run: {Machine.LoadBefore:f2}.");
        Line(page, $"Medians of {Rounds} rounds; in each round every program of a table ran once, in a process of its own. Throughput counts uncompressed bytes.");
        Line(page, $"CPU is user and system time of all threads. Peak is the largest resident set of any run. A ratio is the median of the rounds' ratios.");
        foreach (var result in Cases)
        {
            WriteCase(page, result);
        }

        foreach (var timeline in Timelines)
        {
            WriteTimeline(page, timeline);
        }

        return page.ToString();
    }

    /// <summary>Replaces what lies between the page's marks, and leaves the text around it, which people write. A page that is not there is begun.</summary>
    /// <exception cref="InvalidDataException">The page has no marks.</exception>
    public void WriteInto(string page)
    {
        var text = File.Exists(page) ? File.ReadAllText(page) : $"# Results\n\n{Begin}\n{End}\n";
        var (begin, end) = (text.IndexOf(Begin, StringComparison.Ordinal), text.IndexOf(End, StringComparison.Ordinal));
        if (begin < 0 || end < begin)
        {
            throw new InvalidDataException($"{page} has no '{Begin}' and '{End}' to write between");
        }

        File.WriteAllText(page, text[..(begin + Begin.Length)] + "\n" + ToMarkdown() + text[end..]);
    }

    private static void WriteCase(StringBuilder page, CaseResult result)
    {
        Line(page, $"\n### {result.Title}\n");
        Line(page, $"| what | seconds | from | to | CPU seconds | MB/s | peak MiB |");
        Line(page, $"|---|---:|---:|---:|---:|---:|---:|");
        foreach (var row in result.Contenders)
        {
            var throughput = row.Bytes is { } bytes ? (bytes / row.Median / 1e6).ToString("f0", CultureInfo.InvariantCulture) : string.Empty;
            Line(page, $"| {row.Name} | {row.Median:f2} | {row.Fastest:f2} | {row.Slowest:f2} | {row.MedianCpu:f2} | {throughput} | {row.PeakMebibytes:f0} |");
        }

        if (result.Ratios.Count == 0)
        {
            return;
        }

        Line(page, $"\n| time of | to that of | ratio | goal |");
        Line(page, $"|---|---|---:|---:|");
        foreach (var ratio in result.Ratios)
        {
            var goal = ratio.Goal is { } number ? string.Create(CultureInfo.InvariantCulture, $"at {(ratio.AtLeast ? "least" : "most")} {number:f2}") : string.Empty;
            Line(page, $"| {ratio.Of} | {ratio.To} | {ratio.Value:f2} | {goal} |");
        }
    }

    private static void WriteTimeline(StringBuilder page, Timeline timeline)
    {
        Line(page, $"\n### Stages: {timeline.Title}\n");
        Line(page, $"One run, traced, of {timeline.Length:f2} s. A stage that reads from the network or a disk works while it waits for them.\n");
        Line(page, $"![stages over time](timeline-{timeline.Name}.svg)\n");
        Line(page, $"| layer | stage | began | ended | works | waits for input | waits for output |");
        Line(page, $"|---:|---|---:|---:|---:|---:|---:|");
        foreach (var stage in timeline.Stages)
        {
            var layer = stage.Layer < 0 ? "all" : stage.Layer.ToString(CultureInfo.InvariantCulture);
            Line(
                page,
                $"| {layer} | {stage.Stage} | {stage.Begin:f2} | {stage.End:f2} | {stage.Working:f2} | {stage.WaitingForInput:f2} | {stage.WaitingForOutput:f2} |");
        }
    }

    private static void Line(StringBuilder page, FormattableString text) => page.Append(text.ToString(CultureInfo.InvariantCulture)).Append('\n');
}
