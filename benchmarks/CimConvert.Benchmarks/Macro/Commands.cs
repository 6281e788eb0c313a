using System.Diagnostics;
using System.Globalization;

namespace CimConvert.Benchmarks.Macro;

/// <summary>What one run of a program took.</summary>
/// <param name="Seconds">Wall-clock time, from its start to its end.</param>
/// <param name="UserSeconds">CPU time in the program and its children.</param>
/// <param name="SystemSeconds">CPU time in the kernel for them.</param>
/// <param name="PeakMebibytes">The largest resident set of any one of its processes.</param>
internal sealed record Sample(double Seconds, double UserSeconds, double SystemSeconds, double PeakMebibytes);

/// <summary>Runs programs, each in processes of its own, under GNU time.</summary>
internal static class Commands
{
    /// <summary>Runs a shell command line, its standard output thrown away.</summary>
    /// <exception cref="InvalidOperationException">It failed; the message has what it said.</exception>
    public static async Task<Sample> MeasureAsync(string command, IReadOnlyDictionary<string, string>? environment = null)
    {
        var report = Path.GetTempFileName();
        try
        {
            // What was written before must not be on its way to the disk now.
            await RunAsync("sync", environment: null);
            var clock = Stopwatch.StartNew();
            await RunAsync($"exec /usr/bin/time -q -f '%U %S %M' -o {Quote(report)} sh -c {Quote("exec " + command)} >/dev/null", environment);
            var seconds = clock.Elapsed.TotalSeconds;
            double[] numbers = [.. File.ReadAllText(report).Split(' ').Select(number => double.Parse(number, CultureInfo.InvariantCulture))];
            return new Sample(seconds, numbers[0], numbers[1], numbers[2] / 1024);
        }
        finally
        {
            File.Delete(report);
        }
    }

    /// <summary>Compresses a file into another, whole or not at all.</summary>
    public static Task CompressAsync(string compressor, string from, string to) =>
        RunAsync($"{compressor} -c {Quote(from)} > {Quote(to)}.part && mv {Quote(to)}.part {Quote(to)}", environment: null);

    public static async Task<string> RunAsync(string command, IReadOnlyDictionary<string, string>? environment)
    {
        var start = new ProcessStartInfo("/bin/sh", ["-c", command])
        {
            RedirectStandardError = true,
            RedirectStandardOutput = true,
            RedirectStandardInput = true,
            UseShellExecute = false,
        };
        foreach (var (name, value) in environment ?? new Dictionary<string, string>())
        {
            start.Environment[name] = value;
        }

        using var process = Process.Start(start)!;
        process.StandardInput.Close();
        var output = process.StandardOutput.ReadToEndAsync();
        var error = await process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        return process.ExitCode == 0 ? await output : throw new InvalidOperationException($"{command}\nended with {process.ExitCode}: {error}");
    }

    public static string Quote(string text) => $"'{text.Replace("'", @"'\''", StringComparison.Ordinal)}'";
}
