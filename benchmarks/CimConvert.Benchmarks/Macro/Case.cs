namespace CimConvert.Benchmarks.Macro;

/// <summary>One of the programs that a case runs in turn.</summary>
/// <param name="Name">In tables.</param>
/// <param name="Command">A shell command line; it may write into the folder it is given, which is new each time.</param>
/// <param name="Bytes">Uncompressed bytes that go through, for a throughput; null where that says nothing.</param>
internal sealed record Contender(string Name, Func<string, string> Command, long? Bytes = null);

/// <summary>A ratio that is reported: the time of one contender to that of another, in the same round.</summary>
/// <param name="Of">The contender whose time is divided.</param>
/// <param name="To">The one it is divided by.</param>
/// <param name="Goal">What it should be; null where it is only shown.</param>
/// <param name="AtLeast">Whether more is better.</param>
internal sealed record Ratio(string Of, string To, double? Goal = null, bool AtLeast = false);

/// <summary>Programs that are run in turn, so that a machine's drift meets all of them.</summary>
internal sealed record Case(string Id, string Title, IReadOnlyList<Contender> Contenders, IReadOnlyList<Ratio> Ratios)
{
    public async Task<CaseResult> RunAsync(int rounds, string scratch)
    {
        var samples = Contenders.ToDictionary(contender => contender.Name, _ => new List<Sample>());
        for (var round = 0; round < rounds; round++)
        {
            foreach (var contender in Contenders)
            {
                Directory.CreateDirectory(scratch);
                try
                {
                    var sample = await Commands.MeasureAsync(contender.Command(scratch));
                    await Console.Error.WriteLineAsync($"{Id} {round + 1}/{rounds}: {contender.Name}: {sample.Seconds:f2} s, {sample.PeakMebibytes:f0} MiB");
                    samples[contender.Name].Add(sample);
                }
                finally
                {
                    Directory.Delete(scratch, recursive: true);
                }
            }
        }

        return new CaseResult(
            Id,
            Title,
            [.. Contenders.Select(contender => new ContenderResult(contender.Name, contender.Bytes, samples[contender.Name]))],
            [.. Ratios.Select(ratio => RatioResult.Measure(ratio, samples))]);
    }
}

/// <summary>What came of a case, as the JSON has it.</summary>
internal sealed record CaseResult(string Id, string Title, IReadOnlyList<ContenderResult> Contenders, IReadOnlyList<RatioResult> Ratios);

internal sealed record ContenderResult(string Name, long? Bytes, IReadOnlyList<Sample> Samples)
{
    public double Median => Statistics.Median(Samples.Select(sample => sample.Seconds));

    public double Fastest => Samples.Min(sample => sample.Seconds);

    public double Slowest => Samples.Max(sample => sample.Seconds);

    public double MedianCpu => Statistics.Median(Samples.Select(sample => sample.UserSeconds + sample.SystemSeconds));

    public double PeakMebibytes => Samples.Max(sample => sample.PeakMebibytes);
}

/// <summary>A <see cref="Ratio"/> as it was measured: the value is the median of the rounds' ratios.</summary>
internal sealed record RatioResult(string Of, string To, double Value, double? Goal, bool AtLeast)
{
    public static RatioResult Measure(Ratio ratio, IReadOnlyDictionary<string, List<Sample>> samples)
    {
        var rounds = samples[ratio.Of].Zip(samples[ratio.To], (of, to) => of.Seconds / to.Seconds);
        return new RatioResult(ratio.Of, ratio.To, Statistics.Median(rounds), ratio.Goal, ratio.AtLeast);
    }
}

internal static class Statistics
{
    public static double Median(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        return (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
    }
}
