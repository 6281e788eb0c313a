using System.Diagnostics;
using System.Globalization;

namespace CimConvert.Tests.Fuzzing;

/// <summary>
/// A long run: worker processes side by side, each restarted with another seed when an input ends it, and a summary. The runtime
/// limits a worker's memory, too, so that an allocation beyond the limit is an exception with a trace.
/// </summary>
internal sealed class FuzzRun(string folder, IReadOnlyList<string> names, TextWriter log)
{
    /// <summary>A harness with as many findings is left out of the rest of the run.</summary>
    private const int MostFindings = 10;

    /// <summary>Between the seeds of workers that follow each other.</summary>
    private const int SeedStep = 1000;

    /// <summary>Beyond its time, for an input that hangs.</summary>
    private static readonly TimeSpan s_grace = TimeSpan.FromMinutes(3);

    private readonly Lock _gate = new();
    private readonly Dictionary<string, (long Inputs, long Refused, int Outcomes)> _done = names.ToDictionary(n => n, _ => (0L, 0L, 0), StringComparer.Ordinal);
    private readonly Dictionary<string, int> _found = new(StringComparer.Ordinal);
    private readonly List<string> _findings = [];

    /// <summary>True where nothing was found.</summary>
    public async Task<bool> RunAsync(int seed, int cores, TimeSpan time)
    {
        var clock = Stopwatch.StartNew();
        await Task.WhenAll(Enumerable.Range(0, cores).Select(core => RunCoreAsync(core, seed + core, clock, time)));
        await log.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"{"harness",-16}{"inputs",12}{"refused",12}{"outcomes",10}"));
        foreach (var (name, (inputs, refused, outcomes)) in _done)
        {
            await log.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"{name,-16}{inputs,12}{refused,12}{outcomes,10}"));
        }

        var idle = _done.Where(d => d.Value.Inputs == 0).Select(d => d.Key).ToArray();
        if (idle.Length > 0)
        {
            await log.WriteLineAsync($"not run at all: {string.Join(", ", idle)}");
        }

        await log.WriteLineAsync(string.Create(
            CultureInfo.InvariantCulture,
            $"{clock.Elapsed.TotalSeconds:f0} s, {_done.Values.Sum(d => d.Inputs)} inputs of {names.Count} harnesses from seed {seed}, {_findings.Count} findings{(_findings.Count > 0 ? " in " + folder : string.Empty)}"));
        return _findings.Count == 0 && idle.Length == 0;
    }

    private async Task RunCoreAsync(int core, int seed, Stopwatch clock, TimeSpan time)
    {
        for (; clock.Elapsed < time; seed += SeedStep)
        {
            string[] left;
            lock (_gate)
            {
                left = [.. names.Where(name => _found.GetValueOrDefault(name) < MostFindings)];
            }

            if (left.Length == 0)
            {
                return;
            }

            await RunWorkerAsync(Directory.CreateDirectory(Path.Combine(folder, $"{core}")).FullName, seed, left, time - clock.Elapsed);
        }
    }

    private async Task RunWorkerAsync(string ownFolder, int seed, string[] left, TimeSpan time)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!) { RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false };
        var seconds = ((int)Math.Ceiling(time.TotalSeconds)).ToString(CultureInfo.InvariantCulture);
        foreach (var argument in (string[])[typeof(FuzzRun).Assembly.Location, "worker", ownFolder, seed.ToString(CultureInfo.InvariantCulture), seconds, .. left])
        {
            start.ArgumentList.Add(argument);
        }

        start.Environment["DOTNET_GCHeapHardLimit"] = FuzzWatch.MemoryLimit.ToString("x", CultureInfo.InvariantCulture);
        using var worker = Process.Start(start)!;
        var stats = new Dictionary<string, (long Inputs, long Refused, int Outcomes)>(StringComparer.Ordinal);
        var (reported, turn) = (0, left[0]);
        var errors = worker.StandardError.ReadToEndAsync();
        var lines = Task.Run(async () =>
        {
            while (await worker.StandardOutput.ReadLineAsync() is { } line)
            {
                switch (line.Split(' '))
                {
                    case ["stat", var name, var inputs, var refused, var outcomes]:
                        stats[name] = (Number(inputs), Number(refused), (int)Number(outcomes));
                        break;
                    case ["turn", var name]:
                        turn = name;
                        break;
                    case ["finding", var name, ..]:
                        reported++;
                        Found(line, name);
                        break;
                }
            }
        });
        using var patience = new CancellationTokenSource(time + s_grace);
        try
        {
            await worker.WaitForExitAsync(patience.Token);
        }
        catch (OperationCanceledException)
        {
            worker.Kill();
        }

        await lines;
        lock (_gate)
        {
            foreach (var (name, (inputs, refused, outcomes)) in stats)
            {
                var before = _done[name];
                _done[name] = (before.Inputs + inputs, before.Refused + refused, Math.Max(before.Outcomes, outcomes));
            }
        }

        if (worker.ExitCode != 0 && reported == 0)
        {
            // The runtime ended it: a stack overflow, a fault in native code. What it ran is in its file.
            var kept = Path.Combine(ownFolder, string.Create(CultureInfo.InvariantCulture, $"death-{seed}"));
            File.Copy(Path.Combine(ownFolder, FuzzWorker.CurrentFile), kept, overwrite: true);
            Found($"finding {turn} {kept} the worker ended with {worker.ExitCode}: {(await errors).ReplaceLineEndings(" ")}", turn);
        }
    }

    private void Found(string line, string name)
    {
        lock (_gate)
        {
            _findings.Add(line);
            _found[name] = _found.GetValueOrDefault(name) + 1;
            log.WriteLine(line.Length > 2000 ? line[..2000] : line);
            log.Flush();
        }
    }

    private static long Number(string text) => long.Parse(text, CultureInfo.InvariantCulture);
}
