using System.Diagnostics;
using System.Globalization;
using CimConvert.TestKit.Fuzzing;

namespace CimConvert.Tests.Fuzzing;

/// <summary>
/// Runs harnesses in turn in this process until its time is over. The input being run is always in a file, since the process may
/// not live to tell of it. Says on standard output what it did, a line each: <c>stat HARNESS INPUTS REFUSED OUTCOMES</c>,
/// <c>turn HARNESS</c>, <c>finding HARNESS FILE WHAT</c>.
/// </summary>
internal sealed class FuzzWorker(int seed, string folder)
{
    public const string CurrentFile = "current";

    private static readonly TimeSpan s_turn = TimeSpan.FromSeconds(2);

    private readonly HashSet<string> _known = new(StringComparer.Ordinal);
    private FuzzLoop _loop = null!;

    public void Run(IReadOnlyList<string> names, TimeSpan time)
    {
        var total = Stopwatch.StartNew();
        FuzzLoop[] loops = [.. names.Select(name => new FuzzLoop(FuzzHarnesses.Make(name), seed))];
        using var current = new FileStream(Path.Combine(folder, CurrentFile), FileMode.Create, FileAccess.Write, FileShare.ReadWrite, bufferSize: 0);
        var watch = new FuzzWatch(why =>
        {
            Report(File.ReadAllBytes(current.Name), why);
            Environment.Exit(1);
        });
        while (total.Elapsed < time)
        {
            foreach (var loop in loops)
            {
                _loop = loop;
                Say($"turn {loop.Harness.Name}");
                for (var turn = Stopwatch.StartNew(); turn.Elapsed < s_turn && total.Elapsed < time;)
                {
                    var input = loop.Next();
                    var bytes = FuzzInput.Encode(input);
                    current.Position = 0;
                    current.Write(bytes);
                    current.SetLength(bytes.Length);
                    watch.Begin();
                    if (loop.Run(input) is { } error && _known.Add(Where(error)))
                    {
                        Report(bytes, error.ToString());
                    }
                }

                Say($"stat {loop.Harness.Name} {loop.Iterations} {loop.Refused} {loop.Outcomes}");
            }
        }

        foreach (var loop in loops)
        {
            (loop.Harness as IDisposable)?.Dispose();
        }
    }

    /// <summary>Findings are one where they come from one place: the exception, and the two innermost methods.</summary>
    private string Where(Exception error) => string.Join('\n', (error.StackTrace ?? string.Empty).Split('\n').Take(2).Prepend($"{_loop.Harness.Name} {error.GetType()}"));

    private void Report(byte[] input, string what)
    {
        var file = Path.Combine(folder, string.Create(CultureInfo.InvariantCulture, $"{_loop.Harness.Name}-{seed}-{_loop.Iterations - 1}"));
        File.WriteAllBytes(file, input);
        File.WriteAllText(file + ".txt", what);
        Say($"finding {_loop.Harness.Name} {file} {what.ReplaceLineEndings(" ")}");
    }

    private static void Say(string line)
    {
        Console.Out.WriteLine(line);
        Console.Out.Flush();
    }
}
