using System.Text.Json.Serialization;
using Microsoft.Diagnostics.Tracing;

namespace CimConvert.Benchmarks.Macro;

/// <summary>A stretch of time in which a stage did one thing.</summary>
/// <param name="State">1 works, 2 waits for input, 3 waits for output: the numbers of the product's StageState.</param>
/// <param name="From">Seconds since the first event.</param>
/// <param name="To">The stretch's end.</param>
internal sealed record Stretch(int State, double From, double To);

/// <summary>One stage of one layer; layer -1 is the image as a whole.</summary>
internal sealed record StageTimes(string Stage, int Layer, [property: JsonIgnore] IReadOnlyList<Stretch> Stretches)
{
    public double Begin => Stretches[0].From;

    public double End => Stretches[^1].To;

    public double Working => Sum(1);

    public double WaitingForInput => Sum(2);

    public double WaitingForOutput => Sum(3);

    private double Sum(int state) => Stretches.Where(stretch => stretch.State == state).Sum(stretch => stretch.To - stretch.From);
}

/// <summary>When the stages of one conversion worked and when they waited, from a trace that its runtime wrote.</summary>
/// <param name="Name">In file names.</param>
/// <param name="Title">What was converted.</param>
/// <param name="Stages">Layer by layer, in the order in which they ended, which is that of the flow.</param>
internal sealed record Timeline(string Name, string Title, IReadOnlyList<StageTimes> Stages)
{
    private const string Provider = "cimconvert-pipeline";

    public double Length => Stages.Max(stage => stage.End);

    /// <summary>Runs a conversion, traced.</summary>
    public static async Task<Timeline> TraceAsync(string name, string title, string command)
    {
        var trace = Path.GetTempFileName();
        try
        {
            await Commands.RunAsync(command, new Dictionary<string, string>
            {
                ["DOTNET_EnableEventPipe"] = "1",
                ["DOTNET_EventPipeConfig"] = $"{Provider}:0xffffffffffffffff:4",
                ["DOTNET_EventPipeOutputPath"] = trace,
                ["DOTNET_EventPipeRundown"] = "0",
                ["DOTNET_EventPipeOutputStreaming"] = "1",
            });
            return new Timeline(name, title, Read(trace));
        }
        finally
        {
            File.Delete(trace);
        }
    }

    private static List<StageTimes> Read(string trace)
    {
        var stages = new Dictionary<(string Stage, int Layer), (List<Stretch> Done, int State, double Since)>();
        double? first = null;
        using var source = new EventPipeEventSource(trace);
        source.Dynamic.All += change =>
        {
            if (change.ProviderName != Provider || change.PayloadByName("stage") is not string stage)
            {
                return;
            }

            var now = (change.TimeStampRelativeMSec - (first ??= change.TimeStampRelativeMSec)) / 1000;
            var key = (stage, (int)change.PayloadByName("layer"));
            var (done, state, since) = stages.TryGetValue(key, out var known) ? known : ([], 0, now);
            if (state != 0)
            {
                done.Add(new Stretch(state, since, now));
            }

            stages[key] = (done, (int)change.PayloadByName("state"), now);
        };
        source.Process();
        return [.. stages.Where(stage => stage.Value.Done.Count > 0)
            .Select(stage => new StageTimes(stage.Key.Stage, stage.Key.Layer, stage.Value.Done))
            .OrderBy(stage => stage.Layer < 0).ThenBy(stage => stage.Layer).ThenBy(stage => stage.End)];
    }
}
