using System.Diagnostics;
using CimConvert.Pipeline;
using Spectre.Console;

namespace CimConvert.Cli.Output;

/// <summary>A table on the terminal while a conversion runs: each layer's stage, bytes and speed.</summary>
internal sealed class LiveProgress
{
    private static readonly TimeSpan s_interval = TimeSpan.FromMilliseconds(200);

    private readonly IAnsiConsole _console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Error) });
    private readonly Stopwatch _clock = Stopwatch.StartNew();
    private readonly Dictionary<LayerPlan, TimeSpan> _started = [];

    /// <summary>Whether there is a terminal to draw on.</summary>
    public static bool IsPossible => !Console.IsErrorRedirected;

    /// <summary>Draws until the conversion ends; its result or error is the caller's.</summary>
    public async Task<T> ShowAsync<T>(Task<T> conversion, Func<IReadOnlyList<LayerPlan>> layers)
    {
        await _console.Live(Draw(layers())).StartAsync(async live =>
        {
            while (!conversion.IsCompleted)
            {
                live.UpdateTarget(Draw(layers()));
                await Task.WhenAny(conversion, Task.Delay(s_interval));
            }

            live.UpdateTarget(Draw(layers()));
        });
        return await conversion;
    }

    private Table Draw(IReadOnlyList<LayerPlan> layers)
    {
        var table = new Table().Border(TableBorder.None).AddColumns("layer", "stage", "downloaded", "of", "unpacked", "speed");
        foreach (var layer in layers)
        {
            var progress = layer.Progress;
            var speed = progress.Stage == LayerStage.Importing ? $"{Sizes.Of(Speed(layer))}/s" : string.Empty;
            table.AddRow(
                layer.Blob.Digest.Hex[..12],
                progress.Stage.ToString().ToLowerInvariant(),
                Sizes.Of(progress.Downloaded),
                Sizes.Of(layer.Blob.Size),
                Sizes.Of(progress.Decompressed),
                speed);
        }

        return table;
    }

    /// <summary>Unpacked bytes a second since the layer was first seen to be imported.</summary>
    private long Speed(LayerPlan layer)
    {
        if (!_started.TryGetValue(layer, out var start))
        {
            _started.Add(layer, start = _clock.Elapsed - s_interval);
        }

        return (long)(layer.Progress.Decompressed / (_clock.Elapsed - start).TotalSeconds);
    }
}
